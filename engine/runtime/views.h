// What the store and the runtime say, in the words of the public face.
#pragma once

#include <stepwell/engine.h>

#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "engine/store/store.h"

namespace stepwell::runtime {

Code code_of(ErrorCode code);

template <class T>
Answer<T> failed(const Error& error) {
  return {{}, code_of(error.code), error.message};
}

Result<ExecutionId> parse_id(const std::string& text);
ExecutionView view_of(const store::ExecutionRow& row);

}  // namespace stepwell::runtime
