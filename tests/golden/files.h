// Files of golden tests: read whole, compared whole, and rewritten when STEPWELL_BLESS is set.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace stepwell::testing {

// What is in it; nothing when there is no such file.
inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline bool is_blessing() { return std::getenv("STEPWELL_BLESS") != nullptr; }

inline void expect_file(const std::filesystem::path& path, const std::string& text) {
  if (is_blessing()) std::ofstream(path, std::ios::binary) << text;
  EXPECT_EQ(text, read_file(path)) << "STEPWELL_BLESS=1 rewrites " << path;
}

}  // namespace stepwell::testing
