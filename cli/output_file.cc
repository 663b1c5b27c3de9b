#include "cli/output_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace stepwell::cli {

Exit write_result(Console& console, const std::string& path, const std::string& text) {
  namespace fs = std::filesystem;
  if (path.empty() || path == "-") {
    console.print(std::string_view(text).substr(0, text.size() - (text.ends_with('\n') ? 1 : 0)));
    return Exit::kOk;
  }
  // A link stays a link; the file keeps its permissions.
  std::error_code failed;
  const fs::path target =
      fs::is_symlink(path, failed) ? fs::canonical(path, failed) : fs::path(path);
  const fs::perms mode = fs::status(target, failed).permissions();
  const bool is_there = fs::exists(target, failed);
  const std::string beside = target.string() + "." + std::to_string(::getpid()) + ".new";
  std::ofstream file(beside, std::ios::binary);
  file << text;
  file.close();
  const bool is_written = static_cast<bool>(file);
  if (is_written && is_there) fs::permissions(beside, mode, failed);
  if (is_written && ::rename(beside.c_str(), target.c_str()) == 0) return Exit::kOk;
  const std::string why = std::strerror(errno);
  fs::remove(beside, failed);
  return console.fail(Exit::kDenied, "cannot write " + path + ": " + why);
}

}  // namespace stepwell::cli
