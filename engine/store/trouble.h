// Trouble — what went wrong with one statement, in the database's eyes, sorted by what to do next.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/result.h"

namespace stepwell::store {

// The reason that a row is refused for, when the fault is the database's and not the row's.
inline constexpr const char* kNoPartition =
    "there is no partition yet for so new an execution: they are made once an hour, and by "
    "stepwell "
    "migrate";

struct Trouble {
  enum class Kind : std::uint8_t {
    kLost,       // No connection, or it broke: whether the statement took effect is unknown.
    kBusy,       // Deadlock, serialization, lock or statement timeout: nothing happened, try again.
    kFenced,     // The writer was marked dead, or this is not its newest connection.
    kNotMine,    // An execution that is not this writer's: nothing happened, ask which.
    kFollowers,  // A start lost its name but has followers; the message names them.
    kTaken,      // A unique key is violated: somebody else wrote that.
    kRefusedData,  // A value that the database does not take.
    kSchema,       // Tables or functions are missing: migrate.
    kDenied,       // The role may not do that.
    kOther,
  };
  Kind kind = Kind::kOther;
  std::string sqlstate;
  std::string message;

  // A timeout, or no memory: half of the statement may be done where the whole never is.
  bool is_too_much() const {
    return sqlstate == "57014" || sqlstate == "53200" || sqlstate == "55P03";
  }
  Error error(const std::string& doing) const;
};

// T, or the trouble.
template <class T>
class Reply {
 public:
  Reply(T value) : value_(std::move(value)) {}
  Reply(Trouble trouble) : trouble_(std::move(trouble)) {}
  bool ok() const { return value_.has_value(); }
  const T& operator*() const { return *value_; }
  T& operator*() { return *value_; }
  const T* operator->() const { return &*value_; }
  const Trouble& trouble() const { return trouble_; }

 private:
  std::optional<T> value_;
  Trouble trouble_;
};

}  // namespace stepwell::store
