// Result<T> — a value, or an Error that says what kind of thing went wrong in the world.
//
// Only the third of the four error channels (design: "the world failed").  A workflow that fails
// is data (error + cause); an author's mistake is a dsl::Diagnostic; a bug of ours is CHECK.
// Thread-safety: a plain value; share nothing or share const.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "base/check.h"

namespace stepwell {

enum class ErrorCode : std::uint8_t {
  kInvalid,      // The caller's input is wrong; trying again cannot help.
  kNotFound,     // The thing asked for does not exist.
  kConflict,     // It exists already, or is in a state that does not allow this.
  kFenced,       // This writer was marked dead; nothing was applied, drop everything held.
  kInDoubt,      // The outcome is unknown.  Not the same as failed: ask before trying again.
  kUnavailable,  // The other side is away; trying again later may help.
  kRefusedData,  // The database refused a value (NUL, size, constraint): cut the culprit out.
  kTooLarge,     // A limit of ours was exceeded.
  kDenied,       // Not permitted.
  kInternal,     // Unexpected; the message is all we know.
};

// "invalid", "not_found", ... : for logs and for JSON answers.
const char* to_string(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // What was being done and what went wrong, as a sentence.

  // The same error, seen from one level further out: "<what>: <message>".
  Error while_doing(const std::string& what) const { return {code, what + ": " + message}; }
};

// T or Error.  [[nodiscard]]: an ignored failure does not compile without a warning.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // CHECKs ok().
  T& value() & {
    CHECK(ok(), error_text());
    return std::get<0>(state_);
  }
  const T& value() const& {
    CHECK(ok(), error_text());
    return std::get<0>(state_);
  }
  // By value: `for (auto& x : find().value())` keeps it alive.
  T value() && {
    CHECK(ok(), error_text());
    return std::get<0>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // CHECKs !ok().
  const Error& error() const {
    CHECK(!ok(), "error() of a Result that holds a value");
    return std::get<1>(state_);
  }

 private:
  std::string error_text() const { return ok() ? std::string() : std::get<1>(state_).message; }
  std::variant<T, Error> state_;
};

struct Unit {};
using Status = Result<Unit>;
inline Status ok_status() { return Unit{}; }

}  // namespace stepwell

// TRY(expression): the value, or return the error from the enclosing function.
#define TRY(...)                                       \
  __extension__({                                      \
    auto&& try_result_ = (__VA_ARGS__);                \
    if (!try_result_.ok()) return try_result_.error(); \
    std::move(try_result_).value();                    \
  })
