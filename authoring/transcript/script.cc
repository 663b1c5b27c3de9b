#include "authoring/transcript/script.h"

#include <algorithm>

#include "authoring/transcript/duration.h"
#include "dsl/yaml/node_builder.h"

namespace stepwell::transcript {

namespace {

using dsl::Findings;
using dsl::Member;
using dsl::Node;

constexpr std::string_view kFail = "fail ";
// 2026-01-01T00:00:00Z: the day on which every transcript begins, unless it says `start:`.
constexpr std::int64_t kFirstDayMs = 1'767'225'600'000;

class ScriptReader {
 public:
  explicit ScriptReader(Findings& findings) : findings_(findings) {}

  Script read(const Node& root) {
    Script script;
    if (!root.value.is_object()) {
      wrong(root, "", "a test file must be an object that begins with workflow:");
      return script;
    }
    const Member* cases = root.find("cases");
    std::vector<std::string> legal = {"workflow", "definition"};
    if (cases != nullptr) {
      legal.emplace_back("cases");
    } else {
      legal.insert(legal.end(), kCaseFields.begin(), kCaseFields.end());
    }
    check_members(root, "", legal, "a test file");
    if (const Member* workflow = root.find("workflow")) {
      script.workflow_place = workflow->node->place;
      script.workflow = text(*workflow->node, "/workflow", "workflow");
    }
    if (const Member* definition = root.find("definition")) {
      script.definition = definition->node;
    }
    if (script.workflow.empty() == (script.definition == nullptr)) {
      wrong(root, "", "a test file needs either workflow: or definition:");
    }
    if (cases == nullptr) {
      script.cases.push_back(read_case(root, "", ""));
      return script;
    }
    if (!cases->node->value.is_array()) wrong(*cases->node, "/cases", "\"cases\" must be a list");
    for (std::size_t i = 0; i < cases->node->items.size(); ++i) {
      const Node& node = *cases->node->items[i];
      const std::string pointer = "/cases/" + std::to_string(i);
      std::vector<std::string> fields = kCaseFields;
      check_members(node, pointer, fields, "a case");
      script.cases.push_back(read_case(node, pointer, "case " + std::to_string(i + 1)));
    }
    return script;
  }

 private:
  static const std::vector<std::string> kCaseFields;

  void wrong(const Node& node, std::string pointer, std::string message, std::string hint = {}) {
    findings_.error("bad-test", node.place, std::move(pointer), std::move(message),
                    std::move(hint));
  }
  void check_members(const Node& node, const std::string& pointer,
                     const std::vector<std::string>& legal, const std::string& whose) {
    if (!node.value.is_object()) return wrong(node, pointer, whose + " must be an object");
    for (const Member& member : node.members) {
      const bool is_free = member.key == "Comment" || member.key.starts_with("x-");
      if (is_free || std::find(legal.begin(), legal.end(), member.key) != legal.end()) continue;
      const std::string near = dsl::nearest(member.key, legal);
      findings_.error("unknown-field", member.key_place, dsl::below(pointer, member.key),
                      json_quote(member.key) + " is not a field of " + whose,
                      near.empty() ? near : "did you mean " + json_quote(near) + "?");
    }
  }
  std::string text(const Node& node, const std::string& pointer, const std::string& field) {
    if (node.value.is_string()) return node.value.as_string();
    wrong(node, pointer, json_quote(field) + " must be a string");
    return {};
  }
  std::optional<std::string> text_of(const Node& owner, const std::string& pointer,
                                     const std::string& field) {
    const Member* member = owner.find(field);
    if (member == nullptr) return std::nullopt;
    return text(*member->node, dsl::below(pointer, field), field);
  }
  Millis duration(const Node& node, const std::string& pointer) {
    const auto parsed =
        node.value.is_string() ? parse_duration(node.value.as_string()) : std::nullopt;
    if (!parsed) wrong(node, pointer, "not a duration", "write 5s, 250ms, 2m30s or 1d");
    return parsed.value_or(Millis(0));
  }

  Case read_case(const Node& node, const std::string& pointer, const std::string& name) {
    Case one;
    one.node = &node;
    one.name = text_of(node, pointer, "name").value_or(name);
    one.start = from_unix_ms(kFirstDayMs);
    one.input = Value(Object());
    if (const Member* input = node.find("input")) one.input = input->node->value;
    if (const Member* output = node.find("output")) one.output = output->node->value;
    one.status = text_of(node, pointer, "status");
    one.error = text_of(node, pointer, "error");
    one.cause = text_of(node, pointer, "cause");
    one.transcript = text_of(node, pointer, "transcript");
    if (const auto start = text_of(node, pointer, "start")) {
      const auto time = parse_rfc3339(*start);
      if (!time) wrong(*node.find("start")->node, pointer + "/start", "not an RFC 3339 timestamp");
      one.start = time.value_or(one.start);
    }
    if (const Member* seed = node.find("seed")) {
      if (!seed->node->value.is_int()) {
        wrong(*seed->node, pointer + "/seed", "\"seed\" must be a whole number");
      } else {
        one.seed = static_cast<std::uint64_t>(seed->node->value.as_int());
      }
    }
    if (const Member* tasks = node.find("tasks")) {
      one.tasks = read_tasks(*tasks->node, pointer + "/tasks");
    }
    read_mock_config(node, pointer, one);
    if (const Member* actions = node.find("actions")) {
      one.actions = read_actions(*actions->node, pointer + "/actions");
    }
    return one;
  }

  void read_mock_config(const Node& node, const std::string& pointer, Case& one) {
    const auto file = text_of(node, pointer, "mock_config");
    const auto test_case = text_of(node, pointer, "test_case");
    if (file.has_value() != test_case.has_value()) {
      wrong(node, pointer, "\"mock_config\" and \"test_case\" go together");
    } else if (file) {
      one.mock_config = MockConfig{*file, *test_case, node.find("test_case")->node->place};
    }
  }

  std::vector<TaskMocks> read_tasks(const Node& node, const std::string& pointer) {
    std::vector<TaskMocks> tasks;
    if (!node.value.is_object()) wrong(node, pointer, "\"tasks\" must be an object");
    for (const Member& member : node.members) {
      TaskMocks& mocks = tasks.emplace_back();
      mocks.name = member.key;
      mocks.place = member.key_place;
      read_mocks(*member.node, dsl::below(pointer, member.key), mocks.mocks);
    }
    return tasks;
  }
  // Reads a list of answers, of which some may be for certain inputs only; or a single answer.
  void read_mocks(const Node& node, const std::string& pointer, std::vector<Mock>& mocks) {
    Mock in_order;
    const auto read_one = [&](const Node& answer, const std::string& where) {
      if (answer.find("when") == nullptr) {
        in_order.answers.push_back(read_answer(answer, where));
        return;
      }
      check_members(answer, where, {"when", "then"}, "an answer with \"when\"");
      const Member* then = answer.find("then");
      if (then == nullptr) return wrong(answer, where, "\"when\" needs \"then\"");
      Mock& mock = mocks.emplace_back();
      mock.when = answer.find("when")->node->value;
      read_answers(*then->node, where + "/then", mock.answers);
    };
    if (node.value.is_array()) {
      for (std::size_t i = 0; i < node.items.size(); ++i) {
        read_one(*node.items[i], pointer + "/" + std::to_string(i));
      }
    } else {
      read_one(node, pointer);
    }
    if (!in_order.answers.empty()) mocks.push_back(std::move(in_order));
    if (mocks.empty()) wrong(node, pointer, "a task needs at least one answer");
  }
  void read_answers(const Node& node, const std::string& pointer, std::vector<Answer>& answers) {
    if (!node.value.is_array()) return answers.push_back(read_answer(node, pointer));
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      answers.push_back(read_answer(*node.items[i], pointer + "/" + std::to_string(i)));
    }
    if (answers.empty()) wrong(node, pointer, "a task needs at least one answer");
  }

  // "ERROR", "ERROR: cause"
  static void read_failure(std::string_view words, Answer& answer) {
    answer.kind = Answer::Kind::kFail;
    const std::size_t colon = words.find(": ");
    answer.has_cause = colon != std::string_view::npos;
    answer.error = std::string(words.substr(0, colon));
    if (answer.has_cause) answer.cause = std::string(words.substr(colon + 2));
  }
  static bool is_instruction(const Node& node) {
    return node.value.is_object() &&
           (node.find("delay") != nullptr || node.find("fail") != nullptr ||
            node.find("value") != nullptr || node.find("echo") != nullptr);
  }
  void warn_of_quotes(const Node& node, const std::string& pointer) {
    const std::string& words = node.value.as_string();
    const bool is_failure = words.starts_with(kFail);
    if (!is_failure && words != "timeout" && words != "heartbeat lost" && words != "echo") return;
    findings_.warning("quoted-answer", node.place, pointer,
                      "in quotes this is what the task answers: it succeeds with this text",
                      is_failure ? "write {fail: " + json_quote(words.substr(kFail.size())) +
                                       "}, or {value: ...} if the text is meant"
                                 : "write it without quotes, or {value: ...} if the text is meant");
  }
  Answer read_answer(const Node& node, const std::string& pointer) {
    Answer answer;
    if (node.value.is_string() && !node.is_quoted) {
      const std::string& words = node.value.as_string();
      if (words.starts_with(kFail)) {
        read_failure(std::string_view(words).substr(kFail.size()), answer);
        return answer;
      }
      if (words == "timeout" || words == "heartbeat lost" || words == "echo") {
        answer.kind = words == "timeout" ? Answer::Kind::kTimeout
                      : words == "echo"  ? Answer::Kind::kEcho
                                         : Answer::Kind::kHeartbeatLost;
        return answer;
      }
    }
    if (node.value.is_string() && node.is_quoted) warn_of_quotes(node, pointer);
    // In YAML `fail Bank.Busy: too late` is a mapping.
    const bool is_pair = node.members.size() == 1 && node.members[0].key.starts_with(kFail);
    if (is_pair && node.members[0].node->value.is_string()) {
      read_failure(std::string_view(node.members[0].key).substr(kFail.size()), answer);
      answer.has_cause = true;
      answer.cause = node.members[0].node->value.as_string();
      return answer;
    }
    answer.value = node.value;
    if (!is_instruction(node)) return answer;
    check_members(node, pointer, {"delay", "fail", "value", "then", "retry_after", "echo"},
                  "an answer");
    answer.value = Value();
    if (const Member* value = node.find("value")) answer.value = value->node->value;
    if (const Member* then = node.find("then")) answer = read_answer(*then->node, pointer);
    if (node.find("echo") != nullptr) answer.kind = Answer::Kind::kEcho;
    if (const auto words = text_of(node, pointer, "fail")) read_failure(*words, answer);
    if (const Member* delay = node.find("delay")) {
      answer.delay = duration(*delay->node, pointer + "/delay");
    }
    if (const Member* after = node.find("retry_after")) {
      answer.retry_after = duration(*after->node, pointer + "/retry_after");
    }
    return answer;
  }

  std::vector<Action> read_actions(const Node& node, const std::string& pointer) {
    std::vector<Action> actions;
    if (!node.value.is_array()) wrong(node, pointer, "\"actions\" must be a list");
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const Node& one = *node.items[i];
      const std::string where = pointer + "/" + std::to_string(i);
      check_members(one, where, {"at", "do", "error", "cause"}, "an action");
      Action& action = actions.emplace_back();
      const Member* at = one.find("at");
      if (at == nullptr) wrong(one, where, "an action needs \"at\"", "at: 5s");
      if (at != nullptr) action.at = duration(*at->node, where + "/at");
      const std::string what = text_of(one, where, "do").value_or("");
      if (what != "stop" && what != "redrive") wrong(one, where, "\"do\" must be stop or redrive");
      action.is_redrive = what == "redrive";
      action.error = text_of(one, where, "error");
      action.cause = text_of(one, where, "cause");
    }
    std::stable_sort(actions.begin(), actions.end(),
                     [](const Action& a, const Action& b) { return a.at < b.at; });
    return actions;
  }

  Findings& findings_;
};

const std::vector<std::string> ScriptReader::kCaseFields = {
    "name", "input",  "tasks",  "mock_config", "test_case", "actions",   "start",
    "seed", "status", "output", "error",       "cause",     "transcript"};

}  // namespace

Script read_script(const dsl::Document& document, dsl::Findings& findings) {
  return ScriptReader(findings).read(*document.root);
}

}  // namespace stepwell::transcript
