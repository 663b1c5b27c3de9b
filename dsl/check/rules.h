// The rules, one function each, and what they share.  Private to dsl/check/.
//
// Each section below is a file, and says what its rules are about.  They read the text as it is
// written.  What can only be seen in the built program (flow, groups, missing_default,
// unreachable_names, unused, unused_result, and a part of types) is in advice.h.  The code of a
// diagnostic (docs/dsl/diagnostics.md), searched for in this folder, leads to its rule.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dsl/check/check.h"
#include "dsl/tables/fields.h"
#include "dsl/tables/objects.h"
#include "dsl/yaml/node_builder.h"
#include "language/expr/expr.h"

namespace stepwell::dsl {

struct ResourceName;

// A node, and its JSON pointer.
struct Spot {
  const Node& node;
  std::string pointer;

  Spot under(const Member& member) const { return {*member.node, below(pointer, member.key)}; }
  Spot at(std::size_t i) const { return {*node.items[i], below(pointer, std::to_string(i))}; }
};

// What the rules share while one workflow is walked.  Not thread-safe: one per check.
struct Checking {
  const Document& document;
  const CompileOptions& options;
  Findings& findings;
  // Uses of variables are collected, and checked at the end: the state that assigns a variable may
  // stand behind the one that reads it.
  struct VariableUse {
    std::string name;
    Place place;
    std::string pointer;
    std::string machine;  // Pointer of the machine that reads it.
    bool is_jsonata = false;
    bool is_called = false;  // $name(...)
  };
  std::vector<VariableUse> variable_uses = {};
  struct Assignment {
    std::string machine;  // Pointer of the machine that assigns it.
    Place place;
    std::string pointer;
  };
  std::map<std::string, std::vector<Assignment>, std::less<>> assigned = {};  // By name.
  std::string machine = {};                 // Pointer of the machine that is being walked.
  Language language = Language::kJsonPath;  // Of the state that is being checked.
  std::map<std::string, Place, std::less<>> state_names = {};  // Of all machines, by name.
};

// ---- values.cc: types, bounds and words of a field; unknown and missing fields --------------
// Each returns true when the value is good; otherwise it reports an error and returns false.
bool is_text(Checking& check, const Spot& spot, std::string_view field);
bool is_object(Checking& check, const Spot& spot, std::string_view field);
// An item of a list that must be an object; `what` is "a retrier": "a retrier must be an object".
bool is_item(Checking& check, const Spot& spot, const std::string& what);
bool is_filled_array(Checking& check, const Spot& spot, std::string_view field);
bool is_number(Checking& check, const Spot& spot, std::string_view field, double least, double most,
               bool is_whole);
bool is_timestamp(Checking& check, const Spot& spot, std::string_view field);
// One of words_in(field).
bool is_word(Checking& check, const Spot& spot, std::string_view field);
// The value in a message: the string "ten", the number 12, an object.
std::string in_words(const Value& value);
// ${Name}, for which nothing was given, in a field that cannot hold it; empty when there is none.
std::string unset_substitution(const Value& value);
Diagnostic& report_unset(Checking& check, const Spot& spot, const std::string& name);
// `"Seconds" must be <wanted>, not <what is there>`
Diagnostic& wrong_type(Checking& check, const Spot& spot, std::string_view field,
                       std::string_view wanted);
// Reports members that are neither in fields_in(kind, check.language) nor free.
void check_members(Checking& check, const Spot& object, ObjectKind kind, const std::string& whose);
// Reports the fields of `required` that `object` does not have.  A field that is there under a
// misspelt name is not reported again: the unknown name was.
void check_required(Checking& check, const Spot& object, const Place& place,
                    const std::vector<std::string>& required, const std::string& whose,
                    std::string hint = {});
// Has the object a member whose name is unknown and nearly that of one of `fields`?
bool is_misspelt(const Node& object, const std::vector<std::string>& fields);
// `did you mean "X"?`, or "" when no candidate is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);
// Is the value a string of the form "{% ... %}"?
bool is_jsonata(const Value& value);

// ---- expressions.cc: paths, intrinsic calls, templates, and the variables that they read ----
struct PathRule {
  bool may_be_null = false;
  bool must_be_reference = false;
};
void check_path(Checking& check, const Spot& spot, std::string_view field, PathRule rule = {});
void check_path_or_intrinsic(Checking& check, const Spot& spot, std::string_view field);
void check_template(Checking& check, const Spot& spot);
// What the expressions in one place may read, and the type that they must come to.
struct JsonataRule {
  bool has_result = false;
  bool has_error_output = false;
  expr::StaticType wanted = expr::StaticType::kAny;  // Of the field as a whole.
  bool or_object = false;                            // An object will do as well.

  std::string hint_for(std::string_view text) const;
};
void check_assign(Checking& check, const Spot& spot, Language language,
                  const JsonataRule& rule = {});
void check_variable_uses(Checking& check);

// ---- jsonata.cc: "{% ... %}", and what each place lets it read -----------------------------
// Checks every "{% ... %}" in `spot`.
void check_jsonata(Checking& check, const Spot& spot, std::string_view field,
                   const JsonataRule& rule);
// For a field that may hold a constant or an expression: true when it is an expression, which is
// then checked.
bool is_expression(Checking& check, const Spot& spot, std::string_view field, Language language,
                   expr::StaticType wanted);
const std::vector<std::string>& jsonata_functions();
// A hint for a field of a rule or catcher that only the other language has; "" for any other field.
std::string instead_of(std::string_view field, Language language);

// ---- types.cc: values of a type that can never be right ------------------------------------
void check_argument_types(Checking& check, const Spot& spot, const expr::Intrinsic& intrinsic);
// For a field that holds a path or a call, and needs a value of one type.
void check_path_type(Checking& check, const Spot& spot, std::string_view field);

// ---- errors.cc: Retry and Catch -------------------------------------------------------------
void check_retry(Checking& check, const Spot& spot);
void check_catch(Checking& check, const Spot& spot, Language language);

// ---- choice.cc: comparisons in JSONPath, conditions in JSONata ------------------------------
void check_choices(Checking& check, const Spot& spot, Language language);

// ---- state.cc: which fields a state has, and what its kind needs ----------------------------
void check_state(Checking& check, const Spot& spot, const std::string& name, const Place& place,
                 Language machine_language);
void check_resource(Checking& check, const Spot& spot);

// ---- map.cc: what only a Map has -------------------------------------------------------------
void check_map(Checking& check, const Spot& state);
void check_item_reader(Checking& check, const Spot& spot, Language language);
void check_item_batcher(Checking& check, const Spot& spot, Language language);
void check_result_writer(Checking& check, const Spot& spot, Language language);

// ---- not_yet.cc: what this version cannot run ------------------------------------------------
void warn_of_map_not_yet(Checking& check, const Spot& state);
void warn_of_resource_not_yet(Checking& check, const Spot& spot, const std::string& resource,
                              const ResourceName& name);
void warn_of_token_not_yet(Checking& check, const Spot& spot, const Place& place);

// ---- context_fields.cc: fields of the context object -----------------------------------------
// Of the paths, or of the expression, in a string.
void check_context_fields(Checking& check, const Spot& spot, Language language);

// ---- machine.cc: names of states, and the transitions between them --------------------------
// `role`: kWorkflow, kBranch or kProcessor.
void check_machine(Checking& check, const Spot& spot, ObjectKind role, Language language);

// ---- extensions.cc: what plain ASL does not have ----------------------------------------------
void check_input_schema(Checking& check, const Spot& workflow);
void check_groups(Checking& check, const Spot& machine, Language language);
void check_retry_after(Checking& check, const Spot& retrier);
void check_tolerance(Checking& check, const Spot& map, bool is_distributed);

// ---- language.cc: JSONPath or JSONata -------------------------------------------------------
// The language of a state or workflow: its QueryLanguage, else `outer`.
Language language_of(Checking& check, const Spot& spot, Language outer, bool is_workflow);

}  // namespace stepwell::dsl
