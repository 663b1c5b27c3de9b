// Functions of numbers.
#include <cmath>

#include "language/expr/jsonata/functions.h"
#include "language/expr/jsonata/number_text.h"
#include "language/expr/jsonata/pictures.h"

namespace stepwell::expr::jsonata {

namespace {

[[noreturn]] void fail(const char* code, std::string value, std::string value2 = "") {
  Error error;
  error.code = code;
  error.value = std::move(value);
  error.value2 = std::move(value2);
  raise(std::move(error));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// -?[0-9]+(\.[0-9]+)?([Ee][-+]?[0-9]+)?
bool is_decimal(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at > from;
  };
  if (!digits()) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (!digits()) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (!digits()) return false;
  }
  return at == text.size();
}

// 0x1F, 0o17, 0b11
std::optional<double> parse_based(std::string_view text) {
  if (text.size() < 3 || text[0] != '0') return std::nullopt;
  const char letter = static_cast<char>(text[1] | 0x20);
  const int base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
  if (base == 0) return std::nullopt;
  double number = 0;
  for (const char c : text.substr(2)) {
    const int digit = is_digit(c)                              ? c - '0'
                      : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                               : 99;
    if (digit >= base) return std::nullopt;
    number = number * base + digit;
  }
  return number;
}

Item run_number(Evaluator& evaluator, Items& args) {
  const Item& item = arg(args, 0);
  if (item.is_undefined() || item.is_number()) return item;
  if (item.is_bool()) return Value(item.value().as_bool() ? 1 : 0);
  if (item.is_string()) {
    evaluator.scan(item.string().size());
    if (is_decimal(item.string())) {
      const auto number = parse_number(item.string());
      if (number && std::isfinite(*number)) return number_value(*number);
    } else if (const auto number = parse_based(item.string())) {
      return number_value(*number);
    }
  }
  fail("D3030", evaluator.show(item));
}

using Map1 = double (*)(double);
template <Map1 map>
Item run_map(Evaluator&, Items& args) {
  if (!arg(args, 0).is_number()) return Item();
  return number_value(map(args[0].number()));
}
double absolute(double number) { return std::abs(number); }
double floor_of(double number) { return std::floor(number); }
double ceil_of(double number) { return std::ceil(number); }

Item run_round(Evaluator&, Items& args) {
  if (!arg(args, 0).is_number()) return Item();
  const double places = arg(args, 1).is_number() ? args[1].number() : 0;
  const double most = 400;
  return number_value(
      round_to(args[0].number(), static_cast<int>(std::max(-most, std::min(most, places)))));
}

Item run_sqrt(Evaluator& evaluator, Items& args) {
  if (!arg(args, 0).is_number()) return Item();
  if (args[0].number() < 0) fail("D3060", evaluator.show(args[0]));
  return number_value(std::sqrt(args[0].number()));
}

Item run_power(Evaluator& evaluator, Items& args) {
  if (!arg(args, 0).is_number() || !arg(args, 1).is_number()) return Item();
  const double result = std::pow(args[0].number(), args[1].number());
  if (!std::isfinite(result)) fail("D3061", evaluator.show(args[0]), evaluator.show(args[1]));
  return number_value(result);
}

Item run_format_number(Evaluator& evaluator, Items& args) {
  if (!arg(args, 0).is_number()) return Item();
  evaluator.is_numeric(args[0]);
  if (arg(args, 1).is_string()) evaluator.scan(args[1].string().size());
  const Object* options = arg(args, 2).is_object() ? &args[2].value().as_object() : nullptr;
  return Value(
      format_number(args[0].number(), arg(args, 1).is_string() ? args[1].string() : "", options));
}

Item run_format_base(Evaluator& evaluator, Items& args) {
  if (!arg(args, 0).is_number()) return Item();
  evaluator.is_numeric(args[0]);
  return Value(format_base(args[0].number(), arg(args, 1).is_number() ? args[1].number() : 10));
}

Item run_format_integer(Evaluator& evaluator, Items& args) {
  if (!arg(args, 0).is_number()) return Item();
  evaluator.is_numeric(args[0]);
  if (arg(args, 1).is_string()) evaluator.scan(args[1].string().size());
  return Value(format_integer(args[0].number(), arg(args, 1).is_string() ? args[1].string() : ""));
}

Item run_parse_integer(Evaluator& evaluator, Items& args) {
  if (!arg(args, 0).is_string()) return Item();
  evaluator.scan(args[0].string().size());
  if (arg(args, 1).is_string()) evaluator.scan(args[1].string().size());
  return number_value(
      parse_integer(args[0].string(), arg(args, 1).is_string() ? args[1].string() : ""));
}

// ---- Of arrays of numbers ----

Item run_sum(Evaluator& evaluator, Items& args) {
  if (!arg(args, 0).is_array()) return Item();
  double total = 0;
  for (const Value& one : args[0].array()) total += one.as_double();
  evaluator.work(args[0].array().size() / 8);
  return number_value(total);
}

Item run_average(Evaluator& evaluator, Items& args) {
  if (!arg(args, 0).is_array() || args[0].array().empty()) return Item();
  evaluator.work(args[0].array().size() / 8);
  double total = 0;
  for (const Value& one : args[0].array()) total += one.as_double();
  return number_value(total / static_cast<double>(args[0].array().size()));
}

Item run_max(Evaluator& evaluator, Items& args) {
  if (!arg(args, 0).is_array() || args[0].array().empty()) return Item();
  evaluator.work(args[0].array().size() / 8);
  double most = -HUGE_VAL;
  for (const Value& one : args[0].array()) most = std::max(most, one.as_double());
  return number_value(most);
}

Item run_min(Evaluator& evaluator, Items& args) {
  if (!arg(args, 0).is_array() || args[0].array().empty()) return Item();
  evaluator.work(args[0].array().size() / 8);
  double least = HUGE_VAL;
  for (const Value& one : args[0].array()) least = std::min(least, one.as_double());
  return number_value(least);
}

}  // namespace

void add_number_functions(Builtins& table) {
  table.push_back({"number", "<(nsb)-:n>", 1, run_number});
  table.push_back({"floor", "<n-:n>", 1, run_map<floor_of>});
  table.push_back({"ceil", "<n-:n>", 1, run_map<ceil_of>});
  table.push_back({"abs", "<n-:n>", 1, run_map<absolute>});
  table.push_back({"round", "<n-n?:n>", 2, run_round});
  table.push_back({"sqrt", "<n-:n>", 1, run_sqrt});
  table.push_back({"power", "<n-n:n>", 2, run_power});
  table.push_back({"formatNumber", "<n-so?:s>", 3, run_format_number});
  table.push_back({"formatBase", "<n-n?:s>", 2, run_format_base});
  table.push_back({"formatInteger", "<n-s:s>", 2, run_format_integer});
  table.push_back({"parseInteger", "<s-s:n>", 2, run_parse_integer});
  table.push_back({"sum", "<a<n>:n>", 1, run_sum});
  table.push_back({"average", "<a<n>:n>", 1, run_average});
  table.push_back({"max", "<a<n>:n>", 1, run_max});
  table.push_back({"min", "<a<n>:n>", 1, run_min});
}

}  // namespace stepwell::expr::jsonata
