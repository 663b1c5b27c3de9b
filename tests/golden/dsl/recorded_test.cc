// Warnings on definitions that Step Functions accepted.  Each was looked at by hand, and none is
// false; recorded.expect lists them by code and place, and says why they are right.
//
// STEPWELL_BLESS=1 rewrites the list (its first lines stay): look at what is new in it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "dsl/dsl.h"

namespace stepwell::dsl {
namespace {

const std::set<std::string> kCertain = {
    "never-ends",      "choice-falls-through", "error-never-raised", "error-matched-earlier",
    "unused-variable", "unused-result",        "impossible-type",    "impossible-condition",
    "always-fails"};

// "code pointer"
using Said = std::set<std::string>;

void note(const Value& definition, Said& said) {
  for (const Diagnostic& one : compile(definition.to_pretty_json()).diagnostics) {
    if (kCertain.contains(one.code)) said.insert(one.code + " " + one.pointer);
  }
}

// Every accepted definition of a recording: its own, those of its actors and of its API calls.
void note_all(const Value& about, Said& said) {
  const Value* definition = about.find("definition");
  if (definition != nullptr && definition->is_object()) note(*definition, said);
  if (const Value* actors = about.find("actors"); actors != nullptr && actors->is_array()) {
    for (const Value& actor : actors->as_array()) {
      const Value* arguments = actor.find("kwargs");
      const Value* made = arguments != nullptr ? arguments->find("template") : nullptr;
      if (made != nullptr && made->is_object()) note(*made, said);
    }
  }
  if (const Value* calls = about.find("calls"); calls != nullptr && calls->is_array()) {
    for (const Value& call : calls->as_array()) {
      const Value* arguments = call.find("kwargs");
      const Value* made = arguments != nullptr ? arguments->find("definition") : nullptr;
      if (made == nullptr || !made->is_string()) continue;
      const auto parsed = parse_json(made->as_string());
      if (parsed.ok()) note(*parsed, said);
    }
  }
}

TEST(Recorded, NoWarningIsAFalseAlarm) {
  const std::filesystem::path path =
      std::filesystem::path(STEPWELL_SHARED_FOLDER) / "conformance/asl_cases.jsonl";
  std::ifstream file(path);
  if (!file) GTEST_SKIP() << "SKIPPED: no recordings at " << path;
  Said said;
  for (std::string line; std::getline(file, line);) {
    const Result<Value> about = parse_json(line);
    ASSERT_TRUE(about.ok()) << line.substr(0, 200);
    note_all(*about, said);
  }
  const std::filesystem::path list =
      std::filesystem::path(STEPWELL_GOLDEN_FOLDER) / "recorded.expect";
  std::string reasons, expected, found;
  std::ifstream expectations(list);
  for (std::string line; std::getline(expectations, line);) {
    (line.starts_with("#") ? reasons : expected) += line + "\n";
  }
  for (const std::string& one : said) found += one + "\n";
  if (std::getenv("STEPWELL_BLESS") != nullptr) std::ofstream(list) << reasons << found;
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace stepwell::dsl
