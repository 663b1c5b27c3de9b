// Where libFuzzer comes in.  The build defines STEPWELL_FUZZ_RUN as the function of the target.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/targets.h"

// libFuzzer calls it by this name.  NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  stepwell::fuzz::STEPWELL_FUZZ_RUN({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
