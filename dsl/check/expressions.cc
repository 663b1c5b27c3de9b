// Paths, intrinsic calls, payload templates and the variables that they read.
#include <algorithm>
#include <cctype>

#include "dsl/check/rules.h"
#include "language/expr/expr.h"

namespace stepwell::dsl {

namespace {

constexpr std::size_t kLongestVariable = 80;

const std::vector<std::string> kIntrinsics = {
    "States.Array",          "States.ArrayContains", "States.ArrayGetItem", "States.ArrayLength",
    "States.ArrayPartition", "States.ArrayRange",    "States.ArrayUnique",  "States.Base64Decode",
    "States.Base64Encode",   "States.Format",        "States.Hash",         "States.JsonMerge",
    "States.JsonToString",   "States.MathAdd",       "States.MathRandom",   "States.StringSplit",
    "States.StringToJson",   "States.UUID"};

// In a flow mapping YAML ends a plain text at the first comma or bracket, so a call arrives cut
// off.
constexpr const char* kHintForCut =
    "a ) is missing; inside of { } and [ ] a text with a comma or a bracket needs quotes";

bool is_word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' ||
         (static_cast<unsigned char>(c) & 0x80) != 0;
}

void note_variable(Checking& check, const Spot& spot, const std::string& name) {
  const std::size_t at = spot.node.value.as_string().find("$" + name);
  Place place = check.document.within(spot.node, at == std::string::npos ? 0 : at);
  if (place.offset != spot.node.place.offset || at == 0) {
    place.length = characters_of(name) + 1;
  }
  check.variable_uses.push_back({name, place, spot.pointer, check.machine});
}

// The diagnostic, or nullptr when the path is good.
Diagnostic* report_path(Checking& check, const Spot& spot, const PathRule& rule) {
  const std::string& text = spot.node.value.as_string();
  auto parsed = expr::JsonPath::parse(text);
  if (const auto* wrong = std::get_if<expr::SyntaxError>(&parsed)) {
    return &check.findings.error("bad-path", check.document.within(spot.node, wrong->at),
                                 spot.pointer,
                                 json_quote(text) + " is not a valid path: " + wrong->message);
  }
  const auto& path = std::get<expr::JsonPath>(parsed);
  if (rule.must_be_reference && !path.is_reference()) {
    return &check.findings.error("not-a-reference", spot.node.place, spot.pointer,
                                 json_quote(text) + " does not name one place in the input",
                                 "only names and indexes may stand here: \"$.orders[0].total\"");
  }
  if (path.root() == expr::JsonPath::Root::kVariable) note_variable(check, spot, path.variable());
  check_context_fields(check, spot, Language::kJsonPath);
  return nullptr;
}

Diagnostic* report_intrinsic(Checking& check, const Spot& spot) {
  const std::string& text = spot.node.value.as_string();
  auto parsed = expr::Intrinsic::parse(text);
  if (const auto* call = std::get_if<expr::Intrinsic>(&parsed)) {
    std::vector<std::string> names;
    call->collect_variables(names);
    for (const std::string& name : names) note_variable(check, spot, name);
    check_context_fields(check, spot, Language::kJsonPath);
    check_argument_types(check, spot, *call);
    return nullptr;
  }
  const auto& wrong = std::get<expr::SyntaxError>(parsed);
  std::size_t end = wrong.at;
  while (end < text.size() && (is_word_character(text[end]) || text[end] == '.')) ++end;
  const std::string name = wrong.at < text.size() ? text.substr(wrong.at, end - wrong.at) : "";
  const bool is_call = end < text.size() && text[end] == '(' && !name.empty();
  if (is_call && std::find(kIntrinsics.begin(), kIntrinsics.end(), name) == kIntrinsics.end()) {
    Place place = check.document.within(spot.node, wrong.at);
    place.length = characters_of(name);
    return &check.findings.error("unknown-intrinsic", place, spot.pointer,
                                 "there is no intrinsic function " + name,
                                 did_you_mean(name, kIntrinsics));
  }
  return &check.findings.error("bad-intrinsic", check.document.within(spot.node, wrong.at),
                               spot.pointer, "not a valid intrinsic call: " + wrong.message,
                               wrong.at == text.size() ? kHintForCut : "");
}

Diagnostic& report_no_dollar(Checking& check, const Spot& spot, bool may_be_call) {
  const std::string& text = spot.node.value.as_string();
  const bool is_name = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_word_character(c) || c == '.' || c == '[' || c == ']' || c == '-';
  });
  return check.findings.error("path-without-dollar", spot.node.place, spot.pointer,
                              in_words(spot.node.value) + " is not a path" +
                                  (may_be_call ? " or an intrinsic call" : "") +
                                  ": a path begins with $",
                              is_name ? "write " + json_quote("$." + text) : "");
}

// A path or an intrinsic call; nullptr when it is good.
Diagnostic* report_expression(Checking& check, const Spot& spot) {
  const std::string& text = spot.node.value.as_string();
  if (text.starts_with("$")) return report_path(check, spot, {});
  const bool is_call = text.find('(') != std::string::npos || text.starts_with("States.");
  if (is_call) return report_intrinsic(check, spot);
  return &report_no_dollar(check, spot, true);
}

void check_computed(Checking& check, const Spot& object, const Member& member) {
  const Spot spot = object.under(member);
  const std::string plain_key = member.key.substr(0, member.key.size() - 2);
  if (object.node.find(plain_key) != nullptr) {
    check.findings.error(
        "template-conflict", member.key_place, spot.pointer,
        json_quote(member.key) + " and " + json_quote(plain_key) + " would become the same field",
        "keep one of them");
  }
  Diagnostic* diagnostic = nullptr;
  if (!spot.node.value.is_string()) {
    diagnostic = &check.findings.error(
        "wrong-type", spot.node.place, spot.pointer,
        json_quote(member.key) + " must hold a path or an intrinsic call, not " +
            in_words(spot.node.value),
        "a constant is written without .$: " + json_quote(plain_key));
  } else {
    diagnostic = report_expression(check, spot);
  }
  if (diagnostic == nullptr) return;
  in_aws_words(*diagnostic, {"",
                             "The value for the field '" + member.key +
                                 "' must be a valid JSONPath or a valid intrinsic function call",
                             object.pointer});
}

void check_payload(Checking& check, const Spot& spot) {
  for (std::size_t i = 0; i < spot.node.items.size(); ++i) check_payload(check, spot.at(i));
  for (const Member& member : spot.node.members) {
    if (member.key.ends_with(".$")) {
      check_computed(check, spot, member);
    } else {
      check_payload(check, spot.under(member));
    }
  }
  if (is_jsonata(spot.node.value)) {
    check.findings.warning("jsonata-in-jsonpath", spot.node.place, spot.pointer,
                           "this looks like JSONata, but here it is only a string",
                           "use a key that ends in .$ and a path, or QueryLanguage: JSONata");
  }
}

const Node& node_at(const Node& root, std::string_view pointer) {
  const Node* node = &root;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    const std::string token(pointer.substr(0, end));
    pointer.remove_prefix(end);
    const Node* next = nullptr;
    for (const Member& member : node->members) {
      if (below("", member.key) == "/" + token) next = member.node;
    }
    for (std::size_t i = 0; i < node->items.size(); ++i) {
      if (std::to_string(i) == token) next = node->items[i];
    }
    if (next == nullptr) return *node;
    node = next;
  }
  return *node;
}

// A machine sees its own variables and those of the machines around it.
bool is_within(const std::string& machine, const std::string& outer) {
  return (machine + "/").starts_with(outer + "/");
}

// An Assign inside of a Map or Parallel makes a variable of its own; the one of the same name
// outside keeps its value.
void report_shadows(Checking& check) {
  for (const auto& [name, list] : check.assigned) {
    for (const auto& inner : list) {
      if (check.findings.is_full()) return;
      const bool is_shadow = std::any_of(list.begin(), list.end(), [&](const auto& outer) {
        return outer.machine != inner.machine && is_within(inner.machine, outer.machine);
      });
      if (!is_shadow) continue;
      check.findings.warning("shadowed-variable", inner.place, inner.pointer,
                             "outside of this Map or Parallel, $" + name +
                                 " keeps its value; Step Functions refuses such a definition",
                             "what is assigned here is seen here only: give it another name, or "
                             "take it out with the output");
    }
  }
}

// $name(...) where no function has that name.  The hint of report_unassigned() would be wrong here:
// no variable can hold a function, so an Assign would not help.
void report_no_function(Checking& check, const Checking::VariableUse& use) {
  const std::string near = nearest(use.name, jsonata_functions());
  check.findings.warning(
      "unknown-function", use.place, use.pointer, "there is no function $" + use.name,
      near.empty() ? "there are those of JSONata, and AWS's: $partition, $range, $hash, $random, "
                     "$uuid, $parse"
                   : "did you mean " + json_quote("$" + near) + "?");
}

void report_unassigned(Checking& check, const Checking::VariableUse& use,
                       std::vector<std::string> names) {
  if (use.is_called) return report_no_function(check, use);
  if (use.is_jsonata) {
    const auto& functions = jsonata_functions();
    names.insert(names.end(), functions.begin(), functions.end());
  }
  std::string hint = did_you_mean(use.name, names);
  if (!hint.empty()) {
    // The name is nearly that of a variable or function.
  } else if (use.is_jsonata) {
    hint =
        "assign it with Assign, or write $states.input." + use.name + " for a field of the input";
  } else if (use.name == "states") {
    hint = "$states belongs to JSONata; the input is $, the context $$";
  } else {
    hint = "assign it with Assign, or write \"$." + use.name + "\" for a field of the input";
  }
  check.findings.warning("undefined-variable", use.place, use.pointer,
                         "no state assigns the variable $" + use.name, std::move(hint));
}

}  // namespace

void check_path(Checking& check, const Spot& spot, std::string_view field, PathRule rule) {
  if (rule.may_be_null && spot.node.value.is_null()) return;
  if (!spot.node.value.is_string() || is_jsonata(spot.node.value)) {
    wrong_type(check, spot, field,
               rule.may_be_null ? "a path in a string, or null" : "a path in a string");
    return;
  }
  const bool is_path = spot.node.value.as_string().starts_with("$");
  Diagnostic* diagnostic =
      is_path ? report_path(check, spot, rule) : &report_no_dollar(check, spot, false);
  if (diagnostic == nullptr) return;
  in_aws_words(*diagnostic, {"",
                             rule.must_be_reference ? "Value is not a Reference Path"
                                                    : "Value is not a valid JSONPath",
                             spot.pointer});
}

void check_path_or_intrinsic(Checking& check, const Spot& spot, std::string_view field) {
  if (!spot.node.value.is_string() || is_jsonata(spot.node.value)) {
    wrong_type(check, spot, field, "a path or an intrinsic call in a string");
    return;
  }
  report_expression(check, spot);
}

void check_template(Checking& check, const Spot& spot) {
  const bool had_errors = check.findings.has_errors();
  check_payload(check, spot);
  if (check.findings.has_errors() != had_errors || had_errors) return;
  // The rules above explain the usual mistakes; here the parser reports any other.
  auto parsed = expr::Template::parse_jsonpath(spot.node.value);
  const auto* errors = std::get_if<std::vector<expr::TemplateError>>(&parsed);
  if (errors == nullptr) return;
  for (const expr::TemplateError& error : *errors) {
    check.findings.error("bad-template", node_at(spot.node, error.pointer).place,
                         spot.pointer + error.pointer, error.message);
  }
}

void check_assign(Checking& check, const Spot& spot, Language language, const JsonataRule& rule) {
  if (!is_object(check, spot, "Assign")) return;
  for (const Member& member : spot.node.members) {
    std::string name = member.key;
    if (language == Language::kJsonPath && name.ends_with(".$")) name.resize(name.size() - 2);
    const bool is_name = !name.empty() && count_characters(name) <= kLongestVariable &&
                         name != "states" && !std::isdigit(static_cast<unsigned char>(name[0])) &&
                         std::all_of(name.begin(), name.end(), is_word_character);
    if (!is_name) {
      const bool has_dollar = name.starts_with("$");
      check.findings.error("bad-variable", member.key_place, below(spot.pointer, member.key),
                           json_quote(name) + " cannot be the name of a variable",
                           has_dollar         ? "write the name without $"
                           : name == "states" ? "$states is taken by JSONata"
                                              : "letters, digits and _ only, no digit first");
    }
    if (!is_name) continue;
    check.assigned[std::move(name)].push_back(
        {check.machine, member.key_place, below(spot.pointer, member.key)});
  }
  if (language == Language::kJsonPath) {
    check_template(check, spot);
  } else {
    check_jsonata(check, spot, "Assign", rule);
  }
}

void check_variable_uses(Checking& check) {
  std::vector<std::string> names;
  for (const auto& [name, list] : check.assigned) names.push_back(name);
  report_shadows(check);
  for (const auto& use : check.variable_uses) {
    if (check.findings.is_full()) return;
    const auto found = check.assigned.find(use.name);
    if (found == check.assigned.end()) {
      report_unassigned(check, use, names);
      continue;
    }
    const auto& list = found->second;
    const bool is_seen = std::any_of(list.begin(), list.end(), [&](const auto& assignment) {
      return is_within(use.machine, assignment.machine);
    });
    if (is_seen) continue;
    check.findings.warning("variable-out-of-sight", use.place, use.pointer,
                           "the variable $" + use.name +
                               " is assigned inside of a Map or Parallel, and is not seen here",
                           "what leaves a Map or Parallel is its output");
  }
}

}  // namespace stepwell::dsl
