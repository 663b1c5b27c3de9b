// What Step Functions adds: $partition, $range, $hash, $random, $uuid, $parse.
#include <cmath>

#include "base/hash.h"
#include "base/ids.h"
#include "language/expr/jsonata/functions.h"

namespace stepwell::expr::jsonata {

namespace {

constexpr double kLongestRange = 1e7;

[[noreturn]] void refuse(std::size_t index) {
  Error error;
  error.code = "T0410";
  error.index = index;
  raise(std::move(error));
}

Item run_partition(Evaluator& evaluator, Items& args) {
  if (!arg(args, 0).is_array()) return Item();
  if (!arg(args, 1).is_number() || !(args[1].number() >= 1)) refuse(2);
  const auto& items = args[0].array();
  const auto size = static_cast<std::size_t>(std::min(args[1].number(), kLongestRange));
  Value::Array out;
  for (std::size_t from = 0; from < items.size(); from += size) {
    const std::size_t to = std::min(items.size(), from + size);
    out.push_back(Value::Array(items.begin() + static_cast<std::ptrdiff_t>(from),
                               items.begin() + static_cast<std::ptrdiff_t>(to)));
  }
  evaluator.work(items.size());
  evaluator.room((items.size() + 2 * out.size()) * sizeof(Value));
  return Value(std::move(out));
}

// $range(first, last, step); last is part of the result.
Item run_range(Evaluator& evaluator, Items& args) {
  for (std::size_t i = 0; i < 3; ++i) {
    if (!arg(args, i).is_number()) {
      if (arg(args, i).is_undefined()) return Item();
      refuse(i + 1);
    }
  }
  const double first = args[0].number(), last = args[1].number(), step = args[2].number();
  if (step == 0 || !std::isfinite(first + last + step)) refuse(3);
  const double count = std::floor((last - first) / step) + 1;
  if (!(count >= 1)) return Item::sequence({});
  if (count > kLongestRange) {
    Error error;
    error.code = "D2014";
    error.value = number_value(count).to_json();
    raise(std::move(error));
  }
  evaluator.work(static_cast<std::uint64_t>(count) / 8);
  evaluator.room(static_cast<std::size_t>(count) * sizeof(Value));
  Value::Array out;
  out.reserve(static_cast<std::size_t>(count));
  for (double i = 0; i < count; ++i) out.push_back(number_value(first + i * step));
  // A sequence, as on AWS: a range of one number is that number.
  return Item::sequence(std::move(out));
}

Item run_hash(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_undefined()) return Item();
  const std::string text = evaluator.to_text(args[0]);
  evaluator.work(1 + text.size() / 64);
  const std::string algorithm = arg(args, 1).is_string() ? args[1].string() : "SHA-256";
  const auto digest = digest_hex(algorithm, text);
  if (!digest) refuse(2);
  return Value(*digest);
}

// The first number of java.util.Random(seed), which is what AWS's $random(seed) returns.
double java_random(std::int64_t seed) {
  constexpr std::uint64_t kMask = (1ULL << 48) - 1;
  std::uint64_t state = (static_cast<std::uint64_t>(seed) ^ 0x5DEECE66DULL) & kMask;
  const auto next = [&state](int bits) {
    state = (state * 0x5DEECE66DULL + 0xBULL) & kMask;
    return state >> (48 - bits);
  };
  const std::uint64_t high = next(26);
  return static_cast<double>((high << 27) + next(27)) * 0x1.0p-53;
}

Item run_random(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_number()) {
    return Value(java_random(static_cast<std::int64_t>(args[0].number())));
  }
  Random* random = evaluator.scope().random;
  if (random == nullptr) raise("D3199", "There is no source of randomness here");
  return Value(random->unit());
}

Item run_uuid(Evaluator& evaluator, Items&) {
  Random* random = evaluator.scope().random;
  if (random == nullptr) raise("D3199", "There is no source of randomness here");
  constexpr char kHex[] = "0123456789abcdef";
  std::string out = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
  for (char& c : out) {
    if (c == 'x') c = kHex[random->below(16)];
    if (c == 'y') c = kHex[8 + random->below(4)];
  }
  return Value(std::move(out));
}

Item run_parse(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_undefined()) return Item();
  const std::string& text = args[0].string();
  evaluator.work(1 + text.size() / 16);
  evaluator.room(text.size() * 2);
  auto value = parse_json(text);
  if (!value.ok()) raise("D3120", "$parse: " + value.error().message);
  return std::move(*value);
}

}  // namespace

void add_aws_functions(Builtins& table) {
  table.push_back({"partition", "<an:a<a>>", 2, run_partition});
  table.push_back({"range", "<nnn:a<n>>", 3, run_range});
  table.push_back({"hash", "<x-s?:s>", 2, run_hash});
  table.push_back({"random", "<n?:n>", 1, run_random});
  table.push_back({"uuid", "<:s>", 0, run_uuid});
  table.push_back({"parse", "<s-:x>", 1, run_parse});
}

}  // namespace stepwell::expr::jsonata
