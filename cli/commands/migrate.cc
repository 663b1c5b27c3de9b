#include <memory>

#include "cli/commands.h"
#include "cli/target.h"

namespace stepwell::cli {

Command migrate_command() {
  struct Arguments {
    std::string database;
    bool is_unsafe = false;
  };
  auto given = std::make_shared<Arguments>();
  const auto run = [given](Console& console) {
    Options options;
    options.database_url = database_url_given(given->database);
    options.migrate = true;
    options.unsafe = given->is_unsafe;
    if (options.database_url.empty()) {
      return console.fail(Exit::kUsage, "which database?",
                          "name it with --database URL or " + std::string(kDatabaseVariable));
    }
    const auto engine = Engine::open(options);
    if (!engine) return console.fail(engine.code, engine.error);
    console.say("the schema is up to date");
    return Exit::kOk;
  };
  return {"migrate",
          "Bring a database's schema up to date",
          {{"--database", &given->database, "PostgreSQL URL; else STEPWELL_DATABASE_URL"},
           {"--unsafe", &given->is_unsafe, "accept a database that would lose data (fsync=off)"}},
          run,
          "Running it again changes nothing."};
}

}  // namespace stepwell::cli
