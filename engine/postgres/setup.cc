#include "engine/postgres/setup.h"

#include <libpq-fe.h>

#include <cstdlib>
#include <memory>
#include <string_view>

namespace stepwell::postgres {
namespace {

// Where applications find what they may use of the engine.
constexpr const char* kApplicationSchema = "sw";

std::string quoted(const std::string& name) { return '"' + name + '"'; }

Status check_name(const std::string& what, const std::string& name) {
  bool good = !name.empty() && name.size() <= 63;
  for (const char c : name) {
    good &= (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '_' || c == '-';
  }
  if (good) return ok_status();
  return Error{ErrorCode::kInvalid, what + " \"" + name +
                                        "\": use up to 63 letters, digits, underscores and "
                                        "dashes"};
}

}  // namespace

Result<Setup> setup_of(const std::string& url) {
  Setup setup;
  // What libpq says of a URL that is none quotes it, with its password: said in our words.
  char* complaint = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(url.c_str(), &complaint), &PQconninfoFree);
  PQfreemem(complaint);
  if (options == nullptr) {
    return Error{ErrorCode::kInvalid,
                 "the database's URL cannot be read; its shape is "
                 "postgresql://ROLE:PASSWORD@HOST:PORT/DATABASE, and what is "
                 "no letter or digit in a part stands as %XX"};
  }
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    if (std::string_view(option->keyword) == "user") setup.role = option->val;
    if (std::string_view(option->keyword) == "dbname") setup.database = option->val;
  }
  return setup;
}

std::string role_sql(const Setup& setup) {
  return "DO $$ BEGIN\n"
         "  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '" +
         setup.role +
         "') THEN\n"
         "    CREATE ROLE " +
         quoted(setup.role) +
         " LOGIN;\n"
         "  END IF;\n"
         "END $$;\n";
}

std::string schemas_sql(const Setup& setup) {
  std::string sql;
  for (const std::string& schema : {setup.schema, std::string(kApplicationSchema)}) {
    sql += "CREATE SCHEMA IF NOT EXISTS " + quoted(schema) + " AUTHORIZATION " +
           quoted(setup.role) + ";\n";
  }
  return sql;
}

Result<std::string> setup_script(const Setup& setup) {
  TRY(check_name("role", setup.role));
  TRY(check_name("database", setup.database));
  TRY(check_name("schema", setup.schema));
  return "-- Once, as an administrator:  stepwell migrate --print-setup | psql postgres\n"
         "-- (One who is no superuser must be a member of the role to give it schemas:\n"
         "--  GRANT " +
         quoted(setup.role) + " TO CURRENT_USER)\n" + role_sql(setup) + "SELECT 'CREATE DATABASE " +
         quoted(setup.database) +
         " ENCODING ''UTF8'' TEMPLATE template0'\n"
         "WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '" +
         setup.database + "') \\gexec\n\\connect " + quoted(setup.database) + "\n" +
         schemas_sql(setup) + "-- Then give the role a way to log in (\\password " +
         quoted(setup.role) + ", or a line of pg_hba.conf), and, as that role: stepwell migrate";
}

}  // namespace stepwell::postgres
