#include "engine/observe/health.h"

#include <utility>

namespace stepwell::runtime {

Health::Probe Health::add(Weight weight) {
  const MutexLock lock(mutex_);
  talks_.emplace_back().weight = weight;
  return talks_.size() - 1;
}

void Health::asks(Probe probe, std::int64_t now_ms) {
  const MutexLock lock(mutex_);
  talks_.at(probe).asked_ms = now_ms;
}

void Health::works(Probe probe) {
  const MutexLock lock(mutex_);
  Talk& talk = talks_.at(probe);
  talk.asked_ms.reset();
  talk.failing_ms.reset();
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
  const auto worst = longest_outage(Weight::kVital, now_ms);
  if (!worst || now_ms - worst->since_ms < limits_.tolerated.count()) return "";
  return "trouble with the database: " + worst->reason;
}

std::string Health::news(std::int64_t now_ms) {
  const MutexLock lock(mutex_);
  const std::string line = news_of(Weight::kVital, now_ms);
  return line.empty() ? news_of(Weight::kUpkeep, now_ms) : line;
}

std::string Health::news_of(Weight weight, std::int64_t now_ms) {
  const bool is_vital = weight == Weight::kVital;
  std::optional<std::int64_t>& told_ms = told_ms_.at(static_cast<std::size_t>(weight));
  const auto worst = longest_outage(weight, now_ms);
  if (worst && !told_ms && now_ms - worst->since_ms >= limits_.told.count()) {
    told_ms = worst->since_ms;
    const std::string lasts = to_human(Millis(now_ms - worst->since_ms));
    return (is_vital ? "trouble with the database for " + lasts
                     : "upkeep of the database has failed for " + lasts) +
           ", trying again: " + worst->reason;
  }
  if (worst || !told_ms) return "";
  const std::string lasted = to_human(Millis(now_ms - *std::exchange(told_ms, std::nullopt)));
  return is_vital ? "the database works again, after " + lasted + " of trouble"
                  : "upkeep of the database works again, after " + lasted + " of failing";
}

std::optional<Health::Outage> Health::longest_outage(Weight weight, std::int64_t now_ms) const {
  std::optional<Outage> worst;
  for (const Talk& talk : talks_) {
    if (talk.weight != weight) continue;
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
