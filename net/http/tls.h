// TLS between a socket and who reads it: a Socket that wraps a Socket.
//
// OpenSSL works on memory only (BIOs); it never sees a descriptor.  TLS 1.2 and 1.3.
// Thread-safety: the loop's thread.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "net/loop/loop.h"
#include "net/loop/socket.h"

namespace stepwell::http {

class Tls {
 public:
  // kInvalid when a file cannot be read or the key is not the certificate's.
  static Result<std::unique_ptr<Tls>> open(const std::string& certificate_file,
                                           const std::string& key_file);
  ~Tls();
  // The server's side of a connection.  The Tls and the loop outlive it.
  std::unique_ptr<loop::Socket> wrap(loop::Loop& loop, std::unique_ptr<loop::Socket> socket);

 private:
  struct Keys;
  explicit Tls(std::unique_ptr<Keys> keys);
  std::unique_ptr<Keys> keys_;
};

}  // namespace stepwell::http
