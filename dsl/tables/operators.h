// The comparisons of a Choice in JSONPath ("NumericLessThan"), each with the type of its operand
// and, where there is one, its "...Path" form.
//
// Who reads it: check (operands, did-you-mean), compile (the Comparison), authoring/convert (the
// same test in JSONata), authoring/editor.  Rows are only added, as in objects.h.
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

// Nothing when no comparison has that name.
std::optional<ComparisonField> comparison_named(std::string_view name);
// Of both forms.
const std::vector<std::string>& comparison_names();

}  // namespace stepwell::dsl
