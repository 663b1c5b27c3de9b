// Api — the native HTTP API under /v1 (docs/http.md), over one Engine.
//
// Thread-safety: as http::Server: everything on the loop's thread.  Ownership: the engine and the
// loop outlive the Api.  Calls into the engine that may block run on the loop's pool of threads;
// /healthz and /readyz are answered on the loop, however many of the others wait.
#pragma once

#include <stepwell/engine.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "net/http/http.h"
#include "net/loop/loop.h"

namespace stepwell::server {

struct ApiLimits {
  Millis patience{15'000};  // Then a request that waits for the database is answered 503.
};

class Api {
 public:
  static Result<std::unique_ptr<Api>> serve(loop::Loop& loop, Engine& engine,
                                            const http::Endpoint& endpoint,
                                            const ApiLimits& limits = {});
  ~Api();
  int port() const;
  std::string url() const;

 private:
  Api() = default;
  std::unique_ptr<http::Server> http_;
};

}  // namespace stepwell::server
