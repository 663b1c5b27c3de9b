#include "engine/postgres/setup.h"

#include <libpq-fe.h>

#include <memory>
#include <string_view>
#include <utility>

namespace stepwell::postgres {
namespace {

constexpr const char* kRole = R"(DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
    CREATE ROLE "{role}" LOGIN;
  END IF;
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    GRANT "{role}" TO CURRENT_USER;  -- Else it could give that role no schema.
  END IF;
END $$;
)";
// In `sw` applications find what they may use of the engine.
constexpr const char* kSchemas = R"(CREATE SCHEMA IF NOT EXISTS "stepwell" AUTHORIZATION "{role}";
CREATE SCHEMA IF NOT EXISTS "sw" AUTHORIZATION "{role}";
)";
constexpr const char* kBefore =
    R"(-- Once, as an administrator:  stepwell migrate --print-setup | psql postgres
\set ON_ERROR_STOP on
)";
constexpr const char* kDatabase =
    R"(SELECT 'CREATE DATABASE "{database}" ENCODING ''UTF8'' TEMPLATE template0'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{database}') \gexec
\connect "{database}"
)";
constexpr const char* kAfter =
    R"(-- Then give the role a way to log in: \password "{role}", or a line of pg_hba.conf.
-- Then, as that role:  stepwell migrate)";

std::string filled(std::string text, const Setup& setup) {
  const std::pair<std::string_view, const std::string&> names[] = {{"{role}", setup.role},
                                                                   {"{database}", setup.database}};
  for (const auto& [mark, name] : names) {
    for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += name.size()) {
      text.replace(at, mark.size(), name);
    }
  }
  return text;
}

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
  if (url.empty()) return setup;
  // What libpq says of a URL that is none quotes it, with its password: said in our words.
  char* complaint = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(url.c_str(), &complaint), &PQconninfoFree);
  PQfreemem(complaint);
  if (options == nullptr) {
    return Error{ErrorCode::kInvalid,
                 "the database's URL cannot be read; its shape is "
                 "postgresql://ROLE:PASSWORD@HOST:PORT/DATABASE, and what is no letter or digit "
                 "in a part stands as %XX"};
  }
  bool has_role = false, has_database = false;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const std::string_view keyword = option->keyword;
    if (keyword == "user") setup.role = option->val;
    if (keyword == "dbname") setup.database = option->val;
    has_role |= keyword == "user";
    has_database |= keyword == "dbname";
  }
  if (has_role && !has_database) setup.database = setup.role;  // As libpq does.
  return setup;
}

std::string role_sql(const Setup& setup) { return filled(kRole, setup); }
std::string schemas_sql(const Setup& setup) { return filled(kSchemas, setup); }

Result<std::string> setup_script(const Setup& setup) {
  TRY(check_name("role", setup.role));
  TRY(check_name("database", setup.database));
  return filled(std::string(kBefore) + kRole + kDatabase + kSchemas + kAfter, setup);
}

}  // namespace stepwell::postgres
