// The rules for the mock of a TestState request.
#pragma once

#include <optional>
#include <string>

#include "authoring/teststate/teststate.h"
#include "language/program/program.h"

namespace stepwell::teststate {

// Why the request's mock does not fit the state; nothing when it does.
std::optional<std::string> mock_problem(const Request& request, const State& state);
// Why the value is not a valid context object; nothing when it is.
std::optional<std::string> context_problem(const Value& context);
// How the result differs from what the service returns; nothing when it does not, or when we do not
// know the service.
std::optional<std::string> shape_problem(const std::string& resource, const Value& result,
                                         Validation validation);

}  // namespace stepwell::teststate
