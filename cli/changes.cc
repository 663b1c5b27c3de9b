#include "cli/changes.h"

#include <poll.h>

#include "cli/interrupt.h"

namespace stepwell::cli {
namespace {

// Soon enough for a person, and cheap for a hundred files.
constexpr int kBetweenLooksMs = 300;

}  // namespace

Changes::Changes(const std::set<std::string>& files) : files_(files), before_(look()) {}

Changes::Look Changes::look() const {
  Look now;
  for (const std::string& file : files_) {
    std::error_code failed;
    const auto time = std::filesystem::last_write_time(file, failed);
    if (failed) continue;
    const bool is_folder = std::filesystem::is_directory(file, failed);
    now[file] = {time, is_folder ? 0 : std::filesystem::file_size(file, failed)};
  }
  return now;
}

bool Changes::wait() {
  while (!Interrupt::is_asked()) {
    pollfd asked{Interrupt::descriptor(), POLLIN, 0};
    ::poll(&asked, 1, kBetweenLooksMs);
    if (look() != before_) return !Interrupt::is_asked();
  }
  return false;
}

}  // namespace stepwell::cli
