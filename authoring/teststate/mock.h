// What a mock has to be like, for the state that it stands in for.
#pragma once

#include <optional>
#include <string>

#include "authoring/teststate/teststate.h"
#include "language/program/program.h"

namespace stepwell::teststate {

// What is wrong with the request's mock for that state; nothing: it fits.
std::optional<std::string> mock_problem(const Request& request, const State& state);
// What is wrong with a context object.
std::optional<std::string> context_problem(const Value& context);
// How a result differs from what the service answers; nothing for services we know nothing of.
std::optional<std::string> shape_problem(const std::string& resource, const Value& result,
                                         Validation validation);

}  // namespace stepwell::teststate
