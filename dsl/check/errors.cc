// Retry and Catch: the names of errors, their order, and the numbers of a retrier.
#include <algorithm>
#include <limits>

#include "dsl/check/rules.h"

namespace stepwell::dsl {

namespace {

const std::vector<std::string> kReservedErrors = {"States.ALL",
                                                  "States.BranchFailed",
                                                  "States.DataLimitExceeded",
                                                  "States.ExceedToleratedFailureThreshold",
                                                  "States.HeartbeatTimeout",
                                                  "States.Http.Socket",
                                                  "States.IntrinsicFailure",
                                                  "States.ItemReaderFailed",
                                                  "States.NoChoiceMatched",
                                                  "States.ParameterPathFailure",
                                                  "States.Permissions",
                                                  "States.QueryEvaluationError",
                                                  "States.ResultPathMatchFailure",
                                                  "States.ResultWriterFailed",
                                                  "States.Runtime",
                                                  "States.TaskFailed",
                                                  "States.Timeout"};

// Does a Fail of this workflow raise an error of that name?
bool is_raised_in(const Node& node, const std::string& name) {
  const Member* type = node.find("Type");
  const Member* error = node.find("Error");
  const bool is_fail = type != nullptr && type->node->value == Value("Fail");
  if (is_fail && error != nullptr && error->node->value == Value(name)) return true;
  const auto is_below = [&](const Node* below) { return is_raised_in(*below, name); };
  return std::any_of(node.items.begin(), node.items.end(), is_below) ||
         std::any_of(node.members.begin(), node.members.end(),
                     [&](const Member& member) { return is_below(member.node); });
}

void check_error_name(Checking& check, const Spot& spot) {
  if (!is_text(check, spot, "ErrorEquals")) return;
  const std::string& name = spot.node.value.as_string();
  if (name.empty()) {
    check.findings.error("empty-name", spot.node.place, spot.pointer,
                         "the name of an error must not be empty");
    return;
  }
  if (name == "States.Runtime") {
    check.findings.warning("never-caught", spot.node.place, spot.pointer,
                           "States.Runtime can be neither retried nor caught",
                           "remove it; it is a mistake in the workflow itself");
  }
  const bool looks_reserved = name.starts_with("States.") || name.starts_with("State.");
  const auto& known = kReservedErrors;
  if (!looks_reserved || std::find(known.begin(), known.end(), name) != known.end()) return;
  if (is_raised_in(*check.document.root, name)) return;
  check.findings.warning("unknown-error", spot.node.place, spot.pointer,
                         "no error is called " + json_quote(name) + ": this matches nothing",
                         did_you_mean(name, known));
}

// `is_last`: no other retrier or catcher of the state comes after this one.
void check_error_equals(Checking& check, const Spot& spot, bool is_last, const std::string& whose) {
  if (!is_filled_array(check, spot, "ErrorEquals")) return;
  for (std::size_t i = 0; i < spot.node.items.size(); ++i) {
    const Spot name = spot.at(i);
    check_error_name(check, name);
    if (name.node.value != Value("States.ALL")) continue;
    if (spot.node.items.size() > 1) {
      check.findings.error("states-all-alone", name.node.place, name.pointer,
                           "States.ALL must stand alone in its list",
                           "it matches every error; remove the others");
    }
    if (!is_last) {
      check.findings.error("states-all-last", name.node.place, name.pointer,
                           "the " + whose + " with States.ALL must be the last",
                           "it matches every error, so those after it are never asked: move it "
                           "to the end");
    }
  }
}

void check_retrier(Checking& check, const Spot& spot, bool is_last) {
  if (!is_item(check, spot, "a retrier")) return;
  check_members(check, spot, ObjectKind::kRetrier, "a retrier");
  check_required(check, spot, spot.node.place, {"ErrorEquals"}, "a retrier");
  double interval = 1;
  for (const Member& member : spot.node.members) {
    const Spot value = spot.under(member);
    if (member.key == "ErrorEquals") {
      check_error_equals(check, value, is_last, "retrier");
    } else if (member.key == "IntervalSeconds") {
      if (is_number(check, value, member.key, 1, kMostSeconds, true)) {
        interval = value.node.value.as_double();
      }
    } else if (member.key == "MaxAttempts") {
      is_number(check, value, member.key, 0, kMostSeconds, true);
    } else if (member.key == "BackoffRate") {
      is_number(check, value, member.key, 1, std::numeric_limits<double>::infinity(), false);
    } else if (member.key == "MaxDelaySeconds") {
      is_number(check, value, member.key, 1, kMostDelaySeconds, true);
    } else if (member.key == "JitterStrategy") {
      is_word(check, value, member.key);
    }
  }
  check_retry_after(check, spot);
  const Member* longest = spot.node.find("MaxDelaySeconds");
  if (longest != nullptr && longest->node->value.is_int() && longest->node->value.as_int() > 0 &&
      longest->node->value.as_double() <= interval) {
    check.findings.error("out-of-range", longest->node->place,
                         below(spot.pointer, "MaxDelaySeconds"),
                         "\"MaxDelaySeconds\" must be greater than \"IntervalSeconds\"");
  }
}

void check_catcher(Checking& check, const Spot& spot, bool is_last, Language language) {
  if (!is_item(check, spot, "a catcher")) return;
  check_members(check, spot, ObjectKind::kCatcher, "a catcher");
  check_required(check, spot, spot.node.place, {"ErrorEquals", "Next"}, "a catcher");
  JsonataRule rule;
  rule.has_error_output = true;
  for (const Member& member : spot.node.members) {
    const Spot value = spot.under(member);
    if (member.key == "ErrorEquals") {
      check_error_equals(check, value, is_last, "catcher");
    } else if (member.key == "Next") {
      is_text(check, value, member.key);
    } else if (member.key == "ResultPath" && language == Language::kJsonPath) {
      check_path(check, value, member.key, {true, true});
    } else if (member.key == "Assign") {
      check_assign(check, value, language, rule);
    } else if (member.key == "Output" && language == Language::kJsonata) {
      check_jsonata(check, value, member.key, rule);
    }
  }
}

}  // namespace

void check_retry(Checking& check, const Spot& spot) {
  if (!spot.node.value.is_array()) {
    wrong_type(check, spot, "Retry", "a list");
    return;
  }
  const std::size_t count = spot.node.items.size();
  for (std::size_t i = 0; i < count; ++i) check_retrier(check, spot.at(i), i + 1 == count);
}

void check_catch(Checking& check, const Spot& spot, Language language) {
  if (!spot.node.value.is_array()) {
    wrong_type(check, spot, "Catch", "a list");
    return;
  }
  const std::size_t count = spot.node.items.size();
  for (std::size_t i = 0; i < count; ++i) {
    check_catcher(check, spot.at(i), i + 1 == count, language);
  }
}

}  // namespace stepwell::dsl
