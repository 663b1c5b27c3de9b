#include "tests/e2e/chaos/tally.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"

namespace stepwell::chaos {

static_assert(Tally::Count::is_always_lock_free, "the tally is shared between processes");

Tally& map_tally(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  CHECK(file >= 0 && ftruncate(file, sizeof(Tally)) == 0, "cannot make " + path);
  void* page = mmap(nullptr, sizeof(Tally), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  CHECK(page != MAP_FAILED, "cannot map " + path);
  close(file);
  return *static_cast<Tally*>(page);
}

}  // namespace stepwell::chaos
