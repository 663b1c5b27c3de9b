// Every transcript of the repository: tests/golden/transcripts and workflows.
//
// STEPWELL_BLESS=1 rewrites what happened into the files.
#include "authoring/transcript/transcript.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace stepwell::transcript {
namespace {

namespace fs = std::filesystem;

Result<std::string> read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{ErrorCode::kNotFound, "cannot read " + path.string()};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<fs::path> files() {
  std::vector<fs::path> list;
  for (const char* folder : {"tests/golden/transcripts", "workflows"}) {
    const fs::path path = fs::path(STEPWELL_SOURCE) / folder;
    if (!fs::exists(path)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      if (entry.path().string().ends_with(".test.yaml")) list.push_back(entry.path());
    }
  }
  std::sort(list.begin(), list.end());
  return list;
}

class Transcripts : public ::testing::TestWithParam<fs::path> {};

TEST_P(Transcripts, TellWhatHappens) {
  const fs::path path = GetParam();
  const auto text = read(path);
  ASSERT_TRUE(text.ok()) << text.error().message;
  const ReadFile read_beside = [&](const std::string& name) {
    return read(path.parent_path() / name);
  };
  Options options;
  options.check_fold = true;
  const Report report = run_tests(*text, path.filename().string(), read_beside, options);
  if (std::getenv("STEPWELL_BLESS") != nullptr) {
    std::ofstream(path, std::ios::binary) << report.updated;
  }
  EXPECT_EQ(report.diagnosis, "");
  EXPECT_FALSE(report.cases.empty());
  for (const CaseReport& one : report.cases) EXPECT_EQ(one.problem, "") << one.name;
}

INSTANTIATE_TEST_SUITE_P(Golden, Transcripts, ::testing::ValuesIn(files()), [](const auto& about) {
  std::string name = about.param.filename().string();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(c) == 0; }, '_');
  return name;
});

TEST(Golden, HasTheTranscriptsThatItShould) { EXPECT_GE(files().size(), 36u); }

}  // namespace
}  // namespace stepwell::transcript
