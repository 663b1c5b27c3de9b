// Sockets over Loop::watch: recv and sendmsg of our own, so that a client which hangs up costs an
// EPIPE and never a SIGPIPE in the program that embeds us.
#include "net/loop/socket.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace stepwell::loop {
namespace {

constexpr std::size_t kReadBytes = 64u << 10;
// One connection that sends without end must not keep the loop from the others.
constexpr int kReadsInARow = 4;

bool must_wait(int error) { return error == EAGAIN || error == EINTR; }

class DescriptorSocket final : public Socket {
 public:
  DescriptorSocket(Loop& loop, int descriptor) : loop_(loop), descriptor_(descriptor) {}
  ~DescriptorSocket() override {
    if (events_ != nullptr) loop_.unwatch(watch_);
    ::close(descriptor_);
  }

  void start(Events& events) override {
    events_ = &events;
    watch_ = loop_.watch(descriptor_, true, false,
                         [this](bool readable, bool writable) { ready(readable, writable); });
  }

  void set_reading(bool is_wanted) override {
    if (is_wanted == is_reading_) return;
    is_reading_ = is_wanted;
    rewatch();
  }

  void write(std::string_view first, std::string second) override {
    std::size_t sent = 0;
    if (out_.empty() && !has_failed_) {
      const ssize_t n = send(first, second);
      if (n >= 0) sent = static_cast<std::size_t>(n);
      sent_ += sent;
      // A failure is told from the loop: the watch below finds it at once.
      if (n < 0 && !must_wait(errno)) has_failed_ = true;
      if (sent == first.size() + second.size() && !has_failed_) return;
    }
    if (out_at_ > kReadBytes && out_at_ > out_.size() / 2) {
      out_.erase(0, out_at_);
      out_at_ = 0;
    }
    if (sent < first.size() || !out_.empty()) {
      out_.append(first.substr(std::min(sent, first.size()))).append(second);
    } else {
      out_ = std::move(second);
      out_at_ = sent - first.size();
    }
    rewatch();
  }

  std::size_t unsent() const override { return out_.size() - out_at_; }
  std::uint64_t sent() const override { return sent_; }

  void finish() override {
    is_finishing_ = true;
    if (out_.empty()) ::shutdown(descriptor_, SHUT_WR);
  }

  Receipt receipt() const override {
    int error = 0;
    socklen_t size = sizeof error;
    const bool is_known = ::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size) == 0;
    if (has_failed_ || !is_known || error != 0) return Receipt::kLost;
    if (!out_.empty()) return Receipt::kUnknown;
    tcp_info tcp{};
    size = sizeof tcp;
    if (::getsockopt(descriptor_, IPPROTO_TCP, TCP_INFO, &tcp, &size) == 0) {
      const bool is_acknowledged = tcp.tcpi_state == TCP_CLOSE || tcp.tcpi_state == TCP_FIN_WAIT2;
      return is_acknowledged ? Receipt::kReceived : Receipt::kUnknown;
    }
    int queued = 0;  // A unix socket: what the other side has not read.
    if (::ioctl(descriptor_, SIOCOUTQ, &queued) != 0) return Receipt::kLost;
    return queued == 0 ? Receipt::kReceived : Receipt::kUnknown;
  }

  bool has_unread() const override {
    int unread = 0;
    return ::ioctl(descriptor_, FIONREAD, &unread) == 0 && unread > 0;
  }

 private:
  ssize_t send(std::string_view first, std::string_view second) const {
    iovec parts[2] = {{const_cast<char*>(first.data()), first.size()},
                      {const_cast<char*>(second.data()), second.size()}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    return ::sendmsg(descriptor_, &message, MSG_NOSIGNAL);
  }

  void rewatch() {
    if (events_ != nullptr && !is_over_) {
      loop_.change(watch_, is_reading_ && !has_ended_, !out_.empty());
    }
  }

  void ready(bool readable, bool writable) {
    if (writable && !out_.empty()) flush();
    if (readable && is_reading_ && !has_ended_ && !is_over_) receive();
  }

  void flush() {
    const ssize_t n = send(std::string_view(out_).substr(out_at_), {});
    if (n < 0) {
      if (!must_wait(errno)) broken();
      return;
    }
    out_at_ += static_cast<std::size_t>(n);
    sent_ += static_cast<std::size_t>(n);
    if (out_at_ < out_.size()) return;
    std::string().swap(out_);
    out_at_ = 0;
    rewatch();
    if (is_finishing_) ::shutdown(descriptor_, SHUT_WR);
    events_->on_drained();
  }

  void receive() {
    // One buffer for all sockets of a thread: what is in it is handed on before the next read.
    thread_local std::array<char, kReadBytes> buffer;
    for (int i = 0; i < kReadsInARow; ++i) {
      const ssize_t n = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
      if (n < 0) {
        if (!must_wait(errno)) broken();
        return;
      }
      if (n == 0) {
        has_ended_ = true;
        rewatch();
        return events_->on_end();
      }
      events_->on_bytes({buffer.data(), static_cast<std::size_t>(n)});
      const bool may_have_more = static_cast<std::size_t>(n) == buffer.size();
      if (!may_have_more || !is_reading_ || is_over_) return;
    }
  }

  void broken() {
    has_failed_ = is_over_ = true;
    loop_.change(watch_, false, false);
    events_->on_broken();
  }

  Loop& loop_;
  const int descriptor_;
  WatchId watch_ = 0;
  Events* events_ = nullptr;
  std::uint64_t sent_ = 0;
  std::string out_;  // What has to wait, from out_at_ on.
  std::size_t out_at_ = 0;
  bool is_reading_ = true;
  bool has_ended_ = false;  // The other side sends no more.
  bool has_failed_ = false;
  bool is_finishing_ = false;
  bool is_over_ = false;  // on_broken() was called.
};

}  // namespace

std::unique_ptr<Socket> open_socket(Loop& loop, int descriptor) {
  const int on = 1;  // Fails on a unix socket, which has no such delay.
  (void)::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return std::make_unique<DescriptorSocket>(loop, descriptor);
}

}  // namespace stepwell::loop
