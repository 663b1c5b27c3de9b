// What a Task's Resource names: a function of a provider ("strava.fetch"), or an AWS resource by
// its ARN.
//
// Who reads it: check (is it a name at all?) and compile (which events a history has for the
// task).  What was accepted once stays accepted: stored programs have it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "language/program/program.h"

namespace stepwell::dsl {

struct ResourceName {
  TaskFamily family = TaskFamily::kTask;
  std::string event_resource;       // "invoke", "startExecution.sync:2", "fetch"
  std::string event_resource_type;  // "lambda", "aws-sdk:dynamodb", "strava"
};

inline bool is_arn(std::string_view resource) { return resource.starts_with("arn:"); }

// Nothing when the text is neither a name nor an ARN of something that can do work.
std::optional<ResourceName> parse_resource(std::string_view resource);

}  // namespace stepwell::dsl
