#include "dsl/tables/operators.h"

namespace stepwell::dsl {

namespace {

struct Row {
  std::string_view name;
  Comparison comparison;
  Operand operand;
  bool has_path_form;
};
constexpr Row kRows[] = {
    {"StringEquals", Comparison::kStringEquals, Operand::kText, true},
    {"StringLessThan", Comparison::kStringLessThan, Operand::kText, true},
    {"StringGreaterThan", Comparison::kStringGreaterThan, Operand::kText, true},
    {"StringLessThanEquals", Comparison::kStringLessThanEquals, Operand::kText, true},
    {"StringGreaterThanEquals", Comparison::kStringGreaterThanEquals, Operand::kText, true},
    {"StringMatches", Comparison::kStringMatches, Operand::kText, false},
    {"NumericEquals", Comparison::kNumericEquals, Operand::kNumber, true},
    {"NumericLessThan", Comparison::kNumericLessThan, Operand::kNumber, true},
    {"NumericGreaterThan", Comparison::kNumericGreaterThan, Operand::kNumber, true},
    {"NumericLessThanEquals", Comparison::kNumericLessThanEquals, Operand::kNumber, true},
    {"NumericGreaterThanEquals", Comparison::kNumericGreaterThanEquals, Operand::kNumber, true},
    {"BooleanEquals", Comparison::kBooleanEquals, Operand::kTruth, true},
    {"TimestampEquals", Comparison::kTimestampEquals, Operand::kTimestamp, true},
    {"TimestampLessThan", Comparison::kTimestampLessThan, Operand::kTimestamp, true},
    {"TimestampGreaterThan", Comparison::kTimestampGreaterThan, Operand::kTimestamp, true},
    {"TimestampLessThanEquals", Comparison::kTimestampLessThanEquals, Operand::kTimestamp, true},
    {"TimestampGreaterThanEquals", Comparison::kTimestampGreaterThanEquals, Operand::kTimestamp,
     true},
    {"IsNull", Comparison::kIsNull, Operand::kTruth, false},
    {"IsPresent", Comparison::kIsPresent, Operand::kTruth, false},
    {"IsNumeric", Comparison::kIsNumeric, Operand::kTruth, false},
    {"IsString", Comparison::kIsString, Operand::kTruth, false},
    {"IsBoolean", Comparison::kIsBoolean, Operand::kTruth, false},
    {"IsTimestamp", Comparison::kIsTimestamp, Operand::kTruth, false},
};

}  // namespace

std::optional<ComparisonField> comparison_named(std::string_view name) {
  for (const Row& row : kRows) {
    if (!name.starts_with(row.name)) continue;
    if (name.size() == row.name.size()) return ComparisonField{row.comparison, row.operand, false};
    if (row.has_path_form && name.substr(row.name.size()) == "Path") {
      return ComparisonField{row.comparison, row.operand, true};
    }
  }
  return std::nullopt;
}

const std::vector<std::string>& comparison_names() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> list;
    for (const Row& row : kRows) {
      list.emplace_back(row.name);
      if (row.has_path_form) list.push_back(std::string(row.name) + "Path");
    }
    return list;
  }();
  return kNames;
}

}  // namespace stepwell::dsl
