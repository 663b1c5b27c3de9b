#include "providers/fake/knobs.h"

#include <optional>
#include <variant>

#include "base/match.h"
#include "base/time.h"

namespace stepwell::fake {
namespace {

using Share = double Knobs::*;
using Count = std::int64_t Knobs::*;
struct Word {
  std::string Knobs::*member;
  std::vector<std::string> words;
};
struct Windows {
  std::vector<Trouble> Knobs::*member;
  int status;
};

struct Knob {
  const char* name;
  std::variant<Share, Count, Word, Windows> member;
};

const std::vector<Knob>& table() {
  static const std::vector<Knob> kTable = {
      {"errors", &Knobs::errors},
      {"resets", &Knobs::resets},
      {"limited", &Knobs::limited},
      {"truncated", &Knobs::truncated},
      {"slow", &Knobs::slow},
      {"commit_then_fail", &Knobs::commit_then_fail},
      {"land_late", &Knobs::land_late},
      {"pending", &Knobs::pending},
      {"latency_ms", &Knobs::latency_ms},
      {"slow_ms", &Knobs::slow_ms},
      {"land_late_ms", &Knobs::land_late_ms},
      {"pending_ms", &Knobs::pending_ms},
      {"retry_after_s", &Knobs::retry_after_s},
      {"quota", &Knobs::quota},
      {"quota_s", &Knobs::quota_s},
      {"access_ttl_s", &Knobs::access_ttl_s},
      {"rotation", Word{&Knobs::rotation, {"none", "rotate", "single_use"}}},
      {"client_ids", Word{&Knobs::client_ids, {"honoured", "ignored"}}},
      {"bad_windows", Windows{&Knobs::bad_windows, 500}},
      {"slow_windows", Windows{&Knobs::slow_windows, 413}},
  };
  return kTable;
}

Error wrong(const std::string& what) { return {ErrorCode::kInvalid, what}; }

// A day or an instant.
std::optional<Seconds> instant(const Value* value) {
  if (value == nullptr || !value->is_string()) return std::nullopt;
  std::string text = value->as_string();
  if (text.size() == 10) text += "T00:00:00Z";
  const auto time = parse_rfc3339(text);
  if (!time) return std::nullopt;
  return unix_ms(*time) / 1000;
}

Result<Trouble> trouble_of(const std::string& name, const Value& value, int status) {
  Trouble trouble;
  const auto from = instant(value.find("from")), to = instant(value.find("to"));
  if (!from || !to || *from >= *to) {
    return wrong(name + ": each window has from and to, RFC 3339 or YYYY-MM-DD");
  }
  trouble.span = {*from, *to};
  trouble.status = status;
  for (const auto& [key, member] : value.as_object()) {
    if (key == "from" || key == "to") continue;
    if (key == "max_days" && member.is_number()) {
      trouble.max_days = member.as_double();
    } else if (key == "status" && member.is_int()) {
      trouble.status = static_cast<int>(member.as_int());
    } else {
      return wrong(name + ": a window knows from, to, max_days and status, not " + key);
    }
  }
  return trouble;
}

Value to_value(const std::vector<Trouble>& windows) {
  Value::Array list;
  for (const Trouble& one : windows) {
    list.push_back(Value(Object{{"from", to_rfc3339(from_unix_ms(one.span.from * 1000))},
                                {"to", to_rfc3339(from_unix_ms(one.span.to * 1000))},
                                {"max_days", one.max_days},
                                {"status", one.status}}));
  }
  return Value(std::move(list));
}

Status set_one(Knobs& knobs, const Knob& knob, const Value& value) {
  const std::string name = knob.name;
  return std::visit(
      match{[&](Share share) -> Status {
              if (!value.is_number() || value.as_double() < 0 || value.as_double() > 1) {
                return wrong(name + " is a share from 0 to 1");
              }
              knobs.*share = value.as_double();
              return ok_status();
            },
            [&](Count count) -> Status {
              if (!value.is_int() || value.as_int() < 0) {
                return wrong(name + " is a whole number, not negative");
              }
              knobs.*count = value.as_int();
              return ok_status();
            },
            [&](const Word& word) -> Status {
              std::string known;
              for (const std::string& one : word.words) {
                if (value == Value(one)) {
                  knobs.*word.member = one;
                  return ok_status();
                }
                known += (known.empty() ? "" : ", ") + one;
              }
              return wrong(name + " is one of " + known);
            },
            [&](const Windows& windows) -> Status {
              if (!value.is_array()) return wrong(name + " is a list of windows");
              std::vector<Trouble> list;
              for (const Value& item : value.as_array()) {
                if (!item.is_object()) return wrong(name + " is a list of windows");
                list.push_back(TRY(trouble_of(name, item, windows.status)));
              }
              knobs.*windows.member = std::move(list);
              return ok_status();
            }},
      knob.member);
}

}  // namespace

Status Knobs::set(const Value& change) {
  if (!change.is_object()) return wrong("knobs are an object");
  Knobs next = *this;
  for (const auto& [name, value] : change.as_object()) {
    const Knob* found = nullptr;
    for (const Knob& knob : table()) {
      if (name == knob.name) found = &knob;
    }
    if (found == nullptr) return wrong("there is no knob " + name);
    TRY(set_one(next, *found, value));
  }
  if (next.quota_s < 1) return wrong("quota_s is at least 1");
  *this = std::move(next);
  return ok_status();
}

Value Knobs::to_value() const {
  Object out;
  for (const Knob& knob : table()) {
    std::visit(match{[&](Share share) { out.set(knob.name, this->*share); },
                     [&](Count count) { out.set(knob.name, this->*count); },
                     [&](const Word& word) { out.set(knob.name, this->*word.member); },
                     [&](const Windows& windows) {
                       out.set(knob.name, fake::to_value(this->*windows.member));
                     }},
               knob.member);
  }
  return Value(std::move(out));
}

}  // namespace stepwell::fake
