// Every kept input once more, in the ordinary build: what a fuzzer found stays mended.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/fuzz/targets.h"

namespace stepwell::fuzz {
namespace {

std::vector<std::filesystem::path> kept_inputs(const std::string& target) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator("tests/fuzz/corpus/" + target)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string contents(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class Corpus : public ::testing::TestWithParam<Target> {};

TEST_P(Corpus, HoldsWhatMustHold) {
  const auto files = kept_inputs(GetParam().name);
  EXPECT_GT(files.size(), 3u) << "the corpus is missing";
  std::size_t bytes = 0;
  for (const auto& file : files) {
    SCOPED_TRACE(file.string());
    const std::string input = contents(file);
    bytes += input.size();
    EXPECT_NO_THROW(GetParam().run(input));
  }
  EXPECT_LT(files.size(), 300u) << "minimize it: ./dev fuzz " << GetParam().name;
  EXPECT_LT(bytes, 1'000'000u) << "minimize it: ./dev fuzz " << GetParam().name;
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Corpus, ::testing::ValuesIn(targets()),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace stepwell::fuzz
