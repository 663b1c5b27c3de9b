#include "engine/observe/health.h"

#include <utility>

namespace stepwell::runtime {

Health::Probe Health::add() {
  const MutexLock lock(mutex_);
  talks_.emplace_back();
  return talks_.size() - 1;
}

void Health::asks(Probe probe, std::int64_t now_ms) {
  const MutexLock lock(mutex_);
  talks_.at(probe).asked_ms = now_ms;
}

void Health::works(Probe probe) {
  const MutexLock lock(mutex_);
  talks_.at(probe) = {};
}

void Health::fails(Probe probe, const Error& error) {
  const MutexLock lock(mutex_);
  Talk& talk = talks_.at(probe);
  CHECK(talk.asked_ms, "a probe tells of an answer without a question");
  if (!talk.failing_ms) talk.failing_ms = talk.asked_ms;
  talk.asked_ms.reset();
  talk.reason = error.message;
}

std::string Health::trouble(std::int64_t now_ms) const {
  const MutexLock lock(mutex_);
  const auto worst = longest_outage(now_ms);
  if (!worst || now_ms - worst->since_ms < limits_.tolerated.count()) return "";
  return "trouble with the database: " + worst->reason;
}

std::string Health::news(std::int64_t now_ms) {
  const MutexLock lock(mutex_);
  const auto worst = longest_outage(now_ms);
  if (worst && !told_ms_ && now_ms - worst->since_ms >= limits_.told.count()) {
    told_ms_ = worst->since_ms;
    return "trouble with the database for " + to_human(Millis(now_ms - worst->since_ms)) +
           ", trying again: " + worst->reason;
  }
  if (worst || !told_ms_) return "";
  const Millis lasted(now_ms - *std::exchange(told_ms_, std::nullopt));
  return "the database works again, after " + to_human(lasted) + " of trouble";
}

std::optional<Health::Outage> Health::longest_outage(std::int64_t now_ms) const {
  std::optional<Outage> worst;
  for (const Talk& talk : talks_) {
    std::optional<Outage> one;
    if (talk.failing_ms) {
      one = {*talk.failing_ms, talk.reason};
    } else if (talk.asked_ms && now_ms - *talk.asked_ms >= limits_.silence.count()) {
      one = {*talk.asked_ms, "it does not answer"};
    }
    if (one && (!worst || one->since_ms < worst->since_ms)) worst = std::move(one);
  }
  return worst;
}

}  // namespace stepwell::runtime
