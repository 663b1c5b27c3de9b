#include <algorithm>
#include <string>

#include "engine/postgres/link.h"
#include "engine/postgres/pooling.h"
#include "engine/postgres/postgres.h"
#include "engine/postgres/sql_texts.h"

namespace stepwell::postgres {
namespace {

// What the files of the schema make, and the oldest that this binary can work with.
constexpr int kFirstSchema = 11, kOldestSchema = 11;
constexpr const char* kFirstName = "schema";

LinkPurpose migration_purpose() {
  // A migration that cannot get its lock soon gives up, instead of holding up everybody behind it.
  return {.name = "migrate", .statement_timeout = Millis{300'000}, .lock_timeout = Millis{5'000}};
}

// 0: there is no such schema, or nothing of ours in it.
Result<int> version_of(Link& link) {
  const Answer there = link.run("SELECT to_regclass('schema_migrations') IS NOT NULL");
  if (!there.ok()) return there.trouble().error("cannot read the schema's version");
  if (!there.rows().flag(0, 0)) return 0;
  const Answer version = link.run("SELECT coalesce(max(version), 0) FROM schema_migrations");
  if (!version.ok()) return version.trouble().error("cannot read the schema's version");
  return static_cast<int>(version.rows().number(0, 0));
}

// Looks first: a role may own its schema without being allowed to make one.
Status make_schema(Link& link, const std::string& name, const std::string& quoted) {
  const Answer there = link.run(
      "SELECT pg_get_userbyid(n.nspowner), current_user, has_schema_privilege(n.oid, 'CREATE') "
      "FROM pg_namespace n WHERE n.nspname = $1::text",
      Parameters().add(name));
  if (!there.ok()) return there.trouble().error("cannot look for schema " + quoted);
  if (!there.rows().empty()) {
    if (there.rows().flag(0, 2)) return ok_status();
    return Error{ErrorCode::kDenied,
                 "schema " + quoted + " belongs to \"" + there.rows().string(0, 0) +
                     "\", not to \"" + there.rows().string(0, 1) +
                     "\": connect as its owner; if an earlier `stepwell dev` made it, remove "
                     ".stepwell/"};
  }
  const Answer made = link.run_script("CREATE SCHEMA IF NOT EXISTS " + quoted);
  if (made.ok()) return ok_status();
  const Error why = made.trouble().error("cannot create schema " + quoted);
  if (made.trouble().kind != Trouble::Kind::kDenied) return why;
  return Error{ErrorCode::kDenied,
               "cannot create schema " + quoted + ": " + made.trouble().message +
                   "; what an administrator does once: stepwell migrate --print-setup"};
}

// One simple query is one transaction: the version and its row, or neither.
Status apply(Link& link, int version, const std::string& name, std::string script) {
  script += "\nINSERT INTO schema_migrations (version, name) VALUES (" + std::to_string(version) +
            ", '" + name + "');";
  const Answer applied = link.run_script(script);
  if (applied.ok()) return ok_status();
  return applied.trouble().error("migration " + name);
}

// The first version is the files of the schema; each later one is a migration.
Status apply(Link& link, int version) {
  if (version > kFirstSchema) {
    const EmbeddedText& migration = kMigrationTexts[version - kFirstSchema - 1];
    return apply(link, version, migration.name, migration.text);
  }
  std::string all;
  for (std::size_t i = 0; i < kSchemaTextsCount; ++i) all += kSchemaTexts[i].text;
  return apply(link, version, kFirstName, std::move(all));
}

}  // namespace

int schema_version() { return kFirstSchema + static_cast<int>(kMigrationTextsCount); }

Status check_schema_version(int version, const std::string& schema) {
  if (version >= kOldestSchema) return ok_status();  // A newer one says itself whom it serves.
  if (version > 0 && version < kFirstSchema) {
    return Error{ErrorCode::kConflict,
                 "schema \"" + schema + "\" was made by an early Stepwell (version " +
                     std::to_string(version) +
                     ") that nothing leads on from: remove .stepwell/ if `stepwell dev` made it, "
                     "else use a new schema or a new database"};
  }
  return Error{ErrorCode::kUnavailable,
               "the schema is at version " + std::to_string(version) + ", this binary works with " +
                   std::to_string(kOldestSchema) + " and newer ones; run: stepwell migrate"};
}

Status check_encoding(const std::string& encoding) {
  if (encoding == "UTF8") return ok_status();
  return Error{ErrorCode::kDenied,
               "the database's encoding is " + encoding +
                   "; Stepwell needs UTF8: CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"};
}

std::string Migrated::text() const {
  std::string out;
  for (const std::string& name : applied) out += "applied " + name + "\n";
  for (const std::string& name : partitions) out += "made partition " + name + "\n";
  out += "schema is at version " + std::to_string(to);
  out += applied.empty() ? ", as before\n" : ", was " + std::to_string(from) + "\n";
  return out;
}

Result<Migrated> migrate(const PgOptions& options) {
  const std::string schema = TRY(quoted_schema(options.schema));
  TRY(check_pooling(options));
  const std::unique_ptr<Link> link = TRY(Link::open(options, migration_purpose()));
  const Answer encoding = link->run("SELECT current_setting('server_encoding')");
  if (!encoding.ok()) return encoding.trouble().error("cannot read the database's encoding");
  TRY(check_encoding(encoding.rows().string(0, 0)));
  // Held until the link ends.  Whoever comes second finds everything done.
  const Answer locked =
      link->run("SELECT pg_advisory_lock(hashtextextended('stepwell.migrate.' || $1::text, 0))",
                Parameters().add(options.schema));
  if (!locked.ok()) return locked.trouble().error("another migration is under way");
  TRY(make_schema(*link, options.schema, schema));

  Migrated report;
  report.from = report.to = TRY(version_of(*link));
  if (report.from != 0) TRY(check_schema_version(report.from, options.schema));
  for (int version = std::max(report.from + 1, kFirstSchema); version <= schema_version();
       ++version) {
    TRY(apply(*link, version));
    report.applied.emplace_back(
        version == kFirstSchema ? kFirstName : kMigrationTexts[version - kFirstSchema - 1].name);
    report.to = version;
  }
  const Answer partitions = link->run("SELECT unnest(stepwell_maintain_v1())");
  if (!partitions.ok()) return partitions.trouble().error("cannot make partitions");
  for (std::size_t i = 0; i < partitions.rows().size(); ++i) {
    report.partitions.push_back(partitions.rows().string(i, 0));
  }
  return report;
}

}  // namespace stepwell::postgres
