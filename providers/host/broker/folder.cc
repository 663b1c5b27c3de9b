#include "providers/host/broker/folder.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/hash.h"
#include "providers/host/plugin/lua_call.h"

namespace stepwell::host {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMaxFileBytes = 1u << 20;
constexpr std::size_t kMaxFiles = 200;

Result<std::string> read_file(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) return Error{ErrorCode::kUnavailable, path.string() + ": " + error.message()};
  if (size > kMaxFileBytes) {
    return Error{ErrorCode::kTooLarge, path.string() + ": is larger than 1 MiB"};
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || !is_utf8(text.str())) {
    return Error{ErrorCode::kInvalid, path.string() + ": is not UTF-8 text"};
  }
  return text.str();
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

// Whatever a task would stumble over at its first call: Lua that does not compile, maps that are
// not maps.  All of it, each with its file.
Status check_texts(const fs::path& path, const Folder& folder) {
  std::string problems;
  const auto add = [&](const std::string& problem) {
    problems += (problems.empty() ? "" : "\n") + problem;
  };
  for (const auto& [name, text] : folder.files) {
    const auto compiled = compile_lua(text, (path / name).string());
    if (!compiled.ok()) add(compiled.error().message);
  }
  for (const auto& [name, text] : folder.maps) {
    const auto map = parse_json(text);
    const std::string file = (path / "maps" / (name + ".json")).string();
    if (!map.ok()) {
      add(file + ": " + map.error().message);
    } else if (!map->is_object()) {
      add(file + ": is not a JSON object");
    }
  }
  if (problems.empty()) return ok_status();
  return Error{ErrorCode::kInvalid, problems};
}

Result<FolderRef> read_folder(const fs::path& path) {
  auto folder = std::make_shared<Folder>();
  const std::string yaml = TRY(read_file(path / "provider.yaml"));
  folder->manifest = TRY(read_manifest(yaml, (path / "provider.yaml").string()));
  if (folder->manifest.id != path.filename().string()) {
    return Error{ErrorCode::kInvalid, path.string() + ": the folder's name and its id " +
                                          json_quote(folder->manifest.id) + " differ"};
  }
  folder->files["provider.lua"] = TRY(read_file(path / "provider.lua"));
  for (const fs::path& file : entries_of(path / "lib")) {
    if (file.extension() == ".lua") {
      folder->files["lib/" + file.filename().string()] = TRY(read_file(file));
    }
  }
  for (const fs::path& file : entries_of(path / "maps")) {
    if (file.extension() == ".json") folder->maps[file.stem().string()] = TRY(read_file(file));
  }
  if (folder->files.size() + folder->maps.size() > kMaxFiles) {
    return Error{ErrorCode::kTooLarge, path.string() + ": holds too many files"};
  }
  TRY(check_texts(path, *folder));
  std::string all = yaml;
  for (const auto& [name, text] : folder->files) all += '\0' + name + '\0' + text;
  for (const auto& [name, text] : folder->maps) all += '\0' + name + '\0' + text;
  folder->hash = sha256_hex(all).substr(0, 32);
  return FolderRef(std::move(folder));
}

}  // namespace

Result<std::map<std::string, FolderRef>> read_folders(const std::vector<std::string>& roots) {
  std::map<std::string, FolderRef> folders;
  std::string problems;
  for (const std::string& root : roots) {
    for (const fs::path& path : entries_of(root)) {
      std::error_code error;
      if (!fs::exists(path / "provider.yaml", error)) continue;
      auto folder = read_folder(path);
      if (folder.ok()) {
        folders.emplace((*folder)->manifest.id, *folder);
      } else {
        problems += (problems.empty() ? "" : "\n") + folder.error().message;
      }
    }
  }
  if (!problems.empty()) return Error{ErrorCode::kInvalid, problems};
  return folders;
}

}  // namespace stepwell::host
