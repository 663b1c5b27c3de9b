#include "providers/host/broker/plugin_process.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "providers/host/plugin/plugin_loop.h"

namespace stepwell::host {
namespace {

constexpr int kChannel = 3;
constexpr std::size_t kMaxUnread = 4 * kMaxFrameBytes;

std::string words_of(int error) { return std::strerror(error); }

}  // namespace

Result<std::unique_ptr<PluginProcess>> PluginProcess::start(loop::Loop& loop,
                                                            const HostOptions& options,
                                                            Listener listener) {
  std::unique_ptr<PluginProcess> process(new PluginProcess(loop, std::move(listener)));
  if (options.is_trusted) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
      return Error{ErrorCode::kUnavailable, "socketpair: " + words_of(errno)};
    }
    fcntl(ends[0], F_SETFL, fcntl(ends[0], F_GETFL) | O_NONBLOCK);
    process->channel_ = ends[0];
    process->thread_ = std::thread([end = ends[1]] {
      PluginLoop(end, false).run();
      close(end);
    });
  } else {
    loop::ChildOptions setup;
    setup.argv = {options.plugin_path, options.plugin_argument};  // The channel is number 3.
    setup.channel_fd = kChannel;
    auto started = loop::spawn(loop, setup, [reaped = process->reaped_](int) { *reaped = true; });
    if (!started.ok()) return started.error();
    process->channel_ = started->channel;
    process->pid_ = started->pid;
  }
  process->watch();
  return process;
}

PluginProcess::~PluginProcess() {
  *alive_ = false;
  is_gone_ = true;
  if (watch_ != 0) loop_.unwatch(watch_);
  if (channel_ >= 0) {
    shutdown(channel_, SHUT_RDWR);
    close(channel_);
  }
  if (pid_ > 0 && !*reaped_) ::kill(pid_, SIGKILL);
  if (thread_.joinable()) thread_.join();
}

void PluginProcess::watch() {
  watch_ = loop_.watch(channel_, true, false, [this, alive = alive_](bool readable, bool writable) {
    if (writable) flush();
    if (*alive && readable) read_frames();
  });
}

void PluginProcess::read_frames() {
  std::array<char, 65536> bytes;
  const auto alive = alive_;
  for (int round = 0; round < 16 && !is_gone_; ++round) {
    const ssize_t got = read(channel_, bytes.data(), bytes.size());
    if (got < 0 && (errno == EAGAIN)) return;
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return hang_up("it ended");
    reader_.feed(std::string_view(bytes.data(), static_cast<std::size_t>(got)));
    for (;;) {
      auto frame = reader_.next();
      if (!frame.ok()) return hang_up(frame.error().message);
      if (!frame->has_value()) break;
      listener_.frame(**frame);
      if (!*alive || is_gone_) return;
    }
  }
}

void PluginProcess::send(const Value& frame) {
  if (is_gone_) return;
  if (out_.size() - sent_ > kMaxUnread) return kill("it does not read what it is told");
  append_frame(out_, frame);
  if (!wants_write_) flush();
}

void PluginProcess::flush() {
  while (sent_ < out_.size()) {
    const ssize_t wrote =
        ::send(channel_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) break;  // Full, or closed; the reader finds out which.
    sent_ += static_cast<std::size_t>(wrote);
  }
  const bool is_all = sent_ == out_.size();
  // What was sent is dropped by halves, so that a long queue is not moved again and again.
  if (sent_ > out_.size() / 2) {
    out_.erase(0, sent_);
    sent_ = 0;
  }
  if (wants_write_ == !is_all) return;
  wants_write_ = !is_all;
  loop_.change(watch_, true, wants_write_);
}

void PluginProcess::kill(const std::string& why) {
  if (pid_ > 0 && !*reaped_) ::kill(pid_, SIGKILL);
  // A trusted plugin is a thread, which cannot be killed: it ends when it reads the closed channel.
  hang_up(why);
}

void PluginProcess::hang_up(const std::string& why) {
  if (is_gone_) return;
  is_gone_ = true;
  loop_.unwatch(watch_);
  watch_ = 0;
  // From the loop, not from here: the listener may destroy what the caller is still using.
  loop_.after(Millis(0), [this, why, alive = alive_] {
    if (*alive) listener_.gone(why);
  });
}

}  // namespace stepwell::host
