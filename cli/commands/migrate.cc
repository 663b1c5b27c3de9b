#include <memory>

#include "cli/commands.h"
#include "cli/target.h"
#include "engine/postgres/postgres.h"

namespace stepwell::cli {

Command migrate_command() {
  struct Arguments {
    std::string database;
  };
  auto given = std::make_shared<Arguments>();
  const auto run = [given](Console& console) {
    const auto url = database_url_given(console, given->database);
    if (!url) return Exit::kUsage;
    if (url->empty()) {
      return console.fail(Exit::kUsage, "which database?",
                          "name it with --database URL or " + std::string(kDatabaseVariable));
    }
    const auto migrated = postgres::migrate(*url);
    if (!migrated.ok()) {
      return console.fail(Exit::kUnavailable, migrated.error().message,
                          "is it running, is the URL right, and may this user make tables there?");
    }
    console.say(migrated->text());
    return Exit::kOk;
  };
  return {"migrate",
          "Bring a database's schema up to date",
          {{"--database", &given->database, "PostgreSQL URL; else STEPWELL_DATABASE_URL"}},
          run,
          "Running it again changes nothing."};
}

}  // namespace stepwell::cli
