#include "cli/interrupt.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace stepwell::cli {
namespace {

volatile sig_atomic_t g_signals = 0;
int g_descriptor = -1;

extern "C" void on_signal(int signal) noexcept {
  if (g_signals > 0) ::_exit(128 + signal);
  g_signals = 1;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(g_descriptor, &one, sizeof one);
}

}  // namespace

void Interrupt::install() {
  if (g_descriptor >= 0) return;
  g_descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct sigaction action {};
  action.sa_handler = &on_signal;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGHUP, &action, nullptr);  // The terminal was closed.
}

bool Interrupt::is_asked() { return g_signals > 0; }

int Interrupt::descriptor() { return g_descriptor; }

}  // namespace stepwell::cli
