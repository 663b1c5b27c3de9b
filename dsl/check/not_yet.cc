// What is read and checked, and cannot be run by this version: it is said before it is reached.
#include "dsl/check/rules.h"
#include "dsl/tables/resource.h"

namespace stepwell::dsl {

namespace {

void warn(Checking& check, const Place& place, const std::string& pointer,
          const std::string& message) {
  check.findings.warning("not-yet", place, pointer, message);
}

}  // namespace

void warn_of_map_not_yet(Checking& check, const Spot& state) {
  for (const char* field : {"ItemReader", "ItemBatcher", "ResultWriter"}) {
    const Member* member = state.node.find(field);
    if (member == nullptr) continue;
    warn(check, member->key_place, below(state.pointer, field),
         "this version of Stepwell cannot run a Map with " + std::string(field) +
             ": it fails with States.Runtime, which nothing catches");
  }
}

void warn_of_resource_not_yet(Checking& check, const Spot& spot, const std::string& resource,
                              const ResourceName& name) {
  if (!is_arn(resource)) return;
  const std::string& action = name.event_resource;
  if (name.family == TaskFamily::kActivity) {
    warn(check, spot.node.place, spot.pointer,
         "this version of Stepwell has no activities: nobody can take this task");
  } else if (action.ends_with(".waitForTaskToken")) {
    warn(check, spot.node.place, spot.pointer,
         "this version of Stepwell has no task tokens: this task ends when its function does");
  } else if (action.ends_with(".sync") || action.ends_with(".sync:2")) {
    warn(check, spot.node.place, spot.pointer,
         "this version of Stepwell does not wait for jobs (.sync): this task ends when its "
         "function does");
  }
}

void warn_of_token_not_yet(Checking& check, const Spot& spot, const Place& place) {
  warn(check, place, spot.pointer,
       "this version of Stepwell has no task tokens: the context object has no Task");
}

}  // namespace stepwell::dsl
