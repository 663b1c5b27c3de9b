// The recorded paths: at least 97 of 100 must agree with the dialect's own implementation.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/unit/expr/evaluate.h"

namespace stepwell::expr {
namespace {

// Empty when the answer is the recorded one.
std::string difference(const Value& recorded) {
  const Value& expected = *recorded.find("expected");
  const std::string path = recorded.find("path")->as_string();
  auto parsed = JsonPath::parse(path);
  const Value* error = expected.find("error");
  if (auto* wrong = std::get_if<SyntaxError>(&parsed)) {
    const bool agrees = error != nullptr && error->as_string() == "InvalidPath";
    return agrees ? "" : path + ": refused: " + wrong->message;
  }
  Random random(1);
  const Value nothing;
  const Value* document = recorded.find("document");
  const auto found = std::get<JsonPath>(parsed).find(
      {document == nullptr ? nothing : *document, nothing, nothing, random});
  if (!found) {
    const bool agrees = error != nullptr && error->as_string() == "PathNotFound";
    return agrees ? "" : path + ": leads nowhere";
  }
  // On AWS a path to many places that finds none yields [].
  const bool is_empty_many = !std::get<JsonPath>(parsed).is_definite() && found->size() == 0;
  const bool agrees = error != nullptr ? error->as_string() == "PathNotFound" && is_empty_many
                                       : *expected.find("result") == *found;
  return agrees ? "" : path + ": " + found->to_json() + ", recorded " + expected.to_json();
}

TEST(JsonPathCorpus, NinetySevenOfAHundredAgree) {
  const std::string file = "../shared/conformance/jsonpath_cases.jsonl";
  std::ifstream cases(file);
  if (!cases) GTEST_SKIP() << "the recorded cases are not here: " << file;
  int count = 0, agreed = 0;
  std::string differences;
  for (std::string line; std::getline(cases, line); ++count) {
    const std::string why = difference(*parse_json(line));
    agreed += why.empty();
    if (!why.empty()) differences += "  " + why + "\n";
  }
  std::cout << agreed << " of " << count << " recorded paths agree\n" << differences;
  EXPECT_GT(count, 0);
  EXPECT_GE(agreed * 100, count * 97);
}

}  // namespace
}  // namespace stepwell::expr
