#include "engine/runtime/surroundings.h"

#include <sys/random.h>

#include "base/result.h"
#include "engine/runtime/steady_clock.h"
#include "engine/task/thread_pool.h"

namespace stepwell::runtime {
namespace {

std::uint64_t system_random() {
  std::uint64_t number = 0;
  CHECK(getrandom(&number, sizeof number, 0) == sizeof number,
        "the system gives no random numbers");
  return number;
}

}  // namespace

const Surroundings& real_surroundings() {
  static const Surroundings real{steady_clock(), system_random,
                                 [](unsigned threads) -> std::unique_ptr<Pool> {
                                   return std::make_unique<ThreadPool>(threads);
                                 }};
  return real;
}

}  // namespace stepwell::runtime
