#include <string>

#include "engine/postgres/link.h"
#include "engine/postgres/postgres.h"
#include "engine/postgres/sql_texts.h"

namespace stepwell::postgres {
namespace {

LinkPurpose migration_purpose() {
  // A migration that cannot get its lock soon gives up, instead of holding up everybody behind it.
  return {.name = "migrate", .statement_timeout = Millis{300'000}, .lock_timeout = Millis{5'000}};
}

// -1: there is no such schema, or nothing of ours in it.
Result<int> version_of(Link& link) {
  const Answer there = link.run("SELECT to_regclass('schema_migrations') IS NOT NULL");
  if (!there.ok()) return there.trouble().error("cannot read the schema's version");
  if (!there.rows().flag(0, 0)) return 0;
  const Answer version = link.run("SELECT coalesce(max(version), 0) FROM schema_migrations");
  if (!version.ok()) return version.trouble().error("cannot read the schema's version");
  return static_cast<int>(version.rows().number(0, 0));
}

Status apply(Link& link, int version, const EmbeddedText& migration) {
  // One simple query is one transaction: the migration and its row, or neither.
  std::string script = migration.text;
  script += "\nINSERT INTO schema_migrations (version, name) VALUES (" + std::to_string(version) +
            ", '" + migration.name + "');";
  const Answer applied = link.run_script(script);
  if (applied.ok()) return ok_status();
  return applied.trouble().error(std::string("migration ") + migration.name);
}

}  // namespace

int schema_version() { return static_cast<int>(migration_texts_count); }

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
  const std::unique_ptr<Link> link = TRY(Link::open(options, migration_purpose()));
  // Held until the link ends.  Whoever comes second finds everything done.
  const Answer locked =
      link->run("SELECT pg_advisory_lock(hashtextextended('stepwell.migrate.' || $1::text, 0))",
                Parameters().add(options.schema));
  if (!locked.ok()) return locked.trouble().error("another migration is under way");
  const Answer made = link->run_script("CREATE SCHEMA IF NOT EXISTS " + schema);
  if (!made.ok()) return made.trouble().error("cannot create schema " + schema);

  Migrated report;
  report.from = report.to = TRY(version_of(*link));
  if (report.from > schema_version()) {
    return Error{ErrorCode::kConflict, "the schema is at version " + std::to_string(report.from) +
                                           ", newer than this binary's " +
                                           std::to_string(schema_version())};
  }
  for (int version = report.from + 1; version <= schema_version(); ++version) {
    const EmbeddedText& migration = migration_texts[version - 1];
    TRY(apply(*link, version, migration));
    report.applied.emplace_back(migration.name);
    report.to = version;
  }
  const Answer partitions = link->run("SELECT unnest(stepwell_maintain())");
  if (!partitions.ok()) return partitions.trouble().error("cannot make partitions");
  for (std::size_t i = 0; i < partitions.rows().size(); ++i) {
    report.partitions.push_back(partitions.rows().string(i, 0));
  }
  return report;
}

}  // namespace stepwell::postgres
