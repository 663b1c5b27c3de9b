#include "cli/providers.h"

#include <filesystem>

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

}  // namespace stepwell::cli
