// A listening socket for an Endpoint, bound before the HTTP library sees it: so that "the port is
// taken" is our sentence, and a unix socket works like a port.
#pragma once

#include <string>

#include "base/result.h"
#include "net/http/http.h"

namespace stepwell::server {

struct Listener {
  int descriptor = -1;  // Non-blocking, listening; the receiver closes it.
  int port = 0;         // 0 for a unix socket.
  std::string url;      // "http://127.0.0.1:8080" or "unix:/path".
};

Result<Listener> open_listener(const Endpoint& endpoint);

}  // namespace stepwell::server
