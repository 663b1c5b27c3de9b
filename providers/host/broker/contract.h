// The contract of the functions: what a provider answers is checked before anybody believes it.
#pragma once

#include <string>
#include <variant>

#include "base/value.h"
#include "providers/host/broker/failure.h"

namespace stepwell::host {

// Who answers, for what it may leave out of its records.
struct Answerer {
  std::string provider, account;
};

// The result, completed (schema, source.provider, source.account; {} for an empty list), or a
// Provider.ContractViolation that says what is wrong with it.  Functions that the contract does not
// know pass as they are.
std::variant<Value, Failure> check_result(const std::string& function, const Value& args,
                                          Value result, const Answerer& who);

}  // namespace stepwell::host
