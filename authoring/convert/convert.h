// convert — a workflow from one form to another: YAML and JSON, JSONPath and JSONata.
//
// YAML and JSON hold the same values; comments are kept where the target has a place for them.
//
// A state is converted from JSONPath to JSONata when the result is exact: for every input that the
// old state accepts, the new one gives the same output, variables and task input.  (Where the old
// state fails with States.Runtime, the new one fails with States.QueryEvaluationError, or succeeds,
// because JSONata looks into lists where JSONPath refuses.)  A state for which no exact counterpart
// is known stays as it is, and the reason is reported as an Obstacle.
// Pure, no state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/value.h"

namespace stepwell::dsl {

struct Rewritten {
  std::string text;
  std::size_t comments_lost = 0;
};

// kInvalid when `text` is not a document that reads without errors.
Result<Rewritten> to_yaml_text(std::string_view text, const std::string& file);
// A comment before a state, or at the top of the file, becomes the Comment of that state or of the
// workflow when it has none.
Result<Rewritten> to_json_text(std::string_view text, const std::string& file);

// What keeps a state from being converted.
struct Obstacle {
  std::string state, field;  // "Charge", "Parameters/total.$"
  std::string pointer;
  std::uint32_t line = 0, column = 0;
  std::string reason;
};

struct JsonataOptions {
  std::string file = "workflow.yaml";
  std::string state;  // Only this one; empty: all.
  // Assume that what is put into texts and lists is a string, a whole number, true or false, as it
  // nearly always is.  Then States.Format and similar calls are converted, too.
  bool assume_plain = false;
};

struct Converted {
  std::string text;
  std::vector<std::string> converted;  // Names of states.
  std::vector<std::string>
      as_it_was;  // Nothing to do: the same in both languages, or JSONata already.
  std::vector<Obstacle> obstacles;  // By line.
  bool is_whole = false;            // The workflow now has QueryLanguage: JSONata.
  std::size_t comments_lost = 0;
};

// kNotFound: no state has that name.
Result<Converted> to_jsonata(std::string_view text, const JsonataOptions& options);

// The same for a definition that is given as a value.
Value to_jsonata(const Value& definition, const JsonataOptions& options,
                 std::vector<std::string>& converted, std::vector<std::string>& as_it_was,
                 std::vector<Obstacle>& obstacles);

}  // namespace stepwell::dsl
