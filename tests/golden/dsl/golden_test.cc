// Bad workflows beside the full text of what is said about them.
//
//   tests/golden/dsl/NAME.yaml   what an author wrote (or NAME.json)
//   tests/golden/dsl/NAME.expect every diagnostic, as `stepwell lint` prints it
//   NAME_in_express.yaml         is one of an Express state machine
//
// STEPWELL_BLESS=1 rewrites the .expect files.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "dsl/dsl.h"
#include "tests/golden/files.h"

namespace stepwell::dsl {
namespace {

namespace fs = std::filesystem;
using testing::expect_file;
using testing::read_file;

std::vector<fs::path> cases() {
  std::vector<fs::path> list;
  for (const auto& entry : fs::directory_iterator(STEPWELL_GOLDEN_FOLDER)) {
    const fs::path extension = entry.path().extension();
    if (extension == ".yaml" || extension == ".json") list.push_back(entry.path());
  }
  std::sort(list.begin(), list.end());
  return list;
}

bool is_express(const fs::path& path) { return path.stem().string().ends_with("_in_express"); }

std::string said_about(const fs::path& path) {
  CompileOptions options;
  options.file = path.filename().string();
  options.is_express = is_express(path);
  options.known_resources = {"strava.fetch", "strava.lookup", "google_health.push",
                             "google_health.push_status"};
  const std::string text = read_file(path);
  const Compiled compiled = compile(text, options);
  std::string said;
  for (const Diagnostic& diagnostic : compiled.diagnostics) said += render(diagnostic, text);
  return said + (compiled.ok() ? "compiles\n" : "does not compile\n");
}

class Golden : public ::testing::TestWithParam<fs::path> {};

TEST_P(Golden, SaysExactlyThis) {
  fs::path expected = GetParam();
  expected.replace_extension(".expect");
  expect_file(expected, said_about(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Dsl, Golden, ::testing::ValuesIn(cases()), [](const auto& about) {
  std::string name = about.param.stem().string();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(c) == 0; }, '_');
  return name;
});

TEST(Golden, HasTheCasesThatItShould) { EXPECT_GE(cases().size(), 40u); }

// Every code in docs/dsl/diagnostics.md is provoked by some case, and the other way round.
TEST(Golden, EveryCodeIsDocumented) {
  const std::string page =
      read_file(fs::path(STEPWELL_GOLDEN_FOLDER) / "../../../docs/dsl/diagnostics.md");
  ASSERT_FALSE(page.empty()) << "docs/dsl/diagnostics.md is missing";
  std::set<std::string> provoked = {"bad-template"};  // What no rule of ours foresees.
  for (const fs::path& path : cases()) {
    CompileOptions options;
    options.file = path.filename().string();
    options.is_express = is_express(path);
    options.known_resources = {"strava.fetch", "google_health.push"};
    for (const Diagnostic& one : compile(read_file(path), options).diagnostics) {
      EXPECT_NE(page.find("| `" + one.code + "` |"), std::string::npos)
          << one.code << " of " << path;
      provoked.insert(one.code);
    }
  }
  for (std::size_t at = page.find("\n| `"); at != std::string::npos;
       at = page.find("\n| `", at + 1)) {
    const std::string code = page.substr(at + 4, page.find('`', at + 4) - at - 4);
    EXPECT_TRUE(provoked.contains(code)) << code << " is documented, but no case provokes it";
  }
}

}  // namespace
}  // namespace stepwell::dsl
