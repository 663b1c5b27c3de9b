#include "engine/postgres/hints.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace stepwell::postgres {
namespace {

constexpr int kAtMostEveryMs = 20, kRetryMs = 500;

// Waits for either; drains the event.
void wait_on(int wake_fd, int socket, int at_most_ms) {
  pollfd watched[2] = {{wake_fd, POLLIN, 0}, {socket, POLLIN, 0}};
  poll(watched, socket < 0 ? 1 : 2, at_most_ms);
  std::uint64_t count = 0;
  if ((watched[0].revents & POLLIN) != 0 && read(wake_fd, &count, sizeof count) < 0) return;
}

}  // namespace

Hints::Hints(PgOptions options)
    : options_(std::move(options)),
      channel_("stepwell_due_" + options_.schema),
      wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

Hints::~Hints() {
  stopping_ = true;
  wake_thread();
  if (thread_.joinable()) thread_.join();
  close(wake_fd_);
}

void Hints::wake_thread() {
  const std::uint64_t one = 1;
  if (write(wake_fd_, &one, sizeof one) < 0) return;  // Full: it will wake anyway.
}

void Hints::start_thread() {
  std::call_once(started_, [this] { thread_ = std::thread([this] { run(); }); });
}

void Hints::post() {
  box_.post();
  start_thread();
  if (!to_tell_.exchange(true)) wake_thread();
}

bool Hints::wait(Millis at_most) {
  start_thread();
  return box_.wait(at_most);
}

void Hints::run() {
  while (!stopping_) {
    if (link_ == nullptr || link_->is_lost()) {
      link_.reset();
      Result<std::unique_ptr<Link>> link = Link::open(options_, {.name = "hints"});
      if (link.ok() && (*link)->listen(channel_).ok()) {
        link_ = std::move(*link);
        box_.post();  // Whatever was missed while away.
      } else {
        wait_on(wake_fd_, -1, kRetryMs);
        continue;
      }
    }
    if (!listen_and_tell()) link_.reset();
  }
}

bool Hints::listen_and_tell() {
  if (to_tell_.exchange(false)) {
    const Answer told = link_->run("SELECT pg_notify($1::text, '')", Parameters().add(channel_));
    if (!told.ok()) return false;
    if (link_->take_notifications() > 0) box_.post();
    // What is posted meanwhile is told together.
    pollfd none{};
    poll(&none, 0, kAtMostEveryMs);
    return !link_->is_lost();
  }
  wait_on(wake_fd_, link_->socket(), 60'000);
  if (link_->take_notifications() > 0) box_.post();
  return !link_->is_lost();
}

}  // namespace stepwell::postgres
