// Child processes with a socketpair as their channel.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <cstring>

#include "net/loop/loop.h"

namespace stepwell::loop {
namespace {

struct Process {
  uv_process_t handle;
  std::function<void(int)> exited;
};

std::vector<char*> as_c_array(const std::vector<std::string>& texts) {
  std::vector<char*> array;
  for (const std::string& text : texts) array.push_back(const_cast<char*>(text.c_str()));
  array.push_back(nullptr);
  return array;
}

void on_exit(uv_process_t* handle, std::int64_t status, int signal) {
  auto* process = reinterpret_cast<Process*>(handle);
  const auto exited = std::move(process->exited);
  uv_close(reinterpret_cast<uv_handle_t*>(handle),
           [](uv_handle_t* closed) { delete reinterpret_cast<Process*>(closed); });
  // As waitpid words it: the signal in the low bits, the exit code above them.
  exited(signal != 0 ? signal : static_cast<int>(status) << 8);
}

}  // namespace

Result<Child> spawn(Loop& loop, const ChildOptions& options, std::function<void(int)> exited) {
  CHECK(!options.argv.empty(), "a child needs a program");
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    return Error{ErrorCode::kUnavailable, std::string("socketpair: ") + std::strerror(errno)};
  }
  // The child's end blocks: it has nothing else to do.
  fcntl(ends[1], F_SETFL, fcntl(ends[1], F_GETFL) & ~O_NONBLOCK);

  std::vector<uv_stdio_container_t> streams(static_cast<std::size_t>(options.channel_fd) + 1);
  for (auto& stream : streams) stream.flags = UV_IGNORE;
  streams[2].flags = UV_INHERIT_FD;
  streams[2].data.fd = 2;
  streams.back().flags = UV_INHERIT_FD;
  streams.back().data.fd = ends[1];

  auto arguments = as_c_array(options.argv);
  auto environment = as_c_array(options.environment);
  auto* process = new Process;
  process->exited = std::move(exited);
  uv_process_options_t setup{};
  setup.file = options.argv[0].c_str();
  setup.args = arguments.data();
  setup.env = environment.data();
  setup.stdio = streams.data();
  setup.stdio_count = static_cast<int>(streams.size());
  setup.exit_cb = [](uv_process_t* handle, std::int64_t status, int signal) noexcept {
    on_exit(handle, status, signal);
  };
  const int failed = uv_spawn(static_cast<uv_loop_t*>(loop.native()), &process->handle, &setup);
  close(ends[1]);
  if (failed != 0) {
    close(ends[0]);
    uv_close(reinterpret_cast<uv_handle_t*>(&process->handle),
             [](uv_handle_t* closed) { delete reinterpret_cast<Process*>(closed); });
    return Error{ErrorCode::kUnavailable,
                 "cannot run " + options.argv[0] + ": " + uv_strerror(failed)};
  }
  return Child{static_cast<int>(process->handle.pid), ends[0]};
}

}  // namespace stepwell::loop
