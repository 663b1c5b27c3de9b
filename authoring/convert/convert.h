// convert — a workflow from one form to another: YAML and JSON, JSONPath and JSONata.
//
// YAML and JSON hold the same values; comments go along where the target has a place for them.
//
// JSONPath becomes JSONata where that is exact: whatever input the old state takes, the new one
// gives the same output, variables and task input for it.  (What the old state fails with
// States.Runtime the new one fails with States.QueryEvaluationError, or takes: JSONata looks into
// lists where JSONPath refuses.)  Where it is not, the state stays as it is, and it is said why.
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

// `text` is a document that reads without errors, or kInvalid.
Result<Rewritten> to_yaml_text(std::string_view text, const std::string& file);
// A comment in front of a state, or on top of all, becomes its Comment when it has none.
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
  // Take what is put into texts and lists for strings, whole numbers, true or false, as it mostly
  // is.  Then States.Format and its like convert, too.
  bool assume_plain = false;
};

struct Converted {
  std::string text;
  std::vector<std::string> converted;  // Names of states.
  std::vector<std::string> as_it_was;  // The same in both languages, or JSONata already.
  std::vector<Obstacle> obstacles;     // By line.
  bool is_whole = false;               // QueryLanguage: JSONata stands on top now.
  std::size_t comments_lost = 0;
};

// kNotFound: no state has that name.
Result<Converted> to_jsonata(std::string_view text, const JsonataOptions& options);

// The same on a value, for those who have no text.
Value to_jsonata(const Value& definition, const JsonataOptions& options,
                 std::vector<std::string>& converted, std::vector<std::string>& as_it_was,
                 std::vector<Obstacle>& obstacles);

}  // namespace stepwell::dsl
