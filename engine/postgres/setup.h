// What an administrator runs once for a Stepwell: it makes the role by which all of it connects,
// the database, and the schemas.  From there on Stepwell needs nobody: the role owns what it works
// on, so that it makes tables and each month's partitions itself, and it may do nothing else.
//
//   stepwell migrate --print-setup | psql postgres
//
// `stepwell dev` and the tests do the same on servers of their own.
#pragma once

#include <string>

#include "base/result.h"

namespace stepwell::postgres {

struct Setup {
  std::string role = "stepwell";
  std::string database = "stepwell";
};

// With the role and the database that a URL names, where it names them; an error: it is none.
Result<Setup> setup_of(const std::string& url);

// For psql, connected to any database of the server.  Running it again changes nothing.  An error:
// a name that has something else than letters, digits, `_` and `-`.
Result<std::string> setup_script(const Setup& setup);

// Its parts, each for a connection of an administrator.  The database is made by the caller: that
// cannot be a part of a script.
std::string role_sql(const Setup& setup);
std::string schemas_sql(const Setup& setup);  // Connected to the database.

}  // namespace stepwell::postgres
