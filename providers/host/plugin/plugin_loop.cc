#include "providers/host/plugin/plugin_loop.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "base/hash.h"
#include "providers/host/plugin/confine.h"
#include "providers/host/plugin_main.h"

namespace stepwell::host {
namespace {

constexpr std::chrono::milliseconds kSlice{20};
// How far beyond its limit a call may be in a C function before the process is ended.
constexpr std::chrono::milliseconds kGrace{200};
constexpr int kCannotConfine = 71;

}  // namespace

int PluginLoop::run() {
  while (read_frames(runnable_.empty())) {
    if (!runnable_.empty()) run_slice();
    if (!flush()) break;
  }
  return 0;
}

bool PluginLoop::read_frames(bool may_block) {
  std::array<char, 65536> bytes;
  for (;;) {
    const ssize_t got = recv(channel_, bytes.data(), bytes.size(), may_block ? 0 : MSG_DONTWAIT);
    if (got == 0) return false;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN;
    reader_.feed(std::string_view(bytes.data(), static_cast<std::size_t>(got)));
    may_block = false;
    for (;;) {
      auto frame = reader_.next();
      if (!frame.ok()) return false;
      if (!frame->has_value()) break;
      if (!handle(**frame)) return false;
    }
  }
}

bool PluginLoop::handle(const Value& frame) {
  const std::string kind = text_of(frame, "f");
  if (kind == "load") {
    if (is_confined_ && code_.empty() && broken_.empty() && !confine_process(channel_)) {
      _exit(kCannotConfine);
    }
    load(frame);
  } else if (kind == "call") {
    begin(frame);
  } else if (kind == "answer") {
    const auto call = calls_.find(int_of(frame, "call"));
    if (call != calls_.end() && call->second->answer(frame)) runnable_.push_back(call->first);
  } else if (kind == "cancel") {
    calls_.erase(int_of(frame, "call"));
  }
  return true;
}

void PluginLoop::load(const Value& frame) {
  auto code = std::make_shared<Code>();
  code->provider = text_of(frame, "provider");
  code->is_library = flag_of(frame, "library");
  const Value* limits = frame.find("limits");
  if (limits != nullptr) {
    code->memory_limit = static_cast<std::size_t>(int_of(*limits, "memory", 32 << 20));
    code->cpu_limit = std::chrono::milliseconds(int_of(*limits, "cpu_ms", 500));
  }
  std::string problem;
  if (const Value* files = frame.find("files"); files != nullptr && files->is_object()) {
    for (const auto& [path, text] : files->as_object()) {
      if (!text.is_string()) continue;
      auto chunk = compile_lua(text.as_string(), code->provider + "/" + path);
      if (chunk.ok()) {
        code->chunks[path] = std::move(chunk).value();
      } else if (problem.empty()) {
        problem = code->provider + "/" + path + ": " + chunk.error().message;
      }
    }
  }
  if (const Value* maps = frame.find("maps"); maps != nullptr && maps->is_object()) {
    for (const auto& [name, text] : maps->as_object()) {
      if (text.is_string()) code->maps[name] = text.as_string();
    }
  }
  const std::string version = text_of(frame, "version");
  if (!problem.empty()) broken_[version] = problem;
  code_[version] = std::move(code);
}

void PluginLoop::begin(const Value& frame) {
  const std::int64_t id = int_of(frame, "call");
  const std::string version = text_of(frame, "version");
  const auto code = code_.find(version);
  const auto broken = broken_.find(version);
  if (code == code_.end() || broken != broken_.end()) {
    const std::string why =
        broken == broken_.end() ? "version " + version + " was not loaded" : broken->second;
    return send(Value(Object{{"f", "error"},
                             {"call", id},
                             {"error", Value(Object{{"class", "Provider.ScriptError"},
                                                    {"message", as_text(why, 4000)}})}}));
  }
  CallStart start;
  start.id = id;
  start.function = text_of(frame, "function");
  if (const Value* ctx = frame.find("ctx")) start.ctx = *ctx;
  if (const Value* args = frame.find("args")) start.args = *args;
  start.seed = static_cast<std::uint64_t>(int_of(frame, "seed"));
  calls_[id] = std::make_unique<LuaCall>(code->second, std::move(start),
                                         [this](const Value& out) { send(out); });
  runnable_.push_back(id);
}

void PluginLoop::run_slice() {
  const std::int64_t id = runnable_.front();
  runnable_.pop_front();
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;  // Cancelled.
  LuaCall& call = *found->second;
  if (is_confined_) begin_slice(id, call.cpu_left() + kGrace);
  const LuaCall::Progress progress = call.resume(kSlice);
  if (progress == LuaCall::Progress::kEnded) calls_.erase(id);
  if (is_confined_) end_slice();
  if (progress == LuaCall::Progress::kRunnable) runnable_.push_back(id);
}

void PluginLoop::send(const Value& frame) {
  if (frame.json_size() <= kMaxFrameBytes) return append_frame(out_, frame);
  append_frame(
      out_,
      Value(Object{
          {"f", "error"},
          {"call", int_of(frame, "call")},
          {"error", Value(Object{{"class", "Provider.LimitExceeded"},
                                 {"message", "a message of " + std::to_string(frame.json_size()) +
                                                 " bytes"}})}}));
}

// Whole frames only, and never while a call runs: the last words must not cut one in two.
bool PluginLoop::flush() {
  std::size_t sent = 0;
  while (sent < out_.size()) {
    const ssize_t wrote = write(channel_, out_.data() + sent, out_.size() - sent);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    sent += static_cast<std::size_t>(wrote);
  }
  out_.clear();
  return true;
}

int plugin_main(int channel_fd) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGPIPE, SIG_IGN);
  install_last_words(channel_fd);
  // Whatever the language's run time opens on first use, it opens now.
  try {
    if (!compile_lua("error('x')", "warm").ok()) return 1;
    for (const char* algorithm : {"SHA-1", "SHA-256", "SHA-512"}) {
      if (!digest_hex(algorithm, "warm")) return 1;
    }
    CHECK(channel_fd < 0, "warm-up");
  } catch (const InvariantBroken&) {
  }
  const int status = PluginLoop(channel_fd, true).run();
  _exit(status);
}

}  // namespace stepwell::host
