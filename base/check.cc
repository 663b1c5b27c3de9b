#include "base/check.h"

#include "base/result.h"

namespace stepwell {

void check_failed(const char* condition, const char* file, int line, const std::string& why) {
  throw InvariantBroken(std::string(file) + ":" + std::to_string(line) + ": broken invariant " +
                        condition + ": " + why);
}

const char* to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid: return "invalid";
    case ErrorCode::kNotFound: return "not_found";
    case ErrorCode::kConflict: return "conflict";
    case ErrorCode::kFenced: return "fenced";
    case ErrorCode::kInDoubt: return "in_doubt";
    case ErrorCode::kUnavailable: return "unavailable";
    case ErrorCode::kRefusedData: return "refused_data";
    case ErrorCode::kTooLarge: return "too_large";
    case ErrorCode::kDenied: return "denied";
    case ErrorCode::kInternal: return "internal";
  }
  return "internal";
}

}  // namespace stepwell
