#include "authoring/convert/calls.h"

#include <algorithm>

#include "language/expr/expr.h"

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

Attempt<Formula> item(const std::vector<Argument>& arguments, const Dialect&) {
  if (!arguments[1].is_literal || !arguments[1].literal.is_int()) {
    return Refusal{"the index is not written here, and JSONata rounds it in another way"};
  }
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

// Reads "States.Name(argument, ...)" of a workflow that compiles.
class CallReader {
 public:
  CallReader(std::string_view text, const Dialect& dialect) : text_(text), dialect_(dialect) {}

  Attempt<Formula> read() {
    skip();
    const std::size_t open = text_.find('(', at_);
    if (open == std::string_view::npos) return Refusal{"it is not a call"};
    std::string_view name = text_.substr(at_, open - at_);
    while (name.ends_with(" ")) name.remove_suffix(1);
    if (!name.starts_with("States.")) return Refusal{"it is not a call"};
    name.remove_prefix(7);
    at_ = open + 1;
    std::vector<Argument> arguments;
    for (skip(); at_ < text_.size() && text_[at_] != ')'; skip()) {
      if (text_[at_] == ',') {
        ++at_;
        skip();
      }
      auto argument = read_argument();
      if (!argument.ok()) return argument.refusal();
      arguments.push_back(*argument);
    }
    ++at_;
    return apply(name, arguments, dialect_);
  }

 private:
  Attempt<Argument> read_argument() {
    if (text_[at_] == '\'') return read_text();
    if (text_.substr(at_, 7) == "States.") {
      auto inner = read();
      if (!inner.ok()) return inner.refusal();
      return Argument{*inner, {}, false};
    }
    const std::string word = read_word();
    if (word.starts_with("$")) {
      auto path = path_formula(word, dialect_);
      if (!path.ok()) return path.refusal();
      return Argument{*path, {}, false};
    }
    const auto value = parse_json(word);
    if (!value.ok()) return Refusal{"the argument " + word + " has no counterpart"};
    auto formula = constant_formula(*value);
    if (!formula.ok()) return formula.refusal();
    return Argument{*formula, *value, true};
  }

  Attempt<Argument> read_text() {
    std::string value;
    for (++at_; at_ < text_.size() && text_[at_] != '\''; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        ++at_;
        if (text_[at_] == '{' || text_[at_] == '}')
          value += '\\';  // States.Format reads this escape.
      }
      value += text_[at_];
    }
    ++at_;
    return Argument{{quoted(value), Known::kText}, value, true};
  }

  // Reads a path or a literal, to the comma or bracket that ends it.
  std::string read_word() {
    const std::size_t begin = at_;
    std::size_t open = 0;
    char quote = '\0';
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (quote != '\0') {
        if (c == quote) quote = '\0';
        continue;
      }
      if (open > 0 && (c == '\'' || c == '"')) quote = c;
      if (c == '[' || c == '(') ++open;
      if ((c == ',' || c == ')') && open == 0) break;
      if ((c == ']' || c == ')') && open > 0) --open;
    }
    std::string word(text_.substr(begin, at_ - begin));
    while (word.ends_with(" ")) word.pop_back();
    return word;
  }
  void skip() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }

  std::string_view text_;
  const Dialect& dialect_;
  std::size_t at_ = 0;
};

}  // namespace

Attempt<Formula> call_formula(const std::string& text, const Dialect& dialect) {
  const auto parsed = expr::Intrinsic::parse(text);
  if (std::holds_alternative<expr::SyntaxError>(parsed)) return Refusal{"it is not a call"};
  return CallReader(text, dialect).read();
}

}  // namespace stepwell::dsl
