// What a Task's Resource names.
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

// Nothing when the text is an ARN that names no kind of work, or no name at all.
std::optional<ResourceName> parse_resource(std::string_view resource);

}  // namespace stepwell::dsl
