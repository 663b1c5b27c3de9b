// Secrets — takes live secrets out of whatever leaves the broker towards Lua, logs and errors.
// Loop thread only.
#pragma once

#include <deque>
#include <string>
#include <string_view>

namespace stepwell::host {

class Secrets {
 public:
  // Remembered for as long as the newest thousand.
  void add(const std::string& secret);
  // Every known secret, as it is or percent-encoded, and what follows "Bearer ", replaced.
  std::string scrub(std::string_view text) const;
  // The same for just these: for bodies, where looking for all would cost too much.
  static std::string scrub(std::string text, const std::deque<std::string>& secrets);

 private:
  std::deque<std::string> known_;
  std::deque<std::string> spellings_;  // Three for each known one.
};

}  // namespace stepwell::host
