#include "providers/host/plugin/confine.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <vector>

namespace stepwell::host {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArch = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArch = AUDIT_ARCH_AARCH64;
#else
#error "the filter of system calls is not written for this architecture"
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif
#else
constexpr bool kIsSanitized = false;
#endif

// A filter, written top to bottom: each rule that matches allows the call, what falls through dies.
class Filter {
 public:
  Filter() {
    load(offsetof(seccomp_data, arch));
    jump(kArch, 1, 0);
    give(SECCOMP_RET_KILL_PROCESS);
  }
  void allow(long number) {
    load(offsetof(seccomp_data, nr));
    jump(static_cast<std::uint32_t>(number), 0, 1);
    give(SECCOMP_RET_ALLOW);
  }
  // When the low half of argument `index` is `value`.
  void allow_with(long number, int index, std::uint32_t value) {
    load(offsetof(seccomp_data, nr));
    jump(static_cast<std::uint32_t>(number), 0, 3);
    load(argument(index));
    jump(value, 0, 1);
    give(SECCOMP_RET_ALLOW);
  }
  // Memory that no file is behind and nothing is executed in.
  void allow_memory(long number, bool is_map) {
    load(offsetof(seccomp_data, nr));
    jump(static_cast<std::uint32_t>(number), 0, is_map ? 5 : 3);
    load(argument(2));
    code_.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC,
                             static_cast<std::uint8_t>(is_map ? 3 : 1), 0));
    if (is_map) {
      load(argument(4));
      jump(static_cast<std::uint32_t>(-1), 0, 1);
    }
    give(SECCOMP_RET_ALLOW);
  }
  bool install() {
    give(SECCOMP_RET_KILL_PROCESS);
    sock_fprog program{static_cast<unsigned short>(code_.size()), code_.data()};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
  }

 private:
  // Little-endian: the low half comes first.
  static std::uint32_t argument(int index) {
    return static_cast<std::uint32_t>(offsetof(seccomp_data, args)) +
           8 * static_cast<std::uint32_t>(index);
  }
  void load(std::size_t offset) {
    code_.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)));
  }
  void jump(std::uint32_t value, int if_equal, int otherwise) {
    code_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, static_cast<std::uint8_t>(if_equal),
                             static_cast<std::uint8_t>(otherwise)));
  }
  void give(std::uint32_t verdict) { code_.push_back(BPF_STMT(BPF_RET | BPF_K, verdict)); }

  std::vector<sock_filter> code_;
};

bool install_filter(int channel) {
  Filter filter;
  const auto fd = static_cast<std::uint32_t>(channel);
  for (const long number : {SYS_read, SYS_write, SYS_recvfrom}) filter.allow_with(number, 0, fd);
  for (const long number :
       {SYS_clock_gettime, SYS_setitimer, SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_futex,
        SYS_rt_sigreturn, SYS_restart_syscall, SYS_exit, SYS_exit_group}) {
    filter.allow(number);
  }
  filter.allow_memory(SYS_mmap, true);
  filter.allow_memory(SYS_mprotect, false);
  return filter.install();
}

void limit(__rlimit_resource what, rlim_t to) {
  const rlimit both{to, to};
  setrlimit(what, &both);
}

// ---- last words ----

volatile sig_atomic_t words_channel = -1;
volatile std::int64_t running_call = 0;  // 0: none.

std::size_t append_text(char* out, std::size_t at, const char* text) {
  const std::size_t size = std::strlen(text);
  std::copy_n(text, size, out + at);
  return at + size;
}

std::size_t append_number(char* out, std::size_t at, std::int64_t number) {
  char digits[24];
  std::size_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number > 0);
  while (count > 0) out[at++] = digits[--count];
  return at;
}

// Runs in a signal handler: no allocation, no locks.
void say_last_words(int signal_number) {
  const std::int64_t call = running_call;
  if (call != 0) {
    char frame[160];
    std::size_t at = append_text(frame, 4, "{\"f\":\"overrun\",\"call\":");
    at = append_number(frame, at, call);
    at = append_text(frame, at, ",\"reason\":\"");
    at = append_text(frame, at, signal_number == SIGPROF ? "cpu" : "crash");
    at = append_text(frame, at, "\"}");
    const std::size_t length = at - 4;
    for (std::size_t i = 0; i < 4; ++i) frame[i] = static_cast<char>(length >> (8 * i) & 0xff);
    const ssize_t wrote = write(words_channel, frame, at);
    static_cast<void>(wrote);
  }
  _exit(signal_number == SIGPROF ? 72 : 73);
}

}  // namespace

bool confine_process(int channel) {
  if (kIsSanitized) return true;  // A sanitizer's run time needs what the filter forbids.
  if (channel > 0) syscall(SYS_close_range, 0u, static_cast<unsigned>(channel - 1), 0u);
  syscall(SYS_close_range, static_cast<unsigned>(channel + 1), ~0u, 0u);
  limit(RLIMIT_AS, rlim_t{4} << 30);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NPROC, 0);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_NOFILE, 0);
  limit(RLIMIT_MEMLOCK, 0);
  prctl(PR_SET_DUMPABLE, 0);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
  return install_filter(channel);
}

void install_last_words(int channel) {
  words_channel = channel;
  // A crash by a full stack needs another one to speak from.
  static char stack[65536];
  stack_t alternative{};
  alternative.ss_sp = stack;
  alternative.ss_size = sizeof stack;
  sigaltstack(&alternative, nullptr);
  struct sigaction action {};
  action.sa_handler = say_last_words;
  action.sa_flags = SA_ONSTACK;
  for (const int signal_number : {SIGPROF, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    sigaction(signal_number, &action, nullptr);
  }
}

void begin_slice(std::int64_t call, std::chrono::nanoseconds limit_of_slice) {
  running_call = call;
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(limit_of_slice).count();
  itimerval timer{};
  timer.it_value.tv_sec = micros / 1000000;
  timer.it_value.tv_usec = micros % 1000000;
  if (micros <= 0) timer.it_value.tv_usec = 1000;
  setitimer(ITIMER_PROF, &timer, nullptr);
}

void end_slice() {
  const itimerval never{};
  setitimer(ITIMER_PROF, &never, nullptr);
  running_call = 0;
}

}  // namespace stepwell::host
