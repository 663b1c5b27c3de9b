#include "cli/progress.h"

#include <algorithm>
#include <chrono>

#include "cli/console.h"

namespace stepwell::cli {
namespace {

constexpr std::size_t kNarrowestBar = 6;
constexpr std::size_t kWidestBar = 40;
constexpr std::chrono::seconds kAWhile{10};  // A shorter rest is over before it is read of.

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

std::string text_of(const Value* value) {
  return value != nullptr && value->is_string() ? value->as_string() : std::string();
}

std::uint64_t number_of(const Value* value) {
  return value != nullptr && value->is_int() ? static_cast<std::uint64_t>(value->as_int()) : 0;
}

bool is_of_task(const std::string& type) {
  return type.starts_with("Task") || type.starts_with("LambdaFunction") ||
         type.starts_with("Activity");
}

std::string counted(std::uint64_t retries) {
  return std::to_string(retries) + (retries == 1 ? " retry" : " retries");
}

// RFC 3339, or seconds since 1970 as AWS sends them.
Time time_of(const Value* value) {
  if (value != nullptr && value->is_number()) {
    return from_unix_ms(static_cast<std::int64_t>(value->as_double() * 1000));
  }
  return parse_rfc3339(text_of(value)).value_or(Time());
}

// The member ...EventDetails of an event; each type has its own.
const Value* details_of(const Value& event) {
  for (const auto& [name, member] : event.as_object()) {
    if (ends_with(name, "EventDetails")) return &member;
  }
  return nullptr;
}

std::string bar(std::uint64_t done, std::uint64_t total, std::size_t width) {
  const std::size_t full = total == 0 ? width : static_cast<std::size_t>(done * width / total);
  std::string text;
  for (std::size_t i = 0; i < width; ++i) text += i < full ? "█" : "░";
  return text;
}

std::string estimate(const MapProgress& map, Time now) {
  if (map.done == 0 || map.done >= map.total) return "";
  const auto spent = std::max<std::int64_t>((now - map.began).count(), 0);
  const auto left = spent * static_cast<std::int64_t>(map.total - map.done) /
                    static_cast<std::int64_t>(map.done) / 1000;
  if (left >= 120) return "~" + std::to_string(left / 60) + " min left";
  return "~" + std::to_string(left + 1) + " s left";
}

}  // namespace

MapProgress* Progress::running(const std::string& name) {
  for (auto map = maps_.rbegin(); map != maps_.rend(); ++map) {
    if (!map->is_over && map->name == name) return &*map;
  }
  return nullptr;
}

void Progress::feed(const Value& event) {
  const std::uint64_t id = number_of(event.find("id"));
  if (id <= last_event_) return;  // The last page is read again until it is full.
  last_event_ = id;
  const std::string type = text_of(event.find("type"));
  const Value* details = details_of(event);
  const std::string name = details == nullptr ? "" : text_of(details->find("name"));
  if (ends_with(type, "StateEntered")) {
    if (type == "MapStateEntered") entered_maps_[id] = name;
    if (map() == nullptr) state_ = name;
  } else if (type == "MapStateStarted") {
    const auto entered = entered_maps_.find(number_of(event.find("previousEventId")));
    maps_.push_back({entered == entered_maps_.end() ? "Map" : entered->second,
                     details == nullptr ? 0 : number_of(details->find("length")), 0, 0,
                     time_of(event.find("timestamp")), false});
  } else if (type == "MapIterationSucceeded" || type == "MapIterationFailed") {
    if (MapProgress* map = running(name)) {
      ++map->done;
      map->failed += type == "MapIterationFailed" ? 1 : 0;
    }
  } else if (type == "MapStateSucceeded" || type == "MapStateFailed" || type == "MapStateAborted") {
    // Which one ended is not said: the one that has nothing left, else the newest.
    for (auto map = maps_.rbegin(); map != maps_.rend(); ++map) {
      if (map->is_over || (type == "MapStateSucceeded" && map->done < map->total)) continue;
      map->is_over = true;
      break;
    }
  } else if (is_of_task(type) && (ends_with(type, "Failed") || ends_with(type, "TimedOut"))) {
    failures_.insert(id);
  } else if (ends_with(type, "Scheduled")) {
    retries_ += failures_.erase(number_of(event.find("previousEventId")));
  }
}

const MapProgress* Progress::map() const {
  const MapProgress* largest = nullptr;
  for (const MapProgress& map : maps_) {
    if (!map.is_over && (largest == nullptr || map.total > largest->total)) largest = &map;
  }
  return largest;
}

std::optional<unsigned> Progress::percent() const {
  const MapProgress* running = map();
  if (running == nullptr || running->total == 0) return std::nullopt;
  return static_cast<unsigned>(running->done * 100 / running->total);
}

std::string Progress::plain() const {
  const MapProgress* running = map();
  if (running == nullptr) return state_.empty() ? "started" : state_;
  std::string text =
      running->name + " " + std::to_string(running->done) + "/" + std::to_string(running->total);
  if (running->failed > 0) text += ", " + std::to_string(running->failed) + " failed";
  if (retries_ > 0) text += ", " + counted(retries_);
  return text;
}

std::string Progress::line(std::size_t width, Time now) const {
  const MapProgress* running = map();
  if (running == nullptr) return plain();
  const std::string counts = std::to_string(running->done) + "/" + std::to_string(running->total) +
                             (retries_ > 0 ? "  " + counted(retries_) : "");
  const std::string left = estimate(*running, now);
  // What a narrow terminal loses first: the estimate, then the name; the bar and counts stay.
  const std::size_t fixed = columns_of(counts) + 2;
  std::string name = running->name + "  ";
  std::string tail = left.empty() ? "" : "  " + left;
  if (columns_of(name) + kNarrowestBar + fixed + columns_of(tail) > width) tail.clear();
  if (columns_of(name) + kNarrowestBar + fixed > width) name.clear();
  const std::size_t used = columns_of(name) + fixed + columns_of(tail);
  const std::size_t room = width > used ? width - used : kNarrowestBar;
  return name + bar(running->done, running->total, std::clamp(room, kNarrowestBar, kWidestBar)) +
         "  " + counts + tail;
}

std::string standstill(const Value& waiting, Time now) {
  const Value* waits = waiting.find("for");
  if (waits == nullptr || !waits->is_array()) return "";
  const Value* first = nullptr;
  std::optional<Time> wakes;
  bool all_rest = true;
  for (const Value& wait : waits->as_array()) {
    const std::string reason = text_of(wait.find("reason"));
    if (reason == "handler") {
      return "waiting at " + text_of(wait.find("where")) + ": " + text_of(wait.find("text"));
    }
    if (reason == "suspect") return "waiting: " + text_of(wait.find("text"));
    const auto until = parse_rfc3339(text_of(wait.find("until")));
    all_rest = all_rest && until && (reason == "timer" || reason == "retry");
    if (!until || (wakes && *wakes <= *until)) continue;
    wakes = until;
    first = &wait;
  }
  if (!all_rest || first == nullptr || *wakes < now + kAWhile) return "";
  std::string text =
      "waiting at " + text_of(first->find("where")) + " until " + text_of(first->find("until"));
  if (text_of(first->find("reason")) == "retry") {
    text += ", to try again after " + text_of(first->find("last_error"));
  }
  return text;
}

}  // namespace stepwell::cli
