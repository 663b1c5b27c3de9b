// Providers and workflows on disk — which folders the commands use when none is named.
#pragma once

#include <string>
#include <vector>

namespace stepwell::cli {

// `given`, else ./`name` if it exists, else the one installed with the binary, else empty.
// `name` is "providers" or "workflows".
std::string find_folder(const std::string& given, const std::string& name);

// The resources that the providers in find_folder(given, "providers") serve ("strava.fetch"), for
// the linter's did-you-mean.  Empty when there are no providers: then resources are not checked.
std::vector<std::string> known_resources(const std::string& given);

}  // namespace stepwell::cli
