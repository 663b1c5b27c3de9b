// PluginDriver — a plugin process at the end of a socketpair, spoken to frame by frame.
#pragma once

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <map>
#include <optional>
#include <string>

#include "base/value.h"
#include "providers/host/frames.h"
#include "providers/host/plugin_main.h"

namespace stepwell::host {

class PluginDriver {
 public:
  PluginDriver() {
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
    child_ = fork();
    CHECK(child_ >= 0, "fork");
    if (child_ == 0) {
      close(ends[0]);
      plugin_main(ends[1]);
      _exit(99);
    }
    close(ends[1]);
    channel_ = ends[0];
  }
  ~PluginDriver() {
    close(channel_);
    if (child_ > 0) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
  }

  void send(const Value& frame) {
    std::string bytes;
    append_frame(bytes, frame);
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t wrote =
          ::send(channel_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (wrote <= 0) return;
      sent += static_cast<std::size_t>(wrote);
    }
  }

  // The next frame; nothing when the process has hung up (or is silent for ten seconds).
  std::optional<Value> receive() {
    for (;;) {
      auto frame = reader_.next();
      CHECK(frame.ok(), "a broken frame");
      if (frame->has_value()) return **frame;
      pollfd ready{channel_, POLLIN, 0};
      if (poll(&ready, 1, 10'000) <= 0) return std::nullopt;
      std::array<char, 65536> bytes;
      const ssize_t got = read(channel_, bytes.data(), bytes.size());
      if (got <= 0) return std::nullopt;
      reader_.feed(std::string_view(bytes.data(), static_cast<std::size_t>(got)));
    }
  }

  // Loads `lua` as provider.lua of version "v", with more files as given.
  void load(const std::string& lua, const std::map<std::string, std::string>& more = {},
            Object limits = {}, bool is_library = false) {
    Object files{{"provider.lua", lua}};
    for (const auto& [path, text] : more) files.set(path, text);
    send(Value(Object{{"f", "load"},
                      {"provider", "acme"},
                      {"version", "v"},
                      {"library", is_library},
                      {"files", Value(std::move(files))},
                      {"maps", Value(Object{{"sport", R"({"Run":"running"})"}})},
                      {"limits", Value(std::move(limits))}}));
  }
  void call(std::int64_t id, const std::string& function = "run", Value args = Value(Object())) {
    send(Value(Object{{"f", "call"},
                      {"call", id},
                      {"version", "v"},
                      {"function", function},
                      {"ctx", Value(Object{{"now", 1000}, {"key", "k"}})},
                      {"args", std::move(args)},
                      {"seed", 7}}));
  }
  void answer(std::int64_t call, std::int64_t n, Value value) {
    send(Value(Object{{"f", "answer"}, {"call", call}, {"n", n}, {"value", std::move(value)}}));
  }

  // The exit status as of waitpid.
  int wait() {
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = -1;
    return status;
  }
  int pid() const { return child_; }

 private:
  int child_ = -1, channel_ = -1;
  FrameReader reader_;
};

// "result <json>", "error <class>: <message>", or "gone".
inline std::string outcome(const std::optional<Value>& frame) {
  if (!frame) return "gone";
  if (text_of(*frame, "f") == "result") return "result " + frame->find("value")->to_json();
  if (const Value* error = frame->find("error")) {
    return "error " + text_of(*error, "class") + ": " + text_of(*error, "message");
  }
  return frame->to_json();
}

// Runs `return function body` once in a process of its own. What is not about the CPU limit must
// not meet it on a busy machine, so the limit is far away unless a test says otherwise.
inline std::string run_lua(const std::string& body, std::int64_t cpu_ms = 60'000) {
  PluginDriver plugin;
  plugin.load("local M = {}\nfunction M.run(ctx, args)\n" + body + "\nend\nreturn M", {},
              {{"cpu_ms", cpu_ms}});
  plugin.call(1);
  return outcome(plugin.receive());
}

}  // namespace stepwell::host
