#include "engine/store/trouble.h"

namespace stepwell::store {

Error Trouble::error(const std::string& doing) const {
  ErrorCode code = ErrorCode::kInternal;
  switch (kind) {
    case Kind::kLost:
    case Kind::kBusy: code = ErrorCode::kUnavailable; break;
    case Kind::kFenced: code = ErrorCode::kFenced; break;
    case Kind::kRefusedData:
      code = message == kNoPartition ? ErrorCode::kUnavailable : ErrorCode::kRefusedData;
      break;
    case Kind::kTaken: code = ErrorCode::kConflict; break;
    case Kind::kSchema:
      return {ErrorCode::kUnavailable, doing + ": " + message + "; run: stepwell migrate"};
    case Kind::kDenied:
      return {ErrorCode::kUnavailable, doing + ": " + message + "; see docs/database.md"};
    case Kind::kNotMine:
    case Kind::kFollowers:
    case Kind::kOther: break;
  }
  return {code, doing + ": " + message};
}

}  // namespace stepwell::store
