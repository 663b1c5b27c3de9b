// History events as GetExecutionHistory answers them.
#include <cctype>

#include "engine/step/history.h"

namespace stepwell {

namespace {

// The types whose details have a name that is not that of the type.
std::string details_key(const std::string& type) {
  for (const std::string_view end : {"StateEntered", "StateExited"}) {
    if (type.size() > end.size() && type.ends_with(end)) {
      return end == "StateEntered" ? "stateEnteredEventDetails" : "stateExitedEventDetails";
    }
  }
  std::string key = type + "EventDetails";
  key[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(key[0])));
  return key;
}

}  // namespace

Value to_aws_json(const HistoryEvent& event) {
  Object json{{"timestamp", to_rfc3339(event.at)},
              {"type", event.type},
              {"id", event.id},
              {"previousEventId", event.previous_id}};
  if (event.details.is_object()) {
    Object details = event.details.as_object();
    if (details.contains("input")) details.set("inputDetails", Object{{"truncated", false}});
    if (details.contains("output")) details.set("outputDetails", Object{{"truncated", false}});
    json.set(details_key(event.type), std::move(details));
  }
  return json;
}

}  // namespace stepwell
