// A confined process: what it may still do, and that it dies of everything else.
#include "providers/host/plugin/confine.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace stepwell::host {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif

// Confines a fresh process with descriptor `channel`, runs `act` there; how it ended.
std::string fate_of(const std::function<void(int channel)>& act) {
  int ends[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const int child = fork();
  if (child == 0) {
    if (!confine_process(ends[1])) _exit(1);
    act(ends[1]);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  close(ends[0]);
  close(ends[1]);
  if (WIFSIGNALED(status)) return std::string("killed by ") + sigabbrev_np(WTERMSIG(status));
  return "exit " + std::to_string(WEXITSTATUS(status));
}

TEST(Confinement, LetsItComputeAndTalkToItsChannel) {
  EXPECT_EQ(fate_of([](int channel) {
              void* block = malloc(50u << 20);
              memset(block, 1, 50u << 20);
              free(block);
              if (write(channel, "x", 1) != 1) _exit(2);
              timespec now{};
              clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
            }),
            "exit 0");
}

TEST(Confinement, KillsItForEverythingElse) {
  if (kIsSanitized) GTEST_SKIP() << "a sanitizer's run time needs what the filter forbids";
  struct Probe {
    const char* name;
    std::function<void(int)> act;
  };
  const std::vector<Probe> probes = {
      {"open", [](int) { syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY); }},
      {"socket", [](int) { syscall(SYS_socket, AF_INET, SOCK_STREAM, 0); }},
      {"connect", [](int channel) { syscall(SYS_connect, channel, nullptr, 0); }},
      {"fork", [](int) { syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); }},
      {"exec", [](int) { syscall(SYS_execve, "/bin/true", nullptr, nullptr); }},
      {"ptrace", [](int) { syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0); }},
      {"kill", [](int) { syscall(SYS_kill, 1, 0); }},
      {"getpid", [](int) { syscall(SYS_getpid); }},
      {"write to another", [](int channel) { syscall(SYS_write, channel + 1, "x", 1); }},
      {"read from another",
       [](int) {
         char c;
         syscall(SYS_read, 0, &c, 1);
       }},
      {"send a descriptor",
       [](int channel) {
         msghdr m{};
         syscall(SYS_sendmsg, channel, &m, 0);
       }},
      {"memory with code",
       [](int) {
         syscall(SYS_mmap, nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                 0);
       }},
      {"a file in memory",
       [](int channel) { syscall(SYS_mmap, nullptr, 4096, PROT_READ, MAP_PRIVATE, channel, 0); }},
      {"making memory code", [](int) { syscall(SYS_mprotect, nullptr, 4096, PROT_EXEC); }},
      {"unlink", [](int) { syscall(SYS_unlinkat, AT_FDCWD, "x", 0); }},
      {"prctl", [](int) { syscall(SYS_prctl, 0, 0, 0, 0, 0); }},
  };
  for (const Probe& probe : probes) EXPECT_EQ(fate_of(probe.act), "killed by SYS") << probe.name;
}

TEST(Confinement, ClosesInheritedDescriptors) {
  if (kIsSanitized) GTEST_SKIP() << "a sanitizer keeps its output open";
  const int secret = open("/dev/null", O_RDONLY);
  // Even its number says nothing: the first thing after closing is the filter.
  EXPECT_EQ(fate_of([secret](int) { syscall(SYS_read, secret, nullptr, 0); }), "killed by SYS");
  close(secret);
}

}  // namespace
}  // namespace stepwell::host
