// $now, $millis, $fromMillis, $toMillis.
#include <cmath>

#include "language/expr/jsonata/functions.h"
#include "language/expr/jsonata/pictures.h"

namespace stepwell::expr::jsonata {

namespace {

std::int64_t now_millis(const Evaluator& evaluator) {
  return evaluator.scope().now.time_since_epoch().count();
}

std::optional<std::string_view> text_of(const Item& item) {
  if (!item.is_string()) return std::nullopt;
  return std::string_view(item.string());
}

std::string formatted(double millis, const Item& picture, const Item& zone) {
  if (!(std::abs(millis) <= kLastMillis)) {
    Error error;
    error.code = "D1001";
    error.value = number_value(millis).to_json();
    raise(std::move(error));
  }
  return format_millis(static_cast<std::int64_t>(millis), text_of(picture), text_of(zone));
}

Item run_now(Evaluator& evaluator, Items& args) {
  return Value(formatted(static_cast<double>(now_millis(evaluator)), arg(args, 0), arg(args, 1)));
}

Item run_millis(Evaluator& evaluator, Items&) { return Value(now_millis(evaluator)); }

Item run_from_millis(Evaluator& evaluator, Items& args) {
  if (!arg(args, 0).is_number()) return Item();
  evaluator.scan(text_of(arg(args, 1)).value_or("").size());
  return Value(formatted(std::trunc(args[0].number()), arg(args, 1), arg(args, 2)));
}

Item run_to_millis(Evaluator& evaluator, Items& args) {
  if (!arg(args, 0).is_string()) return Item();
  evaluator.scan(args[0].string().size() + text_of(arg(args, 1)).value_or("").size());
  const std::uint64_t most = evaluator.work_left();
  std::uint64_t left_over = most;
  const auto millis =
      parse_millis(args[0].string(), text_of(arg(args, 1)), now_millis(evaluator), left_over);
  evaluator.work(most - left_over);
  return millis ? Item(number_value(*millis)) : Item();
}

}  // namespace

void add_time_functions(Builtins& table) {
  table.push_back({"now", "<s?s?:s>", 2, run_now});
  table.push_back({"millis", "<:n>", 0, run_millis});
  table.push_back({"fromMillis", "<n-s?s?:s>", 3, run_from_millis});
  table.push_back({"toMillis", "<s-s?:n>", 2, run_to_millis});
}

}  // namespace stepwell::expr::jsonata
