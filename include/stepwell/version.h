// The version of the library and of the binary; the same as in the top CMakeLists.txt (a test
// compares them).
#pragma once

namespace stepwell {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace stepwell
