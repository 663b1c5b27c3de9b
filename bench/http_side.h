// HttpSide — the API of a bench's engine on a port of this machine, and readers of long histories
// beside what is measured.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "engine/runtime/async_engine.h"
#include "net/loop/loop.h"
#include "server/native/api.h"

namespace stepwell::bench {

// Serves from a thread of its own until it is destroyed; the engine outlives it.
class HttpSide {
 public:
  static Result<std::unique_ptr<HttpSide>> serve(runtime::AsyncEngine& engine);
  ~HttpSide();
  std::string url() const { return url_; }
  int port() const { return port_; }

 private:
  HttpSide() = default;
  loop::UvLoop loop_;
  std::unique_ptr<server::Api> api_;  // Of the loop's thread, once it runs.
  std::string url_;
  int port_ = 0;
  std::thread thread_;
};

// Threads that read all pages of one history over HTTP, again and again.
class PageReaders {
 public:
  PageReaders(std::string history_url, unsigned readers);
  ~PageReaders() { stop(); }
  std::uint64_t stop();  // The pages that were read.
  std::uint64_t refused() const { return refused_; }

 private:
  void read();

  const std::string url_;
  std::atomic<bool> is_over_{false};
  std::atomic<std::uint64_t> pages_{0}, refused_{0};
  std::vector<std::thread> threads_;
};

}  // namespace stepwell::bench
