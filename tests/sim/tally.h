// Tally — how often each fault and each way of recovery happened, over all seeds of a process.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace stepwell::sim {

class Tally {
 public:
  Tally();  // All of them, at 0.

  void count(const std::string& what, std::uint64_t times = 1) { counts_[what] += times; }
  void add(const Tally& other) {
    for (const auto& [what, times] : other.counts_) counts_[what] += times;
  }
  const std::map<std::string, std::uint64_t>& counts() const { return counts_; }

 private:
  std::map<std::string, std::uint64_t> counts_;
};

}  // namespace stepwell::sim
