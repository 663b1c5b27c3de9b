// Folder — one provider or library as it lies on disk: manifest, Lua text, maps.  Read whole, once.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "providers/host/broker/manifest.h"

namespace stepwell::host {

struct Folder {
  Manifest manifest;
  std::map<std::string, std::string> files;  // "provider.lua", "lib/sport.lua"
  std::map<std::string, std::string> maps;   // "sport" -> JSON text
  std::string hash;                          // Of all of the above; names the version.
};
using FolderRef = std::shared_ptr<const Folder>;

// Every folder with a provider.yaml below `roots`, by id.  The error lists all problems.
Result<std::map<std::string, FolderRef>> read_folders(const std::vector<std::string>& roots);

}  // namespace stepwell::host
