// `stepwell fmt`, text against text.
//
//   NAME.yaml (or .json)    as somebody wrote it
//   NAME.yaml.expect        as it comes out, STEPWELL_BLESS=1 rewrites it
//
// And for everything that is a workflow anywhere: formatting twice changes nothing more, and what
// the text means and its comments stay the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "authoring/convert/convert.h"
#include "authoring/source/tree.h"
#include "base/random.h"
#include "dsl/dsl.h"
#include "tests/golden/files.h"

namespace stepwell::dsl::source {
namespace {

namespace fs = std::filesystem;
using testing::expect_file;
using testing::read_file;

std::vector<fs::path> texts_in(const fs::path& folder) {
  std::vector<fs::path> list;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string path = entry.path().string();
    const bool is_text = path.ends_with(".yaml") || path.ends_with(".json");
    if (is_text && entry.is_regular_file()) list.push_back(entry.path());
  }
  std::sort(list.begin(), list.end());
  return list;
}

void expect_stable(const std::string& text, const std::string& file) {
  const auto once = format_text(text, file);
  ASSERT_TRUE(once.ok()) << file << ": " << once.error().message << "\n" << text;
  const auto twice = format_text(*once, file);
  ASSERT_TRUE(twice.ok()) << file << ": " << twice.error().message << "\n" << *once;
  EXPECT_EQ(*once, *twice) << file;
  EXPECT_EQ(parse_document(text, file).value.to_json(),
            parse_document(*once, file).value.to_json());
}

TEST(Fmt, WritesExactlyThis) {
  std::size_t count = 0;
  for (const fs::path& path : texts_in(STEPWELL_GOLDEN_FOLDER)) {
    const std::string name = path.filename().string();
    const auto tidy = format_text(read_file(path), name);
    ASSERT_TRUE(tidy.ok()) << name << ": " << tidy.error().message;
    expect_file(path.string() + ".expect", *tidy);
    expect_stable(read_file(path), name);
    ++count;
  }
  EXPECT_GE(count, 4u);
}

// Every workflow and transcript of the repository, the odd ones of the golden tests included.
TEST(Fmt, IsStableOnEveryTextOfTheHouse) {
  std::size_t count = 0;
  for (const char* folder : {"workflows", "examples", "tests/golden", "docs"}) {
    for (const fs::path& path : texts_in(fs::path(STEPWELL_SOURCE_FOLDER) / folder)) {
      const std::string text = read_file(path), name = path.filename().string();
      if (!parse_document(text, name).diagnostics.empty()) continue;  // Broken on purpose.
      SCOPED_TRACE(path);
      expect_stable(text, name);
      ++count;
    }
  }
  EXPECT_GT(count, 60u);
}

TEST(Fmt, IsStableOnRecordedDefinitions) {
  std::ifstream file(STEPWELL_SHARED_FOLDER "/conformance/asl_cases.jsonl");
  if (!file) GTEST_SKIP() << "../shared/conformance is not here";
  std::size_t count = 0;
  for (std::string line; std::getline(file, line);) {
    const Value about = parse_json(line).value();
    const Value* definition = about.find("definition");
    if (definition == nullptr || !definition->is_object()) continue;
    expect_stable(definition->to_json(), "x.json");
    expect_stable(definition->to_pretty_json(), "x.json");
    ++count;
  }
  EXPECT_GT(count, 600u);
}

// Comments and blank lines at random places, at random columns.
TEST(Fmt, KeepsCommentsWhereverTheyAre) {
  std::ifstream file(STEPWELL_SHARED_FOLDER "/conformance/asl_cases.jsonl");
  if (!file) GTEST_SKIP() << "../shared/conformance is not here";
  Random random(1);
  std::size_t count = 0;
  for (std::string line; std::getline(file, line);) {
    const Value about = parse_json(line).value();
    const Value* definition = about.find("definition");
    if (definition == nullptr || !definition->is_object() || random.below(4) != 0) continue;
    std::istringstream yaml(to_yaml_text(definition->to_json(), "x.json")->text);
    std::string text;
    bool has_block = false;
    for (std::string one; std::getline(yaml, one);) {
      has_block = has_block || one.ends_with("|") || one.ends_with("|-");
      if (random.below(6) == 0) text += "\n";
      if (random.below(5) == 0) text += std::string(random.below(9), ' ') + "# in front\n";
      text += one + (random.below(5) == 0 ? "   # behind" : "") + "\n";
    }
    if (has_block) continue;  // A comment in there is none.
    expect_stable(text, "x.yaml");
    ++count;
  }
  EXPECT_GT(count, 100u);
}

// A megabyte in one line takes no longer than one in many.
TEST(Fmt, IsLinearInALongLine) {
  std::string text = R"({"StartAt":"A","States":{"A":{"Type":"Pass","Result":[)";
  while (text.size() < 350'000) text += "[1,2],";
  text += R"(0],"End":true}}})";
  const auto tidy = format_text(text, "x.json");
  ASSERT_TRUE(tidy.ok()) << tidy.error().message;
  EXPECT_GT(tidy->size(), text.size());
}

TEST(Fmt, RefusesWhatItCannotKeep) {
  struct Row {
    const char* text;
    const char* message;
  };
  const Row rows[] = {
      {"? a\n: b\n", "line 1: a key that begins with ?"},
      {"%YAML 1.2\n---\na: b\n", "line 1: a directive of YAML"},
      {"a: {[b]: c}\n", "line 1: a key that is not a string"},
      {"--- a: b\n", "line 1: something stands behind ---"},
      {"a: {\n  b: \"c\n    d\"}\n", "line 2: a quoted text over several lines"},
  };
  for (const Row& row : rows) {
    const auto read = read_tree(row.text);
    ASSERT_FALSE(read.ok()) << row.text;
    EXPECT_EQ(read.error().message, row.message);
  }
  EXPECT_EQ(format_text("a: [", "x.yaml").error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace stepwell::dsl::source
