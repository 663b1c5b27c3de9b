#include "authoring/convert/calls.h"

#include <algorithm>

#include "language/expr/intrinsic.h"

namespace stepwell::dsl {

namespace {

struct Argument {
  Formula formula;
  Value literal;  // Of a literal; else null.
  bool is_literal = false;
};

std::string quoted(const std::string& text) { return json_quote(text); }

// Is it a string, a whole number, true or false?  Both languages write these in the same way.
bool is_plain(const Formula& formula, const Dialect& dialect) {
  return formula.known == Known::kText || formula.known == Known::kWhole ||
         formula.known == Known::kTruth ||
         (formula.known == Known::kNothing && dialect.assume_plain);
}

constexpr const char* kAssumption = "; --assume-plain rules that out";
constexpr const char* kAlwaysFails = "this call always fails";
constexpr std::int64_t kMostInRange = 1'000;  // Of States.ArrayRange; $range has no such limit.

Attempt<Formula> format(const std::vector<Argument>& arguments, const Dialect& dialect) {
  if (!arguments[0].is_literal || !arguments[0].literal.is_string()) {
    return Refusal{"the pattern of States.Format is not written here"};
  }
  const std::string& pattern = arguments[0].literal.as_string();
  std::vector<std::string> pieces;
  std::string text;
  std::size_t next = 1;
  const auto flush = [&] {
    if (!text.empty()) pieces.push_back(quoted(std::exchange(text, {})));
  };
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const bool is_escape = pattern[i] == '\\' && i + 1 < pattern.size() &&
                           std::string_view("{}\\'").find(pattern[i + 1]) != std::string_view::npos;
    if (is_escape) {
      text += pattern[++i];
    } else if (pattern.compare(i, 2, "{}") != 0) {
      if (pattern[i] == '{' || pattern[i] == '}') return Refusal{kAlwaysFails};
      text += pattern[i];
    } else {
      if (next >= arguments.size()) return Refusal{"it has more {} than arguments"};
      const Formula& formula = arguments[next].formula;
      if (!is_plain(formula, dialect)) {
        return Refusal{
            "States.Format writes lists, objects and fractions in another way than "
            "JSONata, and " +
            formula.text + " may be one" + kAssumption};
      }
      flush();
      pieces.push_back(formula.operand());
      ++next;
      ++i;
    }
  }
  if (next != arguments.size()) return Refusal{"it has fewer {} than arguments"};
  flush();
  if (pieces.empty()) return Formula{"\"\"", Known::kText};
  // & makes a string of two pieces; a single piece is joined with "" to become one.
  if (pieces.size() == 1) pieces.insert(pieces.begin(), "\"\"");
  std::string joined;
  for (const std::string& piece : pieces) joined += (joined.empty() ? "" : " & ") + piece;
  return Formula{joined, Known::kText};
}

Attempt<Formula> list_of(const std::vector<Argument>& arguments, const Dialect& dialect) {
  std::string text;
  for (const Argument& argument : arguments) {
    const Known known = argument.formula.known;
    const bool is_null = argument.is_literal && argument.literal.is_null();
    if (known == Known::kList) return Refusal{"JSONata joins a list in a list to one"};
    if (!is_null && known != Known::kObject && !is_plain(argument.formula, dialect)) {
      return Refusal{"JSONata joins lists in a list to one, and " + argument.formula.text +
                     " may be a list" + kAssumption};
    }
    text += (text.empty() ? "" : ", ") + argument.formula.text;
  }
  return Formula{"[" + text + "]", Known::kList};
}

// States.MathAdd rounds its arguments half up.
std::string rounded(const Formula& formula) {
  if (formula.known == Known::kWhole) return formula.operand();
  return "$floor(" + formula.text + " + 0.5)";
}

Attempt<Formula> math_add(const std::vector<Argument>& arguments, const Dialect& dialect) {
  std::string sum;
  for (const Argument& argument : arguments) {
    const bool is_plain_number = dialect.assume_plain && argument.formula.known == Known::kNothing;
    const std::string part =
        is_plain_number ? argument.formula.operand() : rounded(argument.formula);
    sum += (sum.empty() ? "" : " + ") + part;
  }
  return Formula{sum, Known::kWhole};
}

Attempt<Formula> range(const std::vector<Argument>& arguments, const Dialect& dialect) {
  std::string text;
  for (const Argument& argument : arguments) {
    const bool is_plain_number = dialect.assume_plain && argument.formula.known == Known::kNothing;
    const std::string part = is_plain_number || argument.formula.known == Known::kWhole
                                 ? argument.formula.text
                                 : rounded(argument.formula);
    text += (text.empty() ? "" : ", ") + part;
  }
  return Formula{"[$range(" + text + ")]", Known::kList};
}

bool are_whole_literals(const std::vector<Argument>& arguments) {
  return std::all_of(arguments.begin(), arguments.end(),
                     [](const Argument& one) { return one.is_literal && one.literal.is_int(); });
}

Attempt<Formula> item(const std::vector<Argument>& arguments, const Dialect&) {
  if (!arguments[1].is_literal || !arguments[1].literal.is_int()) {
    return Refusal{"the index is not written here, and JSONata rounds it in another way"};
  }
  if (arguments[1].literal.as_int() < 0) return Refusal{kAlwaysFails};
  return Formula{arguments[0].formula.operand() + "[" + arguments[1].literal.to_json() + "]",
                 Known::kNothing, true};
}

Attempt<Formula> contains(const std::vector<Argument>& arguments, const Dialect& dialect) {
  const Formula& wanted = arguments[1].formula;
  const bool is_null = arguments[1].is_literal && arguments[1].literal.is_null();
  if (!is_null && !is_plain(wanted, dialect)) {
    return Refusal{"`in` of JSONata finds no lists and objects, and " + wanted.text +
                   " may be one" + kAssumption};
  }
  return Formula{wanted.operand() + " in " + arguments[0].formula.operand(), Known::kTruth};
}

Attempt<Formula> split(const std::vector<Argument>& arguments, const Dialect&) {
  if (!arguments[1].is_literal || !arguments[1].literal.is_string() ||
      arguments[1].literal.as_string().empty()) {
    return Refusal{"the separators are not written here: JSONata needs them in a pattern"};
  }
  const std::string& separators = arguments[1].literal.as_string();
  std::string pattern = "/[";
  for (const char c : separators) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f) return Refusal{"a separator is not ASCII"};
    if (std::string_view("\\]^-/[").find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  const std::string by = separators.size() == 1 ? quoted(separators) : pattern + "]/";
  return Formula{"[$split(" + arguments[0].formula.text + ", " + by + ")[$ != \"\"]]",
                 Known::kList};
}

Attempt<Formula> draw(const std::vector<Argument>& arguments, const Dialect&) {
  if (arguments.size() == 3) return Refusal{"with a seed JSONata draws other numbers"};
  const std::string from = rounded(arguments[0].formula), to = rounded(arguments[1].formula);
  return Formula{from + " + $floor($random() * (" + to + " - " + from + "))", Known::kWhole};
}

Attempt<Formula> hash(const std::vector<Argument>& arguments, const Dialect& dialect) {
  if (!is_plain(arguments[0].formula, dialect)) {
    return Refusal{
        "States.Hash and $hash write a value that is not a string in different ways, and " +
        arguments[0].formula.text + " may be such" + kAssumption};
  }
  return Formula{"$hash(" + arguments[0].formula.text + ", " + arguments[1].formula.text + ")",
                 Known::kText};
}

bool is_ascii(const Argument& argument) {
  if (!argument.is_literal || !argument.literal.is_string()) return false;
  const std::string& text = argument.literal.as_string();
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

Attempt<Formula> base64(const std::vector<Argument>& arguments, const char* function,
                        const Dialect& dialect) {
  if (!is_ascii(arguments[0]) && !dialect.assume_plain) {
    return Refusal{std::string("JSONata's ") + function +
                   " takes characters for bytes, which is not the same beyond ASCII" + kAssumption};
  }
  return Formula{std::string(function) + "(" + arguments[0].formula.text + ")", Known::kText};
}

Attempt<Formula> apply(std::string_view name, const std::vector<Argument>& arguments,
                       const Dialect& dialect) {
  const auto first = [&] { return arguments[0].formula.text; };
  if (name == "Format") return format(arguments, dialect);
  if (name == "Array") return list_of(arguments, dialect);
  if (name == "MathAdd") return math_add(arguments, dialect);
  if (name == "MathRandom") return draw(arguments, dialect);
  if (name == "ArrayRange") return range(arguments, dialect);
  if (name == "ArrayGetItem") return item(arguments, dialect);
  if (name == "ArrayContains") return contains(arguments, dialect);
  if (name == "StringSplit") return split(arguments, dialect);
  if (name == "Hash") return hash(arguments, dialect);
  if (name == "Base64Encode") return base64(arguments, "$base64encode", dialect);
  if (name == "Base64Decode") return base64(arguments, "$base64decode", dialect);
  if (name == "ArrayLength") return Formula{"$count(" + first() + ")", Known::kWhole, true};
  if (name == "ArrayUnique") return Formula{"$distinct(" + first() + ")", Known::kList, true};
  if (name == "ArrayPartition") {
    return Formula{"$partition(" + first() + ", " + rounded(arguments[1].formula) + ")",
                   Known::kList};
  }
  if (name == "JsonMerge") {
    const bool is_shallow = arguments[2].is_literal && arguments[2].literal == Value(false);
    if (!is_shallow) return Refusal{"only a shallow merge has a counterpart"};
    return Formula{"$merge([" + first() + ", " + arguments[1].formula.text + "])", Known::kObject,
                   true};
  }
  if (name == "UUID") return Formula{"$uuid()", Known::kText, true};
  if (name == "StringToJson") {
    return Formula{"$trim(" + first() + ") = \"\" ? null : $parse(" + first() + ")"};
  }
  if (name == "JsonToString") {
    return Refusal{"JSONata's $string leaves a text as it is, and writes 1.0 as 1"};
  }
  return Refusal{"States." + std::string(name) + " has no counterpart"};
}

// What must hold of the arguments, or the call fails with States.IntrinsicFailure: of much of it
// JSONata makes something all the same (a single value is a list of one).
std::vector<std::string> demands(std::string_view name, const std::vector<Argument>& arguments,
                                 const Formula& result) {
  std::vector<std::string> all;
  const auto demand = [&](std::size_t i, Known known, const char* type) {
    const Formula& formula = arguments[i].formula;
    if (formula.known == known) return;
    all.push_back("$type(" + formula.text + ") = " + quoted(type));
  };
  const bool takes_list = name == "ArrayLength" || name == "ArrayUnique" ||
                          name == "ArrayPartition" || name == "ArrayContains" ||
                          name == "ArrayGetItem";
  if (takes_list) demand(0, Known::kList, "array");
  if (name == "JsonMerge") {
    demand(0, Known::kObject, "object");
    demand(1, Known::kObject, "object");
  }
  const std::string first = arguments.empty() ? "" : arguments[0].formula.text;
  if (name == "ArrayGetItem") {
    all.push_back("$count(" + first + ") > " + arguments[1].literal.to_json());
  }
  if (name == "ArrayRange" && !are_whole_literals(arguments)) {
    all.push_back("$count(" + result.text + ") <= " + std::to_string(kMostInRange));
  }
  if (name == "MathRandom" && !are_whole_literals(arguments)) {
    all.push_back(rounded(arguments[0].formula) + " < " + rounded(arguments[1].formula));
  }
  return all;
}

// Literals with which the call can only fail.
bool always_fails(std::string_view name, const std::vector<Argument>& arguments) {
  if (name == "ArrayPartition" && arguments[1].is_literal) {
    return !arguments[1].literal.is_number() || arguments[1].literal.as_double() < 0.5;
  }
  if (!are_whole_literals(arguments)) return false;
  const auto at = [&](std::size_t i) { return arguments[i].literal.as_double(); };
  if (name == "MathRandom") return at(0) >= at(1);
  if (name != "ArrayRange") return false;
  return at(2) == 0 || (at(1) - at(0)) / at(2) >= static_cast<double>(kMostInRange);
}

// The call fails for the values for which it fails today.
Attempt<Formula> guarded(std::string_view name, const std::vector<Argument>& arguments,
                         Formula result) {
  if (always_fails(name, arguments)) return Refusal{kAlwaysFails};
  std::string condition;
  for (const std::string& one : demands(name, arguments, result)) {
    condition += (condition.empty() ? "" : " and ") + one;
  }
  if (condition.empty()) return result;
  result.text = condition + " ? " + result.operand() + " : $error(" +
                quoted("States." + std::string(name) + " cannot take this") + ")";
  result.is_path = false;
  return result;
}

Attempt<Formula> formula_of(const expr::Intrinsic::Call& call, const Dialect& dialect);

Attempt<Argument> argument_of(const expr::Intrinsic::Call::Argument& argument,
                              const Dialect& dialect) {
  if (const auto* literal = std::get_if<Value>(&argument)) {
    const auto formula = constant_formula(*literal);
    if (!formula.ok()) return formula.refusal();
    return Argument{*formula, *literal, true};
  }
  const auto* path = std::get_if<expr::JsonPath>(&argument);
  const auto formula = path != nullptr ? path_formula(path->text(), dialect)
                                       : formula_of(*std::get<2>(argument), dialect);
  if (!formula.ok()) return formula.refusal();
  return Argument{*formula, {}, false};
}

Attempt<Formula> formula_of(const expr::Intrinsic::Call& call, const Dialect& dialect) {
  std::vector<Argument> arguments;
  for (const auto& one : call.arguments) {
    auto argument = argument_of(one, dialect);
    if (!argument.ok()) return argument.refusal();
    arguments.push_back(*argument);
  }
  std::string_view name = call.function->name;
  name.remove_prefix(std::string_view("States.").size());
  const auto formula = apply(name, arguments, dialect);
  if (!formula.ok()) return formula;
  return guarded(name, arguments, *formula);
}

}  // namespace

Attempt<Formula> call_formula(const std::string& text, const Dialect& dialect) {
  const auto parsed = expr::Intrinsic::parse(text);
  const auto* call = std::get_if<expr::Intrinsic>(&parsed);
  if (call == nullptr) return Refusal{"it is not a call"};
  return formula_of(call->call(), dialect);
}

}  // namespace stepwell::dsl
