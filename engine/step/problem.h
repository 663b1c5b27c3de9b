// Problem — what a workflow fails with, and how the pieces of step() hand it on.
//
// Internal to engine/step.  Thread-safety: plain values.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/ids.h"
#include "base/time.h"
#include "language/expr/expr.h"

namespace stepwell {

struct Problem {
  std::optional<std::string> error, cause;
  bool heartbeat = false;             // A timeout that was a missing heartbeat.
  std::optional<Millis> retry_after;  // The server named a time to come back.
  expr::Blame blame;                  // The expression that failed, if one did.
  FrameId evaluated_in{};             // Whose own expression failed; 0: it was something else.
};

// Why a piece of a state could not be done; null: it could.
using Fault = std::unique_ptr<Problem>;

// A value, or the fault that kept it from being computed.  For TRY, as Result is.
template <class T>
class [[nodiscard]] Evaluated {
 public:
  Evaluated(T value) : value_(std::move(value)) {}
  Evaluated(Fault fault) : fault_(std::move(fault)) {
    CHECK(fault_ != nullptr, "a fault without a problem");
  }

  bool ok() const { return fault_ == nullptr; }
  T& operator*() { return value_; }
  T* operator->() { return &value_; }
  T value() && { return std::move(value_); }
  Fault error() { return std::move(fault_); }
  // nullptr: it is ok().
  const Problem* problem() const { return fault_.get(); }

 private:
  T value_{};
  Fault fault_;
};

}  // namespace stepwell
