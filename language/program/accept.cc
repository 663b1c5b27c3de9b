#include "language/program/accept.h"

#include "language/schema/schema.h"

namespace stepwell {

Status accept_input(const Program& program, const Value& input) {
  if (program.input_schema == nullptr) return ok_status();
  const std::vector<Violation> violations = program.input_schema->validate(input);
  if (violations.empty()) return ok_status();
  std::string message = "the input does not fit the workflow's InputSchema (line " +
                        std::to_string(program.input_schema_where.line) + "): ";
  return Error{ErrorCode::kInvalid, message + to_sentence(violations)};
}

}  // namespace stepwell
