// Half of JSONata's own suite: at least 97 of 100 must agree ($eval is left out on purpose).
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>

#include "language/expr/jsonata.h"

namespace stepwell::expr {
namespace {

const char* const kCases = "../shared/conformance/jsonata_cases.jsonl";
const char* const kDatasets = "../shared/conformance/jsonata_datasets.json";

bool close(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    const double x = a.as_double(), y = b.as_double();
    return x == y || std::abs(x - y) <= 1e-15 * std::max(std::abs(x), std::abs(y));
  }
  if (a.is_array() && b.is_array() && a.size() == b.size()) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (!close(a.as_array()[i], b.as_array()[i])) return false;
    }
    return true;
  }
  if (a.is_object() && b.is_object() && a.size() == b.size()) {
    for (const auto& [key, value] : a.as_object()) {
      const Value* other = b.find(key);
      if (other == nullptr || !close(value, *other)) return false;
    }
    return true;
  }
  return a == b;
}

std::string recorded_code(const Value& recorded) {
  if (const Value* code = recorded.find("code")) return code->as_string();
  const Value* error = recorded.find("error");
  return error == nullptr ? "" : error->find("code")->as_string();
}

// Arrays whose order means nothing.
bool same_bag(const Value& a, const Value& b) {
  if (!a.is_array() || !b.is_array() || a.size() != b.size()) return false;
  Value::Array left = b.as_array();
  for (const Value& one : a.as_array()) {
    bool found = false;
    for (auto at = left.begin(); at != left.end() && !found; ++at) {
      if (!close(one, *at)) continue;
      left.erase(at);
      found = true;
      break;
    }
    if (!found) return false;
  }
  return true;
}

bool agrees(const Value& recorded, const Value& datasets) {
  const auto parsed = Jsonata::parse(recorded.find("expr")->as_string());
  const std::string code = recorded_code(recorded);
  if (const auto* wrong = std::get_if<JsonataError>(&parsed)) return wrong->code == code;
  JsonataScope scope;
  Random random(1);
  scope.random = &random;
  scope.input = recorded.find("data");
  if (const Value* name = recorded.find("dataset"); name != nullptr && name->is_string()) {
    scope.input = datasets.find(name->as_string());
  }
  scope.variables = recorded.find("bindings");
  JsonataLimits limits;
  limits.max_operations = 200'000'000;
  limits.max_bytes = 2ULL << 30;
  const auto got = std::get<Jsonata>(parsed).evaluate(scope, limits);
  if (!code.empty()) return got.kind == JsonataResult::Kind::kError && got.error.code == code;
  if (recorded.find("undefined") != nullptr) return got.kind == JsonataResult::Kind::kUndefined;
  if (got.kind == JsonataResult::Kind::kFunction) return *recorded.find("result") == Value("");
  if (got.kind != JsonataResult::Kind::kValue) return false;
  const Value& result = *recorded.find("result");
  return recorded.find("unordered") != nullptr ? same_bag(result, got.value)
                                               : close(result, got.value);
}

TEST(JsonataCorpus, NinetySevenOfAHundredAgree) {
  std::ifstream cases(kCases), datasets_file(kDatasets);
  if (!cases || !datasets_file) GTEST_SKIP() << "the recorded cases are not here: " << kCases;
  const Value datasets =
      *parse_json(std::string{std::istreambuf_iterator<char>(datasets_file), {}});
  int count = 0, agreed = 0;
  std::string differences;
  for (std::string line; std::getline(cases, line); ++count) {
    const Value recorded = *parse_json(line);
    if (agrees(recorded, datasets)) {
      ++agreed;
    } else {
      differences += "  " + recorded.find("id")->as_string() + "\n";
    }
  }
  std::cout << agreed << " of " << count << " recorded expressions agree; not:\n" << differences;
  EXPECT_GT(count, 0);
  EXPECT_GE(agreed * 100, count * 97);
}

}  // namespace
}  // namespace stepwell::expr
