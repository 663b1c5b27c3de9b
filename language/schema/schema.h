// Schema — a JSON Schema that is read once and then validates any number of values.
//
// The keywords of drafts 7 and 2020-12 that look at a value alone; `$ref` inside the document
// (pointers, anchors), recursion included.  A keyword of the standard that we do not support
// is refused when the schema is read (`unevaluatedProperties`, `$dynamicRef`); an unknown keyword
// is ignored, as the standard says.  `format` is checked for date-time, date, time, uuid, email,
// ipv4 and uri; any other format is ignored.
//
// Bounded: the text, the patterns (matched without backtracking) and the work of one validation are
// counted, so neither a hostile schema nor a hostile value can hold a thread.
// Immutable; threads may share one.  Pure: nothing is fetched.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/value.h"

namespace stepwell {

// What is wrong, and where: a JSON pointer into the value (or into the schema itself).
struct Violation {
  std::string pointer;  // "" is the whole value.
  std::string message;  // "must be a number, not the string \"ten\""
};

class Schema {
 public:
  struct Parts;  // Internal: parts.h.

  static constexpr std::size_t kMaxNodes = 20'000;       // Schemas within the schema.
  static constexpr std::uint32_t kMaxDepth = 128;        // Of the schema's own text.
  static constexpr std::uint64_t kMaxWork = 10'000'000;  // Counted, for one validation.
  static constexpr std::uint32_t kMaxNesting = 2'000;    // Schemas within schemas, at one time.
  static constexpr std::size_t kMostViolations = 20;     // More are not listed.

  // All mistakes in the schema itself; pointers are into the schema.  Empty: compile() succeeds.
  static std::vector<Violation> problems(const Value& schema);
  // kInvalid, with the first of problems(), when there is one.
  static Result<Schema> compile(const Value& schema);

  // Empty: the value is valid.
  std::vector<Violation> validate(const Value& value) const;

 private:
  explicit Schema(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
  std::shared_ptr<const Parts> parts_;
};

// One sentence per violation: `/amount must be a number, not null; ...`
std::string to_sentence(const std::vector<Violation>& violations);

}  // namespace stepwell
