// jsonata — what one evaluation of each expression of a corpus takes, parsed once.
#include "language/expr/jsonata.h"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "bench/bench.h"

namespace stepwell::bench {
namespace {

constexpr double kRoundSeconds = 0.01;
constexpr int kRounds = 3;

Result<Value> read_json(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{ErrorCode::kNotFound, "cannot read " + path};
  return parse_json(std::string{std::istreambuf_iterator<char>(file), {}});
}

// Nanoseconds of one evaluation.  An evaluation that fails is timed, too.
double time_of(const expr::Jsonata& expression, const Value& about, const Value& datasets) {
  expr::JsonataScope scope;
  Random random(1);
  scope.random = &random;
  scope.input = about.find("data");
  if (const Value* name = about.find("dataset"); name != nullptr && name->is_string()) {
    scope.input = datasets.find(name->as_string());
  }
  scope.variables = about.find("bindings");
  expr::JsonataLimits limits;
  limits.max_operations = 1'000'000'000;
  limits.max_bytes = 4ULL << 30;
  double best = 1e18;
  for (int round = 0; round < kRounds; ++round) {
    const auto begin = Clock::now();
    std::uint64_t times = 0;
    do {
      for (int i = 0; i < 4; ++i, ++times) {
        if (expression.evaluate(scope, limits).kind == expr::JsonataResult::Kind::kFunction)
          continue;
      }
    } while (seconds_since(begin) < kRoundSeconds);
    best = std::min(best, seconds_since(begin) * 1e9 / static_cast<double>(times));
  }
  return best;
}

}  // namespace

int run_jsonata(const std::string& cases, const std::string& datasets_path) {
  const auto datasets = read_json(datasets_path);
  std::ifstream file(cases, std::ios::binary);
  if (!datasets.ok() || !file) {
    fmt::print(stderr, "stepwell-bench: cannot read {}\n", file ? datasets_path : cases);
    return 2;
  }
  for (std::string line; std::getline(file, line);) {
    const auto about = parse_json(line);
    if (!about.ok()) continue;
    const Value* text = about->find("expr");
    if (text == nullptr || !text->is_string()) continue;
    const auto parsed = expr::Jsonata::parse(text->as_string());
    const auto* expression = std::get_if<expr::Jsonata>(&parsed);
    if (expression == nullptr) continue;
    const double ns = time_of(*expression, *about, *datasets);
    fmt::print("{}\n", Value(Object{{"id", *about->find("id")}, {"ns", ns}}).to_json());
  }
  return 0;
}

}  // namespace stepwell::bench
