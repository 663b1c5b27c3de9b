// JSONata expressions: "{% ... %}" in a string, and what each place lets them read.
#include <algorithm>
#include <array>
#include <cctype>

#include "dsl/check/rules.h"
#include "dsl/tables/operators.h"

namespace stepwell::dsl {

namespace {

using expr::StaticType;

constexpr const char* kUnsupported = "UNSUPPORTED_JSONATA_EXPRESSION";

// The functions that expressions may call: for did-you-mean, and so that "$sum" is not taken for a
// variable that some state has to assign.
const std::vector<std::string> kFunctions = {"abs",
                                             "append",
                                             "assert",
                                             "average",
                                             "base64decode",
                                             "base64encode",
                                             "boolean",
                                             "ceil",
                                             "clone",
                                             "contains",
                                             "count",
                                             "decodeUrl",
                                             "decodeUrlComponent",
                                             "distinct",
                                             "each",
                                             "encodeUrl",
                                             "encodeUrlComponent",
                                             "error",
                                             "exists",
                                             "filter",
                                             "floor",
                                             "formatBase",
                                             "formatInteger",
                                             "formatNumber",
                                             "fromMillis",
                                             "hash",
                                             "join",
                                             "keys",
                                             "length",
                                             "lookup",
                                             "lowercase",
                                             "map",
                                             "match",
                                             "max",
                                             "merge",
                                             "millis",
                                             "min",
                                             "not",
                                             "now",
                                             "number",
                                             "pad",
                                             "parse",
                                             "parseInteger",
                                             "partition",
                                             "power",
                                             "random",
                                             "range",
                                             "reduce",
                                             "replace",
                                             "reverse",
                                             "round",
                                             "shuffle",
                                             "sift",
                                             "single",
                                             "sort",
                                             "split",
                                             "spread",
                                             "sqrt",
                                             "string",
                                             "substring",
                                             "substringAfter",
                                             "substringBefore",
                                             "sum",
                                             "toMillis",
                                             "trim",
                                             "type",
                                             "uppercase",
                                             "uuid",
                                             "zip"};

bool is_function(const std::string& name) {
  return std::find(kFunctions.begin(), kFunctions.end(), name) != kFunctions.end();
}

std::string_view in_words(StaticType type) {
  switch (type) {
    case StaticType::kAny: break;
    case StaticType::kNull: return "null";
    case StaticType::kBool: return "true or false";
    case StaticType::kNumber: return "a number";
    case StaticType::kString: return "a string";
    case StaticType::kArray: return "an array";
    case StaticType::kObject: return "an object";
    case StaticType::kFunction: return "a function";
  }
  return "anything";
}

// The place of `word` ("$name") in the string; the place of the string when it cannot be found.
Place place_of(Checking& check, const Node& node, const std::string& word) {
  const std::size_t at = node.value.as_string().find(word);
  if (at == std::string::npos) return node.place;
  Place place = check.document.within(node, at);
  if (place.offset != node.place.offset) place.length = characters_of(word);
  return place;
}

// "$states.result" exists only in Output and Assign, "$states.errorOutput" only in a catcher.
void check_states_field(Checking& check, const Spot& spot, const std::string& field,
                        const JsonataRule& rule) {
  const std::string name = "$states." + field;
  const bool is_here = field == "input" || field == "context" ||
                       (field == "result" && rule.has_result) ||
                       (field == "errorOutput" && rule.has_error_output);
  if (is_here) return;
  const bool is_field = field == "result" || field == "errorOutput";
  const std::string hint =
      field == "result" ? "only Output and Assign of a Task, a Parallel or a Map see a result"
      : is_field        ? "only Output and Assign of a catcher see an error"
                        : did_you_mean(field, {"input", "result", "errorOutput", "context"});
  in_aws_words(check.findings.error("not-in-sight", place_of(check, spot.node, name), spot.pointer,
                                    "there is no " + name + (is_field ? " here" : ""), hint),
               {kUnsupported,
                is_field ? "Field '" + name + "' does not exist."
                         : "Unknown reserved states field: " + field,
                spot.pointer});
}

bool is_name_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' ||
         (static_cast<unsigned char>(c) & 0x80) != 0;
}

// The first name without $ in an expression ("total" of "total + 1"), or "".
std::string bare_name(std::string_view text) {
  const std::vector<std::string_view> words = {"and",   "or",   "in",      "true",
                                               "false", "null", "function"};
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quote != 0) {
      if (text[i] == quote) quote = 0;
      continue;
    }
    if (text[i] == '"' || text[i] == '\'') quote = text[i];
    const bool begins =
        is_name_character(text[i]) && !std::isdigit(static_cast<unsigned char>(text[i]));
    if (!begins && !std::isdigit(static_cast<unsigned char>(text[i]))) continue;
    std::size_t end = i;
    while (end < text.size() && is_name_character(text[end])) ++end;
    const std::string_view word = text.substr(i, end - i);
    const char before = i == 0 ? ' ' : text[i - 1];
    if (begins && before != '$' && before != '.' &&
        std::find(words.begin(), words.end(), word) == words.end()) {
      return std::string(word);
    }
    i = end - 1;
  }
  return {};
}

// A name without $ reads the context of the expression.  At the top there is none: the state's
// input is $states.input, and AWS refuses the rest.
void report_no_input(Checking& check, const Spot& spot, std::string_view text) {
  const bool is_root = text.find("$$") != std::string_view::npos;
  const std::string name = is_root ? "$$" : bare_name(text);
  const std::string hint = "the state's input is $states.input";
  if (name.empty()) {
    check.findings.warning("no-input-here", spot.node.place, spot.pointer,
                           "$ means nothing at the top of an expression", hint);
    return;
  }
  in_aws_words(
      check.findings.error("no-input-here", place_of(check, spot.node, name), spot.pointer,
                           json_quote(name) + " means nothing at the top of an expression", hint),
      {kUnsupported,
       "Reference to '" + name +
           (is_root ? "' is not supported." : "' at the top level is not supported."),
       spot.pointer});
}

// Does "$name(" or "$name (" stand anywhere in the text?
bool is_called(std::string_view text, const std::string& name) {
  const std::string word = "$" + name;
  for (std::size_t at = 0; (at = text.find(word, at)) != std::string_view::npos;) {
    at += word.size();
    const std::size_t next = text.find_first_not_of(" \t\r\n", at);
    if (next != std::string_view::npos && text[next] == '(') return true;
  }
  return false;
}

void check_reads(Checking& check, const Spot& spot, const expr::Jsonata& jsonata,
                 const JsonataRule& rule) {
  const expr::JsonataReads& reads = jsonata.reads();
  for (const std::string& field : reads.states_fields) {
    check_states_field(check, spot, field, rule);
  }
  for (const std::string& name : reads.variables) {
    if (is_function(name)) continue;
    check.variable_uses.push_back({name, place_of(check, spot.node, "$" + name), spot.pointer,
                                   check.machine, true, is_called(jsonata.text(), name)});
  }
  if (reads.top_level_input) report_no_input(check, spot, jsonata.text());
  check_context_fields(check, spot, Language::kJsonata);
}

void check_type(Checking& check, const Spot& spot, std::string_view field,
                const expr::Jsonata& jsonata, StaticType wanted, bool or_object) {
  const StaticType type = jsonata.static_type();
  const bool fits = type == StaticType::kAny || type == wanted || wanted == StaticType::kAny ||
                    (or_object && type == StaticType::kObject);
  if (type == StaticType::kFunction) {
    check.findings.warning("never-fits", spot.node.place, spot.pointer,
                           "this is always a function, and a function is not a value",
                           "call it: $f()");
  } else if (!fits) {
    check.findings.warning("never-fits", spot.node.place, spot.pointer,
                           json_quote(field) + " needs " + std::string(in_words(wanted)) +
                               ", and this is always " + std::string(in_words(type)));
  }
}

// An expression that reads nothing comes out the same each time, so it is evaluated here.  Only
// errors of types are reported: an author who calls $error or $assert wants it to fail.
void try_constant(Checking& check, const Spot& spot, std::size_t skipped,
                  const expr::Jsonata& jsonata) {
  const expr::JsonataReads& reads = jsonata.reads();
  const std::string& text = jsonata.text();
  const bool is_constant = reads.variables.empty() && reads.states_fields.empty() &&
                           !reads.whole_states && !reads.top_level_input &&
                           text.find("$random") == std::string::npos &&
                           text.find("$uuid") == std::string::npos;
  if (!is_constant) return;
  const expr::JsonataLimits limits{10'000, 100, 65'536};
  const expr::JsonataResult result = jsonata.evaluate({}, limits);
  if (result.kind != expr::JsonataResult::Kind::kError) return;
  if (!result.error.code.starts_with("T")) return;
  check.findings.warning(
      "always-fails", check.document.within(spot.node, skipped + result.error.at), spot.pointer,
      "this always fails: " + result.error.message + " (" + result.error.code + ")");
}

// `wanted` is kAny unless the expression is the whole value of the field.
void check_expression(Checking& check, const Spot& spot, std::string_view field,
                      const JsonataRule& rule, StaticType wanted) {
  const std::string& text = spot.node.value.as_string();
  std::string_view inner;
  expr::is_jsonata(text, &inner);
  const auto skipped = static_cast<std::size_t>(inner.data() - text.data());
  auto parsed = expr::Jsonata::parse(inner);
  if (const auto* wrong = std::get_if<expr::JsonataError>(&parsed)) {
    in_aws_words(check.findings.error(
                     "bad-jsonata", check.document.within(spot.node, skipped + wrong->at),
                     spot.pointer, wrong->message + " (" + wrong->code + ")", rule.hint_for(inner)),
                 {"INVALID_JSONATA_EXPRESSION", wrong->message, spot.pointer});
    return;
  }
  const auto& jsonata = std::get<expr::Jsonata>(parsed);
  check_reads(check, spot, jsonata, rule);
  check_type(check, spot, field, jsonata, wanted, rule.or_object);
  try_constant(check, spot, skipped, jsonata);
}

// "{% a", "a %}", " {% a %} ": meant as an expression, but only a string.
void check_delimiters(Checking& check, const Spot& spot) {
  const std::string& text = spot.node.value.as_string();
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return;
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  const std::string_view trimmed = std::string_view(text).substr(first, last - first + 1);
  if (!trimmed.starts_with("{%") && !trimmed.ends_with("%}")) return;
  const bool is_block = trimmed.starts_with("{%") && trimmed.ends_with("%}") && first == 0 &&
                        text.find_first_not_of('\n', last + 1) == std::string::npos;
  check.findings.warning("jsonata-delimiters", spot.node.place, spot.pointer,
                         "this is only a string: an expression begins with {% and ends with %}",
                         is_block
                             ? "a line break follows: in YAML, >- and |- leave none behind"
                             : "nothing may stand in front of {% or behind %}, no blank either");
}

void check_parts(Checking& check, const Spot& spot, std::string_view field, const JsonataRule& rule,
                 StaticType wanted) {
  for (std::size_t i = 0; i < spot.node.items.size(); ++i) {
    check_parts(check, spot.at(i), field, rule, StaticType::kAny);
  }
  for (const Member& member : spot.node.members) {
    if (member.key.ends_with(".$")) {
      check.findings.warning("jsonpath-in-jsonata", member.key_place,
                             below(spot.pointer, member.key),
                             "in JSONata a key that ends in .$ is only a key",
                             "write " + json_quote(member.key.substr(0, member.key.size() - 2)) +
                                 " and \"{% ... %}\"");
    }
    check_parts(check, spot.under(member), field, rule, StaticType::kAny);
  }
  if (!spot.node.value.is_string()) return;
  if (expr::is_jsonata(spot.node.value.as_string())) {
    check_expression(check, spot, field, rule, wanted);
  } else {
    check_delimiters(check, spot);
  }
}

}  // namespace

// A hint for signs that other languages have and JSONata does not ("==", "&&").
std::string JsonataRule::hint_for(std::string_view text) const {
  const std::array<std::pair<std::string_view, std::string_view>, 4> habits{{
      {"==", "equality is one =: $a = 1"},
      {"&&", "JSONata says `and`"},
      {"||", "JSONata says `or`"},
      {"$.", "the input is $states.input; a path is written $states.input.name"},
  }};
  for (const auto& [sign, hint] : habits) {
    if (text.find(sign) != std::string_view::npos) return std::string(hint);
  }
  return {};
}

void check_jsonata(Checking& check, const Spot& spot, std::string_view field,
                   const JsonataRule& rule) {
  check_parts(check, spot, field, rule, rule.wanted);
}

bool is_expression(Checking& check, const Spot& spot, std::string_view field, Language language,
                   StaticType wanted) {
  if (language != Language::kJsonata || !is_jsonata(spot.node.value)) return false;
  JsonataRule rule;
  rule.wanted = wanted;
  check_jsonata(check, spot, field, rule);
  return true;
}

std::string instead_of(std::string_view field, Language language) {
  const bool is_test = field == "Variable" || field == "And" || field == "Or" || field == "Not" ||
                       comparison_named(field).has_value();
  if (language == Language::kJsonata) {
    if (is_test) return "JSONata says it in one: Condition: \"{% $states.input.n > 1 %}\"";
    if (field == "ResultPath") return "in JSONata use \"Output\" with \"{% ... %}\"";
    return {};
  }
  if (field == "Condition") return "in JSONPath use \"Variable\" with a comparison";
  if (field == "Output") return "it belongs to JSONata; in JSONPath a catcher has \"ResultPath\"";
  return {};
}

const std::vector<std::string>& jsonata_functions() { return kFunctions; }

}  // namespace stepwell::dsl
