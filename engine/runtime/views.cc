#include "engine/runtime/views.h"

namespace stepwell::runtime {

Code code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
    case ErrorCode::kRefusedData: return Code::kInvalid;
    case ErrorCode::kNotFound: return Code::kNotFound;
    case ErrorCode::kConflict: return Code::kConflict;
    case ErrorCode::kFenced:
    case ErrorCode::kInDoubt:
    case ErrorCode::kUnavailable: return Code::kUnavailable;
    case ErrorCode::kTooLarge: return Code::kTooLarge;
    case ErrorCode::kDenied: return Code::kDenied;
    case ErrorCode::kInternal: return Code::kInternal;
  }
  return Code::kInternal;
}

Result<ExecutionId> parse_id(const std::string& text) {
  const auto uuid = Uuid::parse(text);
  if (!uuid) return Error{ErrorCode::kInvalid, "\"" + text + "\" is not an execution id"};
  return ExecutionId{*uuid};
}

ExecutionView view_of(const store::ExecutionRow& row) {
  ExecutionView view;
  view.id = row.id.text();
  view.workflow = row.workflow;
  view.name = row.name;
  view.status = to_string(row.status);
  view.input = row.input;
  view.output = row.output;
  view.error = row.error;
  view.cause = row.cause;
  view.started_at = to_rfc3339(row.started_at);
  if (row.ended_at) view.ended_at = to_rfc3339(*row.ended_at);
  view.redrive_count = row.redrive_count;
  view.waiting = row.waiting;
  view.quarantined = row.quarantined;
  return view;
}

}  // namespace stepwell::runtime
