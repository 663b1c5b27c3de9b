// What Stepwell keeps in PostgreSQL: the Store, and the schema itself.
//
// Nothing of libpqxx shows here.  All calls block; all objects may be used from many threads.
// Every connection runs with the search_path of `schema` alone, so one database holds as many
// Stepwells as it has schemas.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/store/store.h"

namespace stepwell::postgres {

struct PgOptions {
  std::string url;                  // "postgresql://..." or "host=... dbname=..."
  std::string schema = "stepwell";  // Letters, digits and underscores.
  std::string label;                // Of this process: for pg_stat_activity and nodes.label.
  bool is_unsafe = false;           // Commits wait for the disk only where the server says so.
};

// Connects once, so that a wrong URL is told at once.  Says nothing about the schema:
// Store::check() does, and names `stepwell migrate` when that is what is missing.
Result<std::unique_ptr<store::Store>> open_store(const PgOptions& options);

struct Migrated {
  int from = 0, to = 0;                 // Schema versions before and after.
  std::vector<std::string> applied;     // Names of the migrations that ran.
  std::vector<std::string> partitions;  // Made ahead.
  std::string text() const;             // For people, a line for each thing done.
};

// Brings the schema to this binary's version, under an advisory lock, each migration in its own
// transaction.  Running it again does nothing.
Result<Migrated> migrate(const PgOptions& options);
inline Result<Migrated> migrate(const std::string& url) {
  return migrate(PgOptions{.url = url, .label = {}});
}

// The newest version of the schema that this binary knows.  It works with older ones down to a
// stated version, and with newer ones that say that they serve it.
int schema_version();
// Why this binary cannot work with a schema of that version.
Status check_schema_version(int version, const std::string& schema);
Status check_encoding(const std::string& encoding);  // Of the database.

}  // namespace stepwell::postgres
