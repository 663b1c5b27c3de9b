#include "engine/runtime/surroundings.h"

#include <sys/random.h>

#include "base/result.h"
#include "engine/runtime/steady_clock.h"
#include "engine/task/thread_pool.h"

namespace stepwell::runtime {

const Surroundings& real_surroundings() {
  static const Surroundings kReal{steady_clock(), [](unsigned threads) -> std::unique_ptr<Pool> {
                                    return std::make_unique<ThreadPool>(threads);
                                  }};
  return kReal;
}

void roll(void* bytes, std::size_t count) {
  CHECK(getrandom(bytes, count, 0) == static_cast<ssize_t>(count),
        "the system gives no random numbers");
}

}  // namespace stepwell::runtime
