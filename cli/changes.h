// Changes — waits until one of some files is another than it was.
// Thread-safety: the main thread only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace stepwell::cli {

class Changes {
 public:
  // Looks at the files as they are now; one that is not there may come.
  explicit Changes(const std::set<std::string>& files);
  // True when one of them changed, came or went; false when the process was asked to stop.
  bool wait();

 private:
  using Look = std::map<std::string, std::pair<std::filesystem::file_time_type, std::uintmax_t>>;
  Look look() const;

  std::set<std::string> files_;
  Look before_;
};

}  // namespace stepwell::cli
