// The comparisons of a Choice, each in its two forms.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "language/program/program.h"

namespace stepwell::dsl {

enum class Operand { kText, kNumber, kTruth, kTimestamp };

struct ComparisonField {
  Comparison comparison;
  Operand operand;
  bool is_path = false;  // "...Path": the operand is looked up.
};

std::optional<ComparisonField> comparison_named(std::string_view name);
const std::vector<std::string>& comparison_names();

}  // namespace stepwell::dsl
