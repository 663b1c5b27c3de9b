#include "net/http/connections.h"

#include <utility>

#include "base/check.h"

namespace stepwell::http {
namespace {

// So many above the limit are told that there are too many; more are closed without a word, for
// each of them lingers until it has heard it.
constexpr std::size_t kMostTold = 8;
constexpr std::size_t kPackedElsewhere = 32u << 10;

}  // namespace

// ---- the way back

Connection* Ticket::find(const Door& door, std::uint64_t connection, std::uint64_t request) {
  Connection* found = door.connections == nullptr ? nullptr : door.connections->find(connection);
  return found != nullptr && found->is_about(request) ? found : nullptr;
}

bool Ticket::is_on_loop() const {
  const MutexLock lock(door->mutex);
  return door->loop != nullptr && door->loop->on_loop_thread();
}

void Ticket::post(std::function<void(Connection&)> act) const {
  const MutexLock lock(door->mutex);
  if (door->loop == nullptr) return;
  door->loop->post([door = door, to = connection, request = request, act = std::move(act)] {
    if (Connection* found = find(*door, to, request)) act(*found);
  });
}

Ticket::~Ticket() {
  if (is_complete) return;
  if (!is_on_loop()) {
    post([](Connection& unanswered) { unanswered.abandon(); });
  } else if (Connection* found = find()) {
    found->abandon();
  }
}

Reply::Reply(std::shared_ptr<Ticket> ticket) : ticket_(std::move(ticket)) {}

void Reply::operator()(Response response) const {
  if (!ticket_->use()) return;
  ticket_->is_complete = true;
  if (ticket_->is_on_loop()) {
    if (Connection* found = ticket_->find()) found->answer(std::move(response));
    return;
  }
  // Here, and not on the loop: a long text takes it milliseconds.
  if (response.body.size() >= kPackedElsewhere) {
    Gzip gzip;
    finish_response(response, ticket_->asked, gzip);
  }
  ticket_->post([response = std::move(response)](Connection& connection) mutable {
    connection.answer(std::move(response));
  });
}

void Reply::on_end(std::function<void(bool)> call) const {
  if (Connection* found = ticket_->find()) return found->set_on_end(std::move(call));
  {
    const MutexLock lock(ticket_->door->mutex);
    if (ticket_->door->loop != nullptr) {
      return ticket_->door->loop->post([call = std::move(call)] { call(false); });
    }
  }
  call(false);
}

Stream Reply::stream(Response head) const {
  CHECK(ticket_->use(), "a request is answered once");
  if (Connection* found = ticket_->find()) found->begin_stream(std::move(head));
  return Stream(ticket_);
}

Stream Reply::upgrade(const std::string& protocol, Headers more,
                      std::function<void(std::string_view)> on_bytes) const {
  CHECK(ticket_->use(), "a request is answered once");
  Response head{101, std::move(more), {}, Response::Cut::kNone};
  head.headers.emplace_back("Upgrade", protocol);
  if (Connection* found = ticket_->find()) {
    found->begin_upgrade(std::move(head), std::move(on_bytes));
  }
  return Stream(ticket_);
}

Stream::Stream(std::shared_ptr<Ticket> ticket) : ticket_(std::move(ticket)) {}

bool Stream::write(std::string_view bytes) const {
  Connection* found = ticket_->find();
  return found != nullptr && found->write_piece(bytes);
}

void Stream::on_room(std::function<void()> call) const {
  if (Connection* found = ticket_->find()) found->set_on_room(std::move(call));
}

void Stream::end() const {
  ticket_->is_complete = true;
  if (Connection* found = ticket_->find()) found->end_stream();
}

bool Stream::is_open() const { return !ticket_->is_complete && ticket_->find() != nullptr; }

// ---- the connections

Connections::Connections(loop::Loop& loop, WallClock wall_clock, Handler handler,
                         const Limits& limits, HostNames names)
    : loop_(loop),
      wall_clock_(wall_clock),
      handler_(std::move(handler)),
      limits_(limits),
      names_(std::move(names)),
      deadlines_(limits_),
      door_(std::make_shared<Door>()) {
  const MutexLock lock(door_->mutex);
  door_->loop = &loop;
  door_->connections = this;
}

Connections::~Connections() {
  if (timer_) loop_.cancel(*timer_);
  if (drain_timer_) loop_.cancel(*drain_timer_);
  while (!connections_.empty()) connections_.begin()->second->close();
  buried_.clear();
  const MutexLock lock(door_->mutex);
  door_->loop = nullptr;
  door_->connections = nullptr;
}

void Connections::add(std::unique_ptr<loop::Socket> socket) {
  const bool is_full = connections_.size() >= limits_.max_connections;
  // Who waits longest for nothing makes room.
  Connection* idle = is_full ? deadlines_.longest_idle() : nullptr;
  if (idle != nullptr) idle->close();
  if (connections_.size() >= limits_.max_connections + kMostTold) return;
  const std::uint64_t id = ++last_id_;
  auto& connection = connections_[id];
  connection = std::make_unique<Connection>(*this, id, std::move(socket));
  connection->start(deadlines_.add(*connection));
  if (is_full && idle == nullptr) {
    connection->refuse({503, "there are too many connections", "Try again in a moment."});
  }
}

Connection* Connections::find(std::uint64_t id) const {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second.get();
}

bool Connections::charge(std::size_t bytes) {
  charged_ += bytes;
  return charged_ <= limits_.max_requests_bytes;
}

void Connections::later(std::uint64_t id, void (*call)(Connection&)) {
  loop_.post([door = door_, id, call] {
    if (door->connections == nullptr) return;
    if (Connection* found = door->connections->find(id)) call(*found);
  });
}

void Connections::bury(Connection& connection) {
  deadlines_.remove(connection.deadline());
  auto node = connections_.extract(connection.id());
  buried_.push_back(std::move(node.mapped()));
  if (buried_.size() > 1) return;  // It is under way.
  loop_.post([door = door_] {
    if (door->connections != nullptr) door->connections->clean_up();
  });
}

void Connections::clean_up() {
  const auto buried = std::exchange(buried_, {});
  if (connections_.empty()) arm();  // There is nothing to wait for: the timer is let go.
  if (!is_draining_ || !connections_.empty() || !on_drained_) return;
  if (drain_timer_) loop_.cancel(*drain_timer_);
  drain_timer_.reset();
  std::exchange(on_drained_, nullptr)();
}

void Connections::drain(Millis deadline, std::function<void()> done) {
  is_draining_ = true;
  on_drained_ = std::move(done);
  std::vector<Connection*> all;
  for (const auto& [id, connection] : connections_) all.push_back(connection.get());
  for (Connection* connection : all) connection->close_if_idle();
  drain_timer_ = loop_.after(deadline, [this] {
    drain_timer_.reset();
    while (!connections_.empty()) connections_.begin()->second->close();
  });
  loop_.post([door = door_] {
    if (door->connections != nullptr) door->connections->clean_up();
  });
}

// ---- the clock

void Connections::wait(Deadlines::Entry entry, Deadlines::Kind kind) {
  deadlines_.wait(entry, kind, loop_.monotonic_ms());
  if (kind != Deadlines::kNone && (!timer_ || entry->at_ms < armed_for_ms_)) arm();
}

void Connections::arm() {
  if (timer_) loop_.cancel(*timer_);
  timer_.reset();
  const auto next = deadlines_.next_ms();
  if (!next) return;
  armed_for_ms_ = *next;
  timer_ = loop_.after(Millis(std::max<std::int64_t>(0, *next - loop_.monotonic_ms())), [this] {
    timer_.reset();
    look_at_clock();
  });
}

void Connections::look_at_clock() {
  const std::int64_t now = loop_.monotonic_ms();
  while (Connection* late = deadlines_.due(now)) late->deadline_passed();
  arm();
}

const std::string& Connections::date() {
  const std::int64_t second = wall_clock_();
  if (second != date_second_) date_ = http_date(second);
  date_second_ = second;
  return date_;
}

}  // namespace stepwell::http
