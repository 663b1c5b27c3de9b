// A state: which fields it has, what stands in each, and what its kind needs.
#include <algorithm>
#include <limits>
#include <utility>

#include "dsl/check/rules.h"
#include "dsl/tables/resource.h"

namespace stepwell::dsl {

namespace {

constexpr double kNoLimit = std::numeric_limits<double>::infinity();
constexpr std::uint16_t kGoesOn = kTask | kPass | kWait | kParallel | kMap;

struct StateSpot {
  const Spot& spot;
  const Place& place;  // Of its name.
  const std::string& name;
  std::uint16_t kinds;  // One kind; kEveryKind when the Type is wrong.
  Language language, machine_language;

  std::string words() const {
    return kinds == kEveryKind ? "a state"
                               : "a " + std::string(name_of(static_cast<Kind>(kinds))) + " state";
  }
  // What expressions in its own Output and Assign may read.
  JsonataRule rule() const {
    JsonataRule rule;
    rule.has_result = (kinds & (kTask | kParallel | kMap)) != 0;
    return rule;
  }
};

std::uint16_t kinds_of(Checking& check, const Spot& spot, const Place& place) {
  const Member* type = spot.node.find("Type");
  if (type == nullptr) {
    check_required(check, spot, place, {"Type"}, "a state");
    return kEveryKind;
  }
  const Spot value = spot.under(*type);
  const bool is_word = value.node.value.is_string();
  const auto kind = is_word ? kind_named(value.node.value.as_string()) : std::nullopt;
  if (kind) return *kind;
  std::string all;
  for (const std::string& name : kind_names()) all += (all.empty() ? "" : ", ") + name;
  std::string hint = is_word ? did_you_mean(value.node.value.as_string(), kind_names()) : "";
  if (hint.empty()) hint = "one of " + all;
  in_aws_words(
      check.findings.error("unknown-type", value.node.place, value.pointer,
                           in_words(value.node.value) + " is not a type of state", hint),
      {"", "The field 'Type' should have one of these values: [" + all + "]", value.pointer});
  return kEveryKind;
}

// What a state of JSONata has instead of a field of JSONPath.
std::string hint_in_jsonata(std::uint16_t kinds, const std::string& name) {
  const std::string jsonata = "this state is JSONata: ";
  if (name == "InputPath") return jsonata + "expressions read what they need of $states.input";
  if (name == "Parameters") {
    const char* instead = kinds == kMap ? "ItemSelector" : kinds == kPass ? "Output" : "Arguments";
    return jsonata + "use " + json_quote(instead) + " with \"{% ... %}\"";
  }
  if (name == "Result" || name == "ResultSelector" || name == "ResultPath" ||
      name == "OutputPath") {
    return jsonata + "use \"Output\" with \"{% ... %}\"";
  }
  const std::string plain = name.substr(0, name.size() - std::min<std::size_t>(4, name.size()));
  return jsonata + "write " + plain + ": \"{% ... %}\"";
}

// The field of the language that a word of other languages means, where the two are too different
// for nearest(); "" for any other word.
std::string other_word(const std::string& name) {
  constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {"Retries", "Retry"},
      {"Retriers", "Retry"},
      {"Timeout", "TimeoutSeconds"},
      {"Heartbeat", "HeartbeatSeconds"},
      {"Message", "Cause"},
      {"Delay", "Seconds"},
      {"Goto", "Next"},
      {"Concurrency", "MaxConcurrency"},
  };
  for (const auto& [word, field] : kWords) {
    if (name == word) return std::string(field);
  }
  return {};
}

std::string hint_for_unknown(const StateSpot& state, const std::string& name) {
  const Field* field = field_anywhere(name);
  if (field == nullptr) {
    const std::vector<std::string> legal = legal_fields(state.kinds, state.language);
    const std::string other = other_word(name);
    const bool is_legal = std::find(legal.begin(), legal.end(), other) != legal.end();
    return did_you_mean(is_legal ? other : name, legal);
  }
  if ((field->kinds & state.kinds) != 0) {
    if (state.language == Language::kJsonata) return hint_in_jsonata(state.kinds, name);
    if (name == "Arguments") return "in JSONPath it is called \"Parameters\"";
    if (name == "Items") return "in JSONPath it is called \"ItemsPath\"";
    if (name == "Output")
      return "in JSONPath use \"ResultSelector\", \"ResultPath\" or \"OutputPath\"";
  }
  if (name == "End" || name == "Next") {
    return state.kinds == kChoice ? "a Choice goes on where its rules and \"Default\" say"
                                  : "the workflow ends here by itself; remove it";
  }
  return "it belongs to " + kinds_in_words(field->kinds);
}

// What AWS says of the unknown field.
std::string words_for_unknown(const StateSpot& state, const std::string& name) {
  const Field* field = field_anywhere(name);
  if (field == nullptr || (field->kinds & state.kinds) == 0) {
    return "Field '" + name + "' is not supported";
  }
  const bool is_path_mode = state.language == Language::kJsonPath;
  return std::string("The QueryLanguage is set to '") + (is_path_mode ? "JSONPath" : "JSONata") +
         "', but field '" + name + "' is only supported for the '" +
         (is_path_mode ? "JSONata" : "JSONPath") + "' QueryLanguage";
}

void report_unknown(Checking& check, const StateSpot& state, const Member& member) {
  const std::string pointer = below(state.spot.pointer, member.key);
  in_aws_words(check.findings.error("unknown-field", member.key_place, pointer,
                                    json_quote(member.key) + " is not a field of " + state.words(),
                                    hint_for_unknown(state, member.key)),
               {"", words_for_unknown(state, member.key), state.spot.pointer});
}

void check_credentials(Checking& check, const Spot& spot, Language language) {
  if (!is_object(check, spot, "Credentials")) return;
  const bool has_role = spot.node.find("RoleArn") != nullptr ||
                        (language == Language::kJsonPath && spot.node.find("RoleArn.$") != nullptr);
  if (!has_role) {
    in_aws_words(check.findings.error("missing-field", spot.node.place, spot.pointer,
                                      "\"Credentials\" needs \"RoleArn\""),
                 {"", "The field 'RoleArn' is required but was missing", spot.pointer});
  }
  if (language == Language::kJsonPath) {
    check_template(check, spot);
  } else {
    check_jsonata(check, spot, "Credentials", {});
  }
}

// Items of JSONata: a list or an object, or an expression that makes one.
void check_items(Checking& check, const Spot& spot) {
  JsonataRule rule;
  rule.wanted = expr::StaticType::kArray;
  rule.or_object = true;
  check_jsonata(check, spot, "Items", rule);
  const Value& items = spot.node.value;
  if (items.is_array() || items.is_object() || is_jsonata(items)) return;
  in_aws_words(wrong_type(check, spot, "Items", "a list, an object or \"{% ... %}\""),
               {"", "Expected value of type Array", spot.pointer});
}

void check_branches(Checking& check, const Spot& spot, Language language) {
  if (!is_filled_array(check, spot, "Branches")) return;
  for (std::size_t i = 0; i < spot.node.items.size(); ++i) {
    check_machine(check, spot.at(i), ObjectKind::kBranch, language);
  }
}

void check_end(Checking& check, const Spot& spot) {
  if (spot.node.value == Value(true)) return;
  if (spot.node.value.is_bool()) {
    check.findings.error("wrong-type", spot.node.place, spot.pointer, "\"End\" can only be true",
                         "remove it and say where to go with \"Next\"");
  } else {
    wrong_type(check, spot, "End", "true");
  }
}

void check_field(Checking& check, const StateSpot& state, const Spot& spot, const Field& field) {
  const bool is_path_mode = state.language == Language::kJsonPath;
  const std::string_view name = field.name;
  const auto is_computed = [&](expr::StaticType wanted) {
    return is_expression(check, spot, name, state.language, wanted);
  };
  using expr::StaticType;
  switch (field.shape) {
    case Shape::kType:
    case Shape::kLanguage:
    case Shape::kAnything: break;  // Checked before, or may hold anything.
    case Shape::kText:
    case Shape::kTransition: is_text(check, spot, name); break;
    case Shape::kMessage:
      if (!is_computed(StaticType::kString)) is_text(check, spot, name);
      break;
    case Shape::kArguments: check_jsonata(check, spot, name, {}); break;
    case Shape::kOutput: check_jsonata(check, spot, name, state.rule()); break;
    case Shape::kItems: check_items(check, spot); break;
    case Shape::kEnd: check_end(check, spot); break;
    case Shape::kPath: check_path(check, spot, name, {true, false}); break;
    case Shape::kReferencePath: check_path(check, spot, name, {true, true}); break;
    case Shape::kPathTo:
      check_path(check, spot, name);
      check_path_type(check, spot, name);
      break;
    case Shape::kPathOrIntrinsic:
      check_path_or_intrinsic(check, spot, name);
      check_path_type(check, spot, name);
      break;
    case Shape::kTemplate:
      if (is_path_mode) {
        check_template(check, spot);
      } else {
        check_jsonata(check, spot, name, {});
      }
      break;
    case Shape::kAssign: check_assign(check, spot, state.language, state.rule()); break;
    case Shape::kResource: check_resource(check, spot); break;
    case Shape::kCredentials: check_credentials(check, spot, state.language); break;
    case Shape::kRetry: check_retry(check, spot); break;
    case Shape::kCatch: check_catch(check, spot, state.language); break;
    case Shape::kPositive:
      if (!is_computed(StaticType::kNumber)) is_number(check, spot, name, 1, kMostSeconds, true);
      break;
    case Shape::kCount:
      if (!is_computed(StaticType::kNumber)) is_number(check, spot, name, 0, kNoLimit, true);
      break;
    case Shape::kPercentage:
      if (!is_computed(StaticType::kNumber)) is_number(check, spot, name, 0, 100, false);
      break;
    case Shape::kTruth:
      if (!spot.node.value.is_bool()) wrong_type(check, spot, name, "true or false");
      break;
    case Shape::kTimestamp:
      if (!is_computed(StaticType::kString)) is_timestamp(check, spot, name);
      break;
    case Shape::kChoices: check_choices(check, spot, state.language); break;
    // The QueryLanguage of a Map or Parallel does not hold inside of it: there the workflow's does.
    case Shape::kBranches: check_branches(check, spot, state.machine_language); break;
    case Shape::kProcessor:
      check_machine(check, spot, ObjectKind::kProcessor, state.machine_language);
      break;
    case Shape::kItemReader: check_item_reader(check, spot, state.language); break;
    case Shape::kItemBatcher: check_item_batcher(check, spot, state.language); break;
    case Shape::kResultWriter: check_result_writer(check, spot, state.language); break;
  }
}

void check_transition(Checking& check, const StateSpot& state) {
  const Member* next = state.spot.node.find("Next");
  const Member* end = state.spot.node.find("End");
  if (next != nullptr && end != nullptr) {
    const Member* later = next->key_place.offset > end->key_place.offset ? next : end;
    check.findings.error("next-and-end", later->key_place, below(state.spot.pointer, later->key),
                         "a state has either \"Next\" or \"End\", not both", "remove one of them");
  } else if (next == nullptr && end == nullptr && !is_misspelt(state.spot.node, {"Next", "End"})) {
    check.findings.error(
        "missing-transition", state.place, state.spot.pointer,
        "the state " + json_quote(state.name) + " says neither \"Next\" nor \"End\"",
        "add End: true, or Next: with the name of a state");
  }
}

// The state may have one of `fields`, and must have one when `is_needed`.
void check_one_of(Checking& check, const StateSpot& state, const std::vector<std::string>& fields,
                  bool is_needed) {
  const Member* first = nullptr;
  for (const Member& member : state.spot.node.members) {
    if (std::find(fields.begin(), fields.end(), member.key) == fields.end()) continue;
    if (first == nullptr) {
      first = &member;
      continue;
    }
    std::string names;
    for (const std::string& field : fields) names += (names.empty() ? "" : ", ") + field;
    in_aws_words(
        check.findings.error(
            "field-conflict", member.key_place, below(state.spot.pointer, member.key),
            json_quote(member.key) + " and " + json_quote(first->key) + " exclude each other",
            "keep one of them"),
        {"", "There should only be one of the following fields: [" + names + "]",
         state.spot.pointer});
  }
  if (first != nullptr || !is_needed || is_misspelt(state.spot.node, fields)) return;
  std::string all;
  for (const std::string& field : fields) {
    const bool is_last = field == fields.back();
    all += (all.empty() ? "" : is_last ? " or " : ", ") + json_quote(field);
  }
  check.findings.error("missing-field", state.place, state.spot.pointer,
                       state.words() + " needs " + all);
}

void check_heartbeat(Checking& check, const StateSpot& state) {
  const Member* heartbeat = state.spot.node.find("HeartbeatSeconds");
  const Member* timeout = state.spot.node.find("TimeoutSeconds");
  if (heartbeat == nullptr || timeout == nullptr) return;
  const Value& beat = heartbeat->node->value;
  const Value& limit = timeout->node->value;
  if (!beat.is_int() || !limit.is_int() || beat.as_int() < limit.as_int()) return;
  check.findings.error("out-of-range", heartbeat->node->place,
                       below(state.spot.pointer, "HeartbeatSeconds"),
                       "\"HeartbeatSeconds\" must be less than \"TimeoutSeconds\"");
}

void check_kind(Checking& check, const StateSpot& state) {
  const auto require = [&](const char* field) {
    check_required(check, state.spot, state.place, {field}, state.words());
  };
  const auto one_of = [&](const std::vector<std::string>& fields, bool is_needed = false) {
    check_one_of(check, state, fields, is_needed);
  };
  switch (state.kinds) {
    case kTask:
      require("Resource");
      one_of({"TimeoutSeconds", "TimeoutSecondsPath"});
      one_of({"HeartbeatSeconds", "HeartbeatSecondsPath"});
      check_heartbeat(check, state);
      break;
    case kChoice: require("Choices"); break;
    case kWait:
      if (state.language == Language::kJsonPath) {
        one_of({"Seconds", "SecondsPath", "Timestamp", "TimestampPath"}, true);
      } else {
        one_of({"Seconds", "Timestamp"}, true);
      }
      break;
    case kFail:
      one_of({"Error", "ErrorPath"});
      one_of({"Cause", "CausePath"});
      break;
    case kParallel: require("Branches"); break;
    case kMap:
      if (state.spot.node.find("Iterator") == nullptr) require("ItemProcessor");
      check_map(check, state.spot);
      one_of({"ItemSelector", "Parameters"});
      one_of({"MaxConcurrency", "MaxConcurrencyPath"});
      one_of({"ToleratedFailureCount", "ToleratedFailureCountPath"});
      one_of({"ToleratedFailurePercentage", "ToleratedFailurePercentagePath"});
      break;
    default: break;
  }
  if (state.kinds != kEveryKind && (state.kinds & kGoesOn) != 0) check_transition(check, state);
}

std::string prefix_of(const std::string& resource) {
  return resource.substr(0, std::min(resource.find('.'), resource.size()));
}

// A function of a provider that we know must exist.  A name of any other form may be served by a
// worker elsewhere, so it is accepted.
void check_known(Checking& check, const Spot& spot, const std::string& resource) {
  const auto& known = check.options.known_resources;
  if (known.empty() || is_arn(resource)) return;
  if (std::find(known.begin(), known.end(), resource) != known.end()) return;
  const std::string prefix = prefix_of(resource);
  const auto is_provider_named = [&](const std::string& name) {
    return std::any_of(known.begin(), known.end(), [&](const std::string& one) {
      return prefix_of(one) == name && one.find('.') != std::string::npos;
    });
  };
  std::string hint = did_you_mean(resource, known);
  if (!is_provider_named(prefix) && hint.empty()) {
    const std::string rest = resource.substr(resource.rfind(':') + 1);  // "provider:strava.fetch"
    if (rest == resource || !is_provider_named(prefix_of(rest))) return;
    check.findings.warning("unknown-resource", spot.node.place, spot.pointer,
                           "no provider serves the resource " + json_quote(resource),
                           did_you_mean(rest, known));
    return;
  }
  if (hint.empty()) {
    std::string functions;
    for (const std::string& one : known) {
      if (prefix_of(one) == prefix) functions += (functions.empty() ? "" : ", ") + one;
    }
    hint = "there are " + functions;
  }
  check.findings.error("unknown-resource", spot.node.place, spot.pointer,
                       "no provider here serves the resource " + json_quote(resource), hint);
}

// Express state machines cannot wait for a job, a task token or an activity.
void check_express(Checking& check, const Spot& spot, const ResourceName& name) {
  std::string what, aws;
  for (const std::string_view pattern : {".sync", ".waitForTaskToken"}) {
    const std::size_t at = name.event_resource.find(pattern);
    if (at == std::string::npos) continue;
    what = "the pattern " + name.event_resource.substr(at);
    aws = "'" + name.event_resource.substr(at) + "' service integration ";
    // AWS's text for .waitForTaskToken ends with a blank, that for .sync does not.
    if (pattern == ".sync") aws.pop_back();
  }
  if (name.family == TaskFamily::kActivity) {
    what = "an activity";
    aws = "Activity ARN";
  }
  if (what.empty()) return;
  in_aws_words(check.findings.error("express", spot.node.place, spot.pointer,
                                    "an Express state machine does not support " + what,
                                    "run it as a Standard state machine"),
               {"", "Express state machine does not support " + aws, spot.pointer});
}

}  // namespace

void check_resource(Checking& check, const Spot& spot) {
  if (!is_text(check, spot, "Resource")) return;
  const std::string& resource = spot.node.value.as_string();
  if (const auto name = parse_resource(resource)) {
    if (check.options.is_express) {
      check_express(check, spot, *name);
    } else {
      warn_of_resource_not_yet(check, spot, resource, *name);
    }
    return check_known(check, spot, resource);
  }
  const std::string unset = unset_substitution(spot.node.value);
  Diagnostic& diagnostic =
      !unset.empty()
          ? report_unset(check, spot, unset)
          : check.findings.error("bad-resource", spot.node.place, spot.pointer,
                                 in_words(spot.node.value) +
                                     (is_arn(resource) ? " is not the ARN of a task"
                                                       : " is not a valid name of a resource"),
                                 "a function of a provider is written \"strava.fetch\"");
  in_aws_words(diagnostic,
               {"",
                "The resource provided " + resource +
                    " is not recognized. The value is not a valid resource ARN, or the resource "
                    "is not available in this region.",
                spot.pointer});
}

void check_state(Checking& check, const Spot& spot, const std::string& name, const Place& place,
                 Language machine_language) {
  if (!is_object(check, spot, name)) return;
  const std::uint16_t kinds = kinds_of(check, spot, place);
  const Language language = language_of(check, spot, machine_language, false);
  const StateSpot state{spot, place, name, kinds, language, machine_language};
  const Language outer = std::exchange(check.language, language);
  for (const Member& member : spot.node.members) {
    const Field* field = field_of(member.key, kinds, language);
    if (field != nullptr) {
      check_field(check, state, spot.under(member), *field);
    } else if (!is_free(member.key)) {
      report_unknown(check, state, member);
    }
  }
  check_kind(check, state);
  check.language = outer;
}

}  // namespace stepwell::dsl
