#include "engine/runtime/health.h"

namespace stepwell::runtime {

Health::Talker Health::add() {
  const std::scoped_lock lock(mutex_);
  talks_.emplace_back();
  return talks_.size() - 1;
}

void Health::asks(Talker talker, std::int64_t now_ms) {
  const std::scoped_lock lock(mutex_);
  talks_.at(talker).asked_ms = now_ms;
}

void Health::works(Talker talker) {
  const std::scoped_lock lock(mutex_);
  talks_.at(talker) = {};
}

void Health::fails(Talker talker, const Error& error) {
  const std::scoped_lock lock(mutex_);
  Talk& talk = talks_.at(talker);
  CHECK(talk.asked_ms, "a talker heard of a question that it did not ask");
  if (!talk.failing_ms) talk.failing_ms = talk.asked_ms;
  talk.asked_ms.reset();
  talk.reason = error.message;
}

std::string Health::trouble(std::int64_t now_ms) const {
  const auto worst = outage(now_ms);
  if (!worst || now_ms - worst->since_ms < limits_.tolerated.count()) return "";
  return "trouble with the database: " + worst->reason;
}

std::optional<Health::Outage> Health::outage(std::int64_t now_ms) const {
  const std::scoped_lock lock(mutex_);
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
