#include "base/check.h"
#include "base/value.h"
#include "tests/fuzz/targets.h"

namespace stepwell::fuzz {

void run_json(std::string_view bytes) {
  const JsonLimits limits{1u << 20, 100, false};
  const auto read = parse_json(bytes, limits);
  if (!read.ok()) {
    CHECK(is_utf8(read.error().message), "a message can be shown");
    return;
  }
  const Value& value = *read;
  CHECK(value.depth() <= limits.max_depth, "the depth is bounded");
  const std::string text = value.to_json();
  CHECK(value.json_size() == text.size(), "json_size() is the size of to_json()");
  CHECK(is_utf8(text), "JSON is UTF-8");
  for (const std::string& written : {text, value.to_pretty_json()}) {
    // What was written may be longer than what was read.
    const auto again = parse_json(written, JsonLimits{64u << 20, 100, true});
    CHECK(again.ok(), "what was written can be read");
    CHECK(*again == value && again->hash() == value.hash(), "and is the same");
    CHECK(again->to_json() == text, "byte for byte");
  }
}

}  // namespace stepwell::fuzz
