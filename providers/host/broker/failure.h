// Failure — an error of REPORT's class names on its way to Lua or to the workflow.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "base/value.h"

namespace stepwell::host {

struct Failure {
  std::string error_class;  // "Provider.RateLimited"
  std::string message;
  std::optional<double> retry_after;  // Seconds.
  std::optional<int> status;
  std::string reason, bucket, remote_id;

  Value to_value() const;
  static Failure from_value(const Value& error);
};

Failure fail(const std::string& name, std::string message);  // "Transient" -> Provider.Transient

}  // namespace stepwell::host
