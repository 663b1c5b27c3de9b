// Connections — all connections of a server, and what they share: limits, deadlines, the handler,
// the memory that requests may take, and the way back from a Reply to its connection.
//
// Knows no listening sockets: the server gives it connected ones, tests give it their own.
// Thread-safety: the loop's thread only, except through Door.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/sync/mutex.h"
#include "net/http/answer.h"
#include "net/http/connection.h"
#include "net/http/deadlines.h"
#include "net/http/http.h"
#include "net/http/rules.h"
#include "net/loop/loop.h"
#include "net/loop/socket.h"

namespace stepwell::http {

// How a Reply, which may live longer and elsewhere, finds the connections or that they are gone.
struct Door {
  Mutex mutex;
  loop::Loop* loop GUARDED_BY(mutex) = nullptr;  // Null once the server is gone.
  Connections* connections = nullptr;            // The same; on the loop's thread only.
};

// The right to answer one request.  Thread-safety: any thread, but find().
struct Ticket {
  Ticket(std::shared_ptr<Door> the_door, std::uint64_t the_connection, std::uint64_t the_request,
         Asked the_asked)
      : door(std::move(the_door)),
        connection(the_connection),
        request(the_request),
        asked(std::move(the_asked)) {}
  ~Ticket();  // Unless the answer is complete, nobody can complete it any more: see abandon().
  Ticket(const Ticket&) = delete;

  bool use() { return !is_used.exchange(true); }  // True once.
  bool is_on_loop() const;
  // The connection, while this request is what it is about.  On the loop's thread only.
  Connection* find() const { return find(*door, connection, request); }
  static Connection* find(const Door& door, std::uint64_t connection, std::uint64_t request);
  // Calls `act` with that connection soon.
  void post(std::function<void(Connection&)> act) const;

  const std::shared_ptr<Door> door;
  const std::uint64_t connection, request;
  const Asked asked;
  std::atomic<bool> is_used{false};
  std::atomic<bool> is_complete{false};
};

class Connections {
 public:
  using WallClock = std::int64_t (*)();  // Seconds since 1970, for Date.

  Connections(loop::Loop& loop, WallClock wall_clock, Handler handler, const Limits& limits,
              HostNames names);
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  void add(std::unique_ptr<loop::Socket> socket);
  std::size_t count() const { return connections_.size(); }
  // Nothing new is begun; `done` is called when the last connection has gone, at `deadline` at the
  // latest.
  void drain(Millis deadline, std::function<void()> done);

  // ---- for the connections
  const Limits& limits() const { return limits_; }
  const HostNames& names() const { return names_; }
  Gzip& gzip() { return gzip_; }
  bool is_draining() const { return is_draining_; }
  const std::string& date();  // Of now, as HTTP words it.
  Connection* find(std::uint64_t id) const;
  std::shared_ptr<Door> door() const { return door_; }
  void handle(Request request, Reply reply) { handler_(std::move(request), std::move(reply)); }
  void wait(Deadlines::Entry entry, Deadlines::Kind kind);
  // Bytes that have come and are not answered yet.  False: there are too many.
  bool charge(std::size_t bytes);
  void discharge(std::size_t bytes) { charged_ -= bytes; }
  // Calls back with the connection, if it is there still, from the loop.
  void later(std::uint64_t id, void (*call)(Connection&));
  // The connection is closed: it is destroyed once its events are over.
  void bury(Connection& connection);

 private:
  void arm();
  void look_at_clock();
  void clean_up();

  loop::Loop& loop_;
  const WallClock wall_clock_;
  const Handler handler_;
  const Limits limits_;
  const HostNames names_;
  Deadlines deadlines_;
  Gzip gzip_;
  std::shared_ptr<Door> door_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Connection>> buried_;
  std::uint64_t last_id_ = 0;
  std::size_t charged_ = 0;
  std::optional<loop::TimerId> timer_, drain_timer_;
  std::int64_t armed_for_ms_ = 0;
  std::int64_t date_second_ = -1;
  std::string date_;
  bool is_draining_ = false;
  std::function<void()> on_drained_;
};

}  // namespace stepwell::http
