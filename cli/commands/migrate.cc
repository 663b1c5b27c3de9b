#include <memory>

#include "cli/commands.h"
#include "cli/target.h"
#include "engine/postgres/postgres.h"
#include "engine/postgres/setup.h"

namespace stepwell::cli {

namespace {

Exit print_setup(Console& console, const std::string& url) {
  const auto setup = postgres::setup_of(url);
  if (!setup.ok()) return console.fail(Exit::kUsage, setup.error().message);
  const auto script = postgres::setup_script(*setup);
  if (!script.ok()) return console.fail(Exit::kUsage, script.error().message);
  console.print(*script);
  return Exit::kOk;
}

}  // namespace

Command migrate_command() {
  struct Arguments {
    std::string database;
    bool print_setup = false;
  };
  auto given = std::make_shared<Arguments>();
  const auto run = [given](Console& console) {
    const auto url = database_url_given(console, given->database);
    if (!url) return Exit::kUsage;
    if (given->print_setup) return print_setup(console, *url);
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
          {{"--database", &given->database, "PostgreSQL URL; else STEPWELL_DATABASE_URL"},
           {"--print-setup", &given->print_setup,
            "print the SQL that an administrator runs once, and do nothing"}},
          run,
          "Running it again changes nothing."};
}

}  // namespace stepwell::cli
