// Responder — a small HTTP server for tests: every request goes to one function, on a thread of its
// connection.  Keeps connections open, counts requests, and can cut an answer short.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/sync/mutex.h"

namespace stepwell::host {

struct Asked {
  std::string method, target, body;
  std::map<std::string, std::string> headers;  // Names in lower case.
};

struct Told {
  int status = 200;
  std::string body = "{}";
  std::string headers = "";  // "Retry-After: 1\r\n"
  std::string type = "application/json";
  bool cuts = false;  // Hang up instead of answering.
};

class Responder {
 public:
  explicit Responder(std::function<Told(const Asked&)> answer) : answer_(std::move(answer)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0, "bind");
    CHECK(listen(listener_, 64) == 0, "listen");
    socklen_t size = sizeof at;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~Responder() {
    stopping_ = true;
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      const MutexLock lock(mutex_);
      for (const int open : open_) shutdown(open, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    close(listener_);
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }
  std::vector<Asked> asked() const {
    const MutexLock lock(mutex_);
    return asked_;
  }
  // How many requests had that target (without its query).
  int count(const std::string& path) const {
    int found = 0;
    for (const Asked& one : asked()) found += one.target.substr(0, one.target.find('?')) == path;
    return found;
  }

 private:
  void accept_all() {
    for (;;) {
      const int open = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (open < 0) return;
      const MutexLock lock(mutex_);
      open_.push_back(open);
      threads_.emplace_back([this, open] { serve(open); });
    }
  }

  void serve(int open) {
    std::string bytes;
    while (!stopping_ && serve_one(open, bytes)) {
    }
    const MutexLock lock(mutex_);
    open_.remove(open);
    close(open);
  }

  static bool more(int open, std::string& bytes) {
    char chunk[8192];
    const ssize_t got = recv(open, chunk, sizeof chunk, 0);
    if (got > 0) bytes.append(chunk, static_cast<std::size_t>(got));
    return got > 0;
  }

  bool serve_one(int open, std::string& bytes) {
    std::size_t end = 0;
    while ((end = bytes.find("\r\n\r\n")) == std::string::npos) {
      if (!more(open, bytes)) return false;
    }
    Asked asked = parse_head(bytes.substr(0, end));
    const auto length = asked.headers.find("content-length");
    const std::size_t size = length == asked.headers.end() ? 0 : std::stoul(length->second);
    while (bytes.size() < end + 4 + size) {
      if (!more(open, bytes)) return false;
    }
    asked.body = bytes.substr(end + 4, size);
    bytes.erase(0, end + 4 + size);
    {
      const MutexLock lock(mutex_);
      asked_.push_back(asked);
    }
    const Told told = answer_(asked);
    if (told.cuts) return false;
    const std::string reply = "HTTP/1.1 " + std::to_string(told.status) +
                              " x\r\nContent-Type: " + told.type + "\r\n" + told.headers +
                              "Content-Length: " + std::to_string(told.body.size()) + "\r\n\r\n" +
                              told.body;
    return send(open, reply.data(), reply.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(reply.size());
  }

  static Asked parse_head(const std::string& head) {
    Asked asked;
    std::size_t line_end = head.find("\r\n");
    const std::string first = head.substr(0, line_end);
    const std::size_t space = first.find(' ');
    asked.method = first.substr(0, space);
    asked.target = first.substr(space + 1, first.rfind(' ') - space - 1);
    while (line_end != std::string::npos) {
      const std::size_t from = line_end + 2;
      line_end = head.find("\r\n", from);
      const std::string line = head.substr(from, line_end - from);
      const std::size_t colon = line.find(": ");
      std::string name = line.substr(0, colon);
      for (char& c : name) c = static_cast<char>(tolower(c));
      if (colon != std::string::npos) asked.headers[name] = line.substr(colon + 2);
    }
    return asked;
  }

  std::function<Told(const Asked&)> answer_;
  int listener_ = -1, port_ = 0;
  std::atomic<bool> stopping_{false};
  mutable Mutex mutex_;
  std::list<int> open_ GUARDED_BY(mutex_);
  std::list<std::thread> threads_ GUARDED_BY(mutex_);
  std::vector<Asked> asked_ GUARDED_BY(mutex_);
  std::thread acceptor_;
};

}  // namespace stepwell::host
