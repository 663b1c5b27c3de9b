#include "engine/postgres/node.h"

#include <time.h>

#include <algorithm>
#include <random>

#include "engine/postgres/pg_wire.h"

namespace stepwell::postgres {
namespace {

constexpr const char* kBuild = "0.1.0";
constexpr Millis kLongestBeat{5'000}, kRetry{200};  // stepwell_missed_v1 knows the first.

// Runs on while the machine sleeps, and nobody can set it.
std::int64_t boottime_ms() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

LinkPurpose heartbeat_purpose(Millis lease) {
  // A renewal that takes longer than a third of the lease is better tried again.
  return {.name = "heartbeat",
          .statement_timeout = std::max(lease / 3, Millis{500}),
          .lock_timeout = std::max(lease / 3, Millis{500})};
}

}  // namespace

std::uint64_t random_bits() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

Uuid random_uuid() { return Uuid::v4(random_bits(), random_bits()); }

PgNode::PgNode(PgOptions options, store::NodeOptions node)
    : options_(std::move(options)), node_(std::move(node)), id_(random_uuid()) {}

Result<std::unique_ptr<store::Node>> PgNode::join(const PgOptions& options,
                                                  const store::NodeOptions& node) {
  std::unique_ptr<PgNode> joined(new PgNode(options, node));
  TRY(joined->connect());
  TRY(joined->renew());
  joined->thread_ = std::thread([raw = joined.get()] { raw->beat(); });
  return std::unique_ptr<store::Node>(std::move(joined));
}

PgNode::~PgNode() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  stop_changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Millis PgNode::age() const { return Millis{boottime_ms() - renewed_at_ms_.load()}; }

Result<std::unique_ptr<store::Session>> PgNode::open_session() {
  return PgWire::open_session(options_, id_, random_uuid());
}

// The lock first: a row without it would look like a process that is gone.  A new key each time: a
// backend of an earlier connection may linger, and must not hold the renewals up.
Status PgNode::connect() {
  link_ = TRY(Link::open(options_, heartbeat_purpose(node_.lease)));
  evidence_ = static_cast<std::int64_t>(random_bits() >> 1);
  const Answer locked = link_->run("SELECT pg_advisory_lock($1)", Parameters().add(evidence_));
  if (locked.ok()) return ok_status();
  link_.reset();
  return locked.trouble().error("hold the node's lock");
}

Status PgNode::renew() {
  const std::int64_t before = boottime_ms();
  const Answer renewed =
      link_->run("SELECT stepwell_renew_v1($1, $2, $3, $4, $5, $6, $7::bigint * interval '1 ms')",
                 Parameters()
                     .add(id_)
                     .add(node_.label.empty() ? options_.label : node_.label)
                     .add(kBuild)
                     .add(text_array(node_.pools))
                     .add(text_array(node_.resources))
                     .add(evidence_)
                     .add(static_cast<std::int64_t>(node_.lease.count())));
  if (!renewed.ok()) return renewed.trouble().error("renew the node's lease");
  // When it arrived nobody knows, but not later than its answer.
  const bool is_first = renewed_at_ms_ == 0;
  if (!is_first && boottime_ms() - renewed_at_ms_ >= node_.lease.count()) ++lapses_;
  renewed_at_ms_ = before;
  return ok_status();
}

void PgNode::beat() {
  const Millis interval = std::min(node_.lease / 4, kLongestBeat);
  Millis pause = interval;
  while (rest(pause)) {
    const bool ready = (link_ != nullptr && !link_->is_lost()) || connect().ok();
    const bool renewed = ready && renew().ok();
    pause = renewed ? interval : kRetry;
  }
}

bool PgNode::rest(Millis pause) {
  const auto until = std::chrono::steady_clock::now() + pause;
  const MutexLock lock(mutex_);
  while (!stopping_ && stop_changed_.wait_until(mutex_, until)) {
  }
  return !stopping_;
}

}  // namespace stepwell::postgres
