// Api — the native HTTP API under /v1 (docs/http.md), over one engine.
//
// Thread-safety: as http::Server: everything on the loop's thread.  Ownership: the engine and the
// loop outlive the Api; an answer that comes after the Api has ended is dropped.
// Nothing blocks the loop: requests wait as values, for the engine to answer or for their time to
// be over.  Destroyed, it hangs up on all of them: drain() it first, while the engine runs.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "engine/runtime/async_engine.h"
#include "net/http/http.h"
#include "net/loop/loop.h"

namespace stepwell::server {

struct ApiLimits {
  Millis patience{15'000};  // Then a request that waits for the database is answered 503.
};

class OpenRequests;

class Api {
 public:
  static Result<std::unique_ptr<Api>> serve(loop::Loop& loop, runtime::AsyncEngine& engine,
                                            const http::Endpoint& endpoint,
                                            const ApiLimits& limits = {});
  ~Api();
  // Takes no new requests and lets the engine answer those under way; those that still wait at
  // `deadline` are answered 503.  Then `done` is called, from the loop.  Once.
  void drain(Millis deadline, std::function<void()> done);
  int port() const;
  std::string url() const;

 private:
  Api(loop::Loop& loop, const ApiLimits& limits);
  void answer(runtime::AsyncEngine& engine, http::Request request, http::Reply reply);
  void arm(Millis from_now);
  void on_alarm();

  loop::Loop& loop_;
  const ApiLimits limits_;
  const std::shared_ptr<OpenRequests> open_;  // Shared with the answers that are to come.
  loop::TimerId alarm_ = 0;                   // Set while a request is open, and perhaps longer.
  loop::TimerId drain_alarm_ = 0;
  std::unique_ptr<http::Server> http_;
};

}  // namespace stepwell::server
