// Filters: parsing and evaluation.
#include "language/expr/filter.h"

#include <algorithm>

#include "base/match.h"
#include "language/expr/jsonata/text.h"

namespace stepwell::expr {
namespace {

struct Word {
  const char* text;
  Relation relation;
};
// A sign comes before those that it begins with: "<=" before "<".
constexpr Word kRelations[] = {
    {"===", Relation::kStrictEqual},   {"!==", Relation::kStrictNotEqual},
    {"==", Relation::kEqual},          {"!=", Relation::kNotEqual},
    {"=~", Relation::kMatches},        {"<=", Relation::kLessEqual},
    {">=", Relation::kGreaterEqual},   {"<", Relation::kLess},
    {">", Relation::kGreater},         {"subsetof", Relation::kSubsetOf},
    {"noneof", Relation::kNoneOf},     {"anyof", Relation::kAnyOf},
    {"contains", Relation::kContains}, {"empty", Relation::kEmpty},
    {"size", Relation::kSize},         {"all", Relation::kAllOf},
    {"nin", Relation::kNotIn},         {"in", Relation::kIn},
};

class FilterParser {
 public:
  FilterParser(std::string_view text, std::size_t offset, std::size_t depth)
      : text_(text), offset_(offset), depth_(depth) {}

  Parsed<Filter> parse() {
    Filter filter;
    if (!read_any(filter)) return error_;
    skip();
    if (at_ != text_.size()) {
      fail("Expected end of filter expression instead of: " + std::string(text_.substr(at_)));
      return error_;
    }
    return filter;
  }

 private:
  bool read_any(Filter& out) {
    std::vector<Filter> parts(1);
    if (!read_all(parts[0])) return false;
    while (take("||")) {
      if (!read_all(parts.emplace_back())) return false;
    }
    if (parts.size() == 1) {
      out = std::move(parts[0]);
    } else {
      out.test = Filter::Any{std::move(parts)};
    }
    return true;
  }

  bool read_all(Filter& out) {
    std::vector<Filter> parts(1);
    if (!read_one(parts[0])) return false;
    while (take("&&")) {
      if (!read_one(parts.emplace_back())) return false;
    }
    if (parts.size() == 1) {
      out = std::move(parts[0]);
    } else {
      out.test = Filter::All{std::move(parts)};
    }
    return true;
  }

  bool read_one(Filter& out) {
    if (++depth_ > kMaxExpressionDepth) return fail("the filter is nested too deeply");
    const bool ok = read_nested(out);
    --depth_;
    return ok;
  }

  bool read_nested(Filter& out) {
    skip();
    if (peek() == '!' && at(at_ + 1) != '=') {
      ++at_;
      Filter::Not negation{std::vector<Filter>(1)};
      if (!read_one(negation.part[0])) return false;
      out.test = std::move(negation);
      return true;
    }
    if (take("(")) {
      if (!read_any(out)) return false;
      return take(")") || fail("Failed to parse filter: a ')' is missing");
    }
    return read_comparison(out);
  }

  bool read_comparison(Filter& out) {
    Filter::Comparison comparison;
    if (!read_operand(comparison.left)) return false;
    skip();
    for (const Word& word : kRelations) {
      if (text_.substr(at_, std::string_view(word.text).size()) != word.text) continue;
      at_ += std::string_view(word.text).size();
      comparison.relation = word.relation;
      skip();
      if (!read_operand(comparison.right)) return false;
      break;
    }
    const bool alone = comparison.relation == Relation::kExists;
    if (alone && std::holds_alternative<Regex>(comparison.left.what)) {
      return fail("a pattern cannot stand alone");
    }
    if (!may_be_bare(comparison)) return false;
    out.test = std::move(comparison);
    return true;
  }

  bool read_operand(Operand& operand) {
    skip();
    const char c = peek();
    if (c == '@' || c == '$') return read_path(operand);
    if (c == '\'' || c == '"') return read_text(operand, c);
    if (c == '/') return read_pattern(operand);
    if (c == '[' || c == '{') return read_json(operand, c);
    return read_word(operand);
  }

  bool read_path(Operand& operand) {
    const std::size_t begin = at_;
    std::size_t depth = 0;
    char quote = '\0';
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (quote != '\0') {
        if (c == '\\') ++at_;
        if (c == quote) quote = '\0';
        continue;
      }
      if (depth > 0 && (c == '\'' || c == '"')) quote = c;
      if (c == '[' || c == '(') ++depth;
      if ((c == ']' || c == ')') && depth == 0) break;
      if (c == ']' || c == ')') --depth;
      if (depth == 0 &&
          (c == ' ' || c == '=' || c == '<' || c == '>' || c == '!' || c == '&' || c == '|'))
        break;
    }
    std::string path(text_.substr(begin, std::min(at_, text_.size()) - begin));
    at_ = std::min(at_, text_.size());
    operand.is_current = path[0] == '@';
    path[0] = '$';
    auto parts = parse_parts(path, depth_);
    if (auto* wrong = std::get_if<SyntaxError>(&parts)) return fail(wrong->message);
    operand.what = std::move(std::get<0>(parts));
    return true;
  }

  bool read_text(Operand& operand, char quote) {
    std::string value;
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        const char c = text_[++at_];
        constexpr std::string_view kLetters = "bfnrt", kMeanings = "\b\f\n\r\t";
        const auto known = kLetters.find(c);
        value += known != std::string_view::npos ? kMeanings[known] : c;
      } else {
        value += text_[at_];
      }
    }
    if (at_ >= text_.size()) return fail("String literal does not have matching quotes");
    ++at_;
    operand.what = Value(std::move(value));
    return true;
  }

  bool read_pattern(Operand& operand) {
    const std::size_t begin = ++at_;
    while (at_ < text_.size() && text_[at_] != '/') at_ += text_[at_] == '\\' ? 2 : 1;
    if (at_ >= text_.size()) return fail("Pattern not closed");
    const std::string_view pattern = text_.substr(begin, at_ - begin);
    const std::size_t flags = ++at_;
    while (at_ < text_.size() && is_letter(text_[at_])) ++at_;
    auto regex = Regex::compile(pattern, text_.substr(flags, at_ - flags), Regex::Dialect::kJava);
    if (const auto* wrong = std::get_if<Regex::Wrong>(&regex)) {
      at_ = begin + wrong->at;
      return fail("the pattern is not a regular expression: " + wrong->reason);
    }
    operand.what = std::move(std::get<Regex>(regex));
    return true;
  }

  bool read_json(Operand& operand, char open) {
    const char close = open == '[' ? ']' : '}';
    const std::size_t begin = at_;
    std::size_t depth = 0;
    char quote = '\0';
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (quote != '\0') {
        if (c == '\\') ++at_;
        if (c == quote) quote = '\0';
      } else if (c == '\'' || c == '"') {
        quote = c;
      } else if (c == open) {
        ++depth;
      } else if (c == close && --depth == 0) {
        break;
      }
    }
    if (at_ >= text_.size()) return fail("the list is not closed");
    ++at_;
    std::string json(text_.substr(begin, at_ - begin));
    std::replace(json.begin(), json.end(), '\'', '"');
    auto value = parse_json(json);
    if (!value.ok()) return fail("not JSON: " + json);
    operand.what = std::move(*value);
    return true;
  }

  bool read_word(Operand& operand) {
    const std::size_t begin = at_;
    while (at_ < text_.size() &&
           std::string_view(" )&|=<>!").find(text_[at_]) == std::string_view::npos) {
      ++at_;
    }
    const std::string word(text_.substr(begin, at_ - begin));
    auto value = parse_json(word);
    const bool is_scalar = value.ok() && !word.empty() && value->depth() == 0;
    operand.is_bareword = !is_scalar && is_bareword(word);
    if (!is_scalar && !operand.is_bareword) return unexpected(word);
    operand.what = is_scalar ? std::move(*value) : Value(word);
    return true;
  }

  static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
  // Step Functions takes a word without quotes for a text.
  static bool is_bareword(std::string_view word) {
    const auto begins = [](char c) {
      return is_letter(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
    };
    return !word.empty() && begins(word.front()) &&
           std::all_of(word.begin(), word.end(), [&](char c) {
             return begins(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == ':';
           });
  }
  bool unexpected(const std::string& word) {
    return fail("Expected logical operator, a path or a literal instead of: '" + word + "'");
  }
  // Where a text without quotes may stand: beside a sign, not beside a word or alone.
  bool may_be_bare(const Filter::Comparison& comparison) {
    const auto names = [](const Operand& one) { return one.is_bareword; };
    const bool is_sign =
        comparison.relation >= Relation::kEqual && comparison.relation <= Relation::kGreaterEqual;
    for (const Operand* one : {&comparison.left, &comparison.right}) {
      if (names(*one) && !is_sign) return unexpected(std::get<Value>(one->what).as_string());
    }
    return true;
  }

  void skip() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  char peek() const { return at(at_); }
  bool take(std::string_view word) {
    skip();
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  bool fail(std::string message) {
    error_ = {std::move(message), offset_ + at_};
    return false;
  }

  std::string_view text_;
  std::size_t offset_, depth_;
  std::size_t at_ = 0;
  SyntaxError error_;
};

// ---- evaluation -----------------------------------------------------------------------------

// The value of an operand; std::nullopt when its path leads nowhere.
std::optional<Value> resolve(const Operand& operand, const Value& current, const Value& root,
                             Budget& budget) {
  if (const auto* value = std::get_if<Value>(&operand.what)) return *value;
  const auto* path = std::get_if<std::shared_ptr<const JsonPath::Parts>>(&operand.what);
  if (path == nullptr) return std::nullopt;
  const Value& from = operand.is_current ? current : root;
  return follow(**path, from, root, budget, false).value;
}

// Jayway converts between numbers and strings in ==.
bool loosely_equal(const Value& a, const Value& b, Budget& budget) {
  if (a.is_number() && b.is_string()) return budget.are_equal(a.to_json(), b);
  if (a.is_string() && b.is_number()) return budget.are_equal(a, b.to_json());
  return budget.are_equal(a, b);
}

bool ordered(Relation relation, const Value& a, const Value& b) {
  int order = 0;
  if (a.is_number() && b.is_number()) {
    const double x = a.as_double(), y = b.as_double();
    order = x < y ? -1 : (x > y ? 1 : 0);
  } else if (a.is_string() && b.is_string()) {
    order = a.as_string().compare(b.as_string());
  } else {
    return false;
  }
  if (relation == Relation::kLess) return order < 0;
  if (relation == Relation::kLessEqual) return order <= 0;
  if (relation == Relation::kGreater) return order > 0;
  return order >= 0;
}

bool has_item(const Value& list, const Value& item, Budget& budget) {
  return list.is_array() &&
         std::any_of(list.as_array().begin(), list.as_array().end(),
                     [&](const Value& one) { return loosely_equal(one, item, budget); });
}

std::size_t shared_items(const Value& a, const Value& b, Budget& budget) {
  if (!a.is_array()) return 0;
  return static_cast<std::size_t>(
      std::count_if(a.as_array().begin(), a.as_array().end(),
                    [&](const Value& one) { return has_item(b, one, budget); }));
}

// The pattern may stand on either side; numbers and booleans are matched as they are written.
bool matches(const Operand& operand, const std::optional<Value>& text, Budget& budget) {
  const auto* regex = std::get_if<Regex>(&operand.what);
  if (regex == nullptr || !text) return false;
  if (text->is_string()) return budget.matches(*regex, text->as_string());
  return (text->is_number() || text->is_bool()) && budget.matches(*regex, text->to_json());
}

bool compare(Relation relation, const Value& a, const Value& b, Budget& budget) {
  switch (relation) {
    case Relation::kEqual: return loosely_equal(a, b, budget);
    case Relation::kNotEqual: return !loosely_equal(a, b, budget);
    case Relation::kStrictEqual: return budget.are_equal(a, b);
    case Relation::kStrictNotEqual: return !budget.are_equal(a, b);
    case Relation::kLess:
    case Relation::kLessEqual:
    case Relation::kGreater:
    case Relation::kGreaterEqual: return ordered(relation, a, b);
    case Relation::kIn: return has_item(b, a, budget);
    case Relation::kNotIn: return !has_item(b, a, budget);
    case Relation::kContains:
      if (a.is_string() && b.is_string()) return budget.contains(a.as_string(), b.as_string());
      return has_item(a, b, budget);
    case Relation::kAllOf: return b.is_array() && shared_items(b, a, budget) == b.size();
    case Relation::kSubsetOf: return a.is_array() && shared_items(a, b, budget) == a.size();
    case Relation::kAnyOf: return shared_items(a, b, budget) > 0;
    case Relation::kNoneOf: return a.is_array() && shared_items(a, b, budget) == 0;
    case Relation::kSize: {
      const std::size_t size = a.is_string() ? a.as_string().size() : a.size();
      return b.is_int() && b.as_int() == static_cast<std::int64_t>(size);
    }
    case Relation::kEmpty: {
      const bool empty = a.is_string() ? a.as_string().empty() : a.size() == 0;
      return b.is_bool() && b.as_bool() == empty;
    }
    case Relation::kExists:
    case Relation::kMatches: return false;
  }
  return false;
}

bool compare(const Filter::Comparison& comparison, const Value& current, const Value& root,
             Budget& budget) {
  const auto left = resolve(comparison.left, current, root, budget);
  if (comparison.relation == Relation::kExists) {
    if (const auto* path =
            std::get_if<std::shared_ptr<const JsonPath::Parts>>(&comparison.left.what)) {
      if (!(*path)->definite) return left && left->size() > 0;
    }
    return left.has_value();
  }
  const auto right = resolve(comparison.right, current, root, budget);
  if (comparison.relation == Relation::kMatches) {
    return matches(comparison.right, left, budget) || matches(comparison.left, right, budget);
  }
  if (!left || !right) {
    // In Jayway nothing equals an undefined operand, not even another undefined one.
    return comparison.relation == Relation::kNotEqual ||
           comparison.relation == Relation::kStrictNotEqual ||
           comparison.relation == Relation::kNotIn;
  }
  return compare(comparison.relation, *left, *right, budget);
}

}  // namespace

bool Budget::are_equal(const Value& a, const Value& b) {
  const auto answer = equal_within(a, b, left_);
  if (!answer) take(left_ + 1);
  return answer.value_or(false);
}

bool Budget::matches(const Regex& regex, std::string_view text) {
  const Regex::Outcome outcome = regex.matches(text, left_);
  if (outcome == Regex::Outcome::kTooMuch) take(left_ + 1);
  return outcome == Regex::Outcome::kFound;
}

bool Budget::contains(std::string_view text, std::string_view what) {
  return take(1 + text.size() / 64) && jsonata::find_text(text, what, 0) != std::string_view::npos;
}

Parsed<Filter> parse_filter(std::string_view text, std::size_t at, std::size_t depth) {
  if (depth > kMaxExpressionDepth) return SyntaxError{"the filter is nested too deeply", at};
  return FilterParser(text, at, depth).parse();
}

bool holds(const Filter& filter, const Value& current, const Value& root, Budget& budget) {
  if (!budget.spend()) return false;
  const auto each = [&](const Filter& part) { return holds(part, current, root, budget); };
  return std::visit(
      match{
          [&](const Filter::Comparison& one) { return compare(one, current, root, budget); },
          [&](const Filter::All& all) {
            return std::all_of(all.parts.begin(), all.parts.end(), each);
          },
          [&](const Filter::Any& any) {
            return std::any_of(any.parts.begin(), any.parts.end(), each);
          },
          [&](const Filter::Not& negation) { return !each(negation.part[0]); },
      },
      filter.test);
}

}  // namespace stepwell::expr
