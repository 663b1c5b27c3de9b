#include "cli/providers.h"

#include <filesystem>

#include "providers/host/host.h"

namespace stepwell::cli {

namespace fs = std::filesystem;

std::string find_folder(const std::string& given, const std::string& name) {
  if (!given.empty()) return given;
  std::error_code failed;
  if (fs::is_directory(name, failed)) return name;
  const fs::path binary = fs::read_symlink("/proc/self/exe", failed);
  if (failed) return "";
  const fs::path installed = binary.parent_path() / STEPWELL_SHARE / name;
  return fs::is_directory(installed, failed) ? installed.lexically_normal().string() : "";
}

std::vector<std::string> known_resources(const std::string& given) {
  const std::string folder = find_folder(given, "providers");
  if (folder.empty()) return {};
  auto resources = host::list_resources({folder});
  return resources.ok() ? std::move(*resources) : std::vector<std::string>();
}

}  // namespace stepwell::cli
