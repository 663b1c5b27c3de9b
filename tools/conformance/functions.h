// The functions of the recorded cases: what each answers to a task, and after how long.
#pragma once

#include <optional>
#include <string>

#include "base/random.h"
#include "base/value.h"
#include "engine/step/command.h"
#include "engine/step/fact.h"

namespace stepwell::conformance {

// As Python's json.dumps writes it: spaces after ',' and ':', other than ASCII escaped.
std::string python_json(const Value& value);

// What a function call ends with, and when.
struct Answer {
  FactBody body;
  Millis after{0};
};

// The functions that one case declares in `lambdas`.
class Functions {
 public:
  // `lambdas`: name -> {arn, behaviour}; may be null.
  explicit Functions(const Value& lambdas) : lambdas_(lambdas), random_(7) {}

  // Is the resource a function's, or the service that invokes one?
  static bool serves(const std::string& resource);
  // Nothing when no function serves the resource; `why` then says so.
  std::optional<Answer> call(const RunTask& task, std::string& why);

 private:
  const Value* find(const std::string& name_or_arn) const;
  Answer behave(const Value& behaviour, const Value& event, bool integration);
  Answer raise(const Value& behaviour, bool integration);

  Value lambdas_;
  Random random_;  // For request ids.
};

}  // namespace stepwell::conformance
