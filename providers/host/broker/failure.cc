#include "providers/host/broker/failure.h"

#include <cmath>

#include "providers/host/frames.h"

namespace stepwell::host {

Value Failure::to_value() const {
  Object error{{"class", error_class}, {"message", message}};
  if (retry_after) {
    const double rounded = std::round(*retry_after * 1000) / 1000;
    const bool is_whole = rounded == std::floor(rounded);
    error.set("retry_after", is_whole ? Value(static_cast<std::int64_t>(rounded)) : Value(rounded));
  }
  if (status) error.set("status", *status);
  if (!reason.empty()) error.set("reason", reason);
  if (!bucket.empty()) error.set("bucket", bucket);
  if (!remote_id.empty()) error.set("remote_id", remote_id);
  return Value(std::move(error));
}

Failure Failure::from_value(const Value& error) {
  const auto cut = [&](const char* field, const char* otherwise = "") {
    return as_text(text_of(error, field, otherwise), kMaxErrorBytes);
  };
  Failure failure;
  failure.error_class = cut("class", "Provider.ScriptError");
  failure.message = cut("message");
  const Value* after = error.find("retry_after");
  if (after != nullptr && after->is_number() && after->as_double() >= 0 &&
      after->as_double() < 1e7) {
    failure.retry_after = after->as_double();
  }
  if (const Value* status = error.find("status"); status != nullptr && status->is_int()) {
    failure.status = static_cast<int>(status->as_int());
  }
  failure.reason = cut("reason");
  failure.bucket = cut("bucket");
  failure.remote_id = cut("remote_id");
  return failure;
}

Failure fail(const std::string& name, std::string message) {
  Failure failure;
  failure.error_class = "Provider." + name;
  failure.message = std::move(message);
  return failure;
}

}  // namespace stepwell::host
