#include "authoring/transcript/mock_config.h"

#include <charconv>
#include <map>
#include <optional>

namespace stepwell::transcript {

namespace {

using dsl::Member;
using dsl::Node;

// The most attempts that a response may be given for.
constexpr std::uint64_t kMostAttempts = 10'000;

// "2" or "0-1": from 0, both ends included.
std::optional<std::pair<std::uint64_t, std::uint64_t>> attempts_of(std::string_view key) {
  const auto number = [](std::string_view text) -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool is_whole = error == std::errc() && end == text.data() + text.size();
    return is_whole && value < kMostAttempts ? std::optional(value) : std::nullopt;
  };
  const std::size_t dash = key.find('-');
  const auto first = number(key.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : number(key.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return std::pair{*first, *last};
}

class ConfigReader {
 public:
  ConfigReader(const dsl::Place& place, dsl::Findings& findings)
      : place_(place), findings_(findings) {}

  std::vector<TaskMocks> read(const Node& root, const std::string& test_case) {
    const Node* machines = object_in(root, "StateMachines", "");
    const Node* responses = machines != nullptr ? object_in(root, "MockedResponses", "") : nullptr;
    const Node* states = responses != nullptr ? states_of(*machines, test_case) : nullptr;
    std::vector<TaskMocks> tasks;
    if (states == nullptr) return tasks;
    for (const Member& state : states->members) {
      if (!state.node->value.is_string()) {
        wrong(*state.node, "a state needs the name of a mocked response");
        continue;
      }
      const std::string& name = state.node->value.as_string();
      const Member* response = responses->find(name);
      if (response == nullptr) {
        wrong(*state.node, "there is no mocked response " + json_quote(name),
              near(name, *responses));
        continue;
      }
      TaskMocks& mocks = tasks.emplace_back();
      mocks.name = state.key;
      mocks.place = place_;
      mocks.mocks.push_back(read_response(*response->node));
    }
    return tasks;
  }

 private:
  void wrong(const Node& node, std::string message, std::string hint = {}) {
    findings_.error("bad-test", node.place, "", std::move(message), std::move(hint));
  }
  static std::string near(const std::string& name, const Node& owner) {
    std::vector<std::string> names;
    for (const Member& member : owner.members) names.push_back(member.key);
    const std::string nearest = dsl::nearest(name, names);
    return nearest.empty() ? nearest : "did you mean " + json_quote(nearest) + "?";
  }
  const Node* object_in(const Node& owner, const std::string& field, const std::string& whose) {
    const Member* member = owner.find(field);
    if (member != nullptr && member->node->value.is_object()) return member->node;
    wrong(member != nullptr ? *member->node : owner,
          json_quote(field) + whose + " must be there, and an object");
    return nullptr;
  }

  const Node* states_of(const Node& machines, const std::string& test_case) {
    const std::size_t hash = test_case.find('#');
    const std::string name = hash == std::string::npos ? test_case : test_case.substr(hash + 1);
    const Member* machine = nullptr;
    if (hash != std::string::npos) {
      const std::string wanted = test_case.substr(0, hash);
      machine = machines.find(wanted);
      if (machine == nullptr) {
        wrong(machines, "there is no state machine " + json_quote(wanted), near(wanted, machines));
      }
    } else if (machines.members.size() == 1) {
      machine = &machines.members.front();
    } else {
      wrong(machines, "several state machines have test cases", "write test_case: MACHINE#" + name);
    }
    if (machine == nullptr) return nullptr;
    const Node* cases = object_in(*machine->node, "TestCases", " of " + machine->key);
    if (cases == nullptr) return nullptr;
    const Node* states = nullptr;
    if (const Member* found = cases->find(name)) states = found->node;
    if (states == nullptr) {
      wrong(*cases, "there is no test case " + json_quote(name), near(name, *cases));
    } else if (!states->value.is_object()) {
      wrong(*states, "a test case must be an object: states and their mocked responses");
      states = nullptr;
    }
    return states;
  }

  Mock read_response(const Node& node) {
    std::map<std::uint64_t, Answer> by_attempt;
    for (const Member& member : node.members) {
      const auto attempts = attempts_of(member.key);
      if (!attempts) {
        wrong(*member.node, json_quote(member.key) + " is not an attempt",
              "write \"0\", or \"1-2\" for several");
        continue;
      }
      const Answer answer = read_answer(*member.node);
      for (std::uint64_t attempt = attempts->first; attempt <= attempts->second; ++attempt) {
        if (by_attempt.emplace(attempt, answer).second) continue;
        wrong(*member.node, "attempt " + std::to_string(attempt) + " has two responses");
      }
    }
    Mock mock;
    for (auto& [attempt, answer] : by_attempt) {
      if (attempt != mock.answers.size()) break;
      mock.answers.push_back(std::move(answer));
    }
    if (mock.answers.size() < by_attempt.size() || mock.answers.empty()) {
      wrong(node, "attempt " + std::to_string(mock.answers.size()) + " has no response");
    }
    return mock;
  }

  Answer read_answer(const Node& node) {
    Answer answer;
    const Member* result = node.find("Return");
    const Member* thrown = node.find("Throw");
    if ((result == nullptr) == (thrown == nullptr)) {
      wrong(node, "an attempt needs either \"Return\" or \"Throw\"");
    } else if (result != nullptr) {
      answer.value = result->node->value;
    } else {
      answer.kind = Answer::Kind::kFail;
      const Value* error = thrown->node->value.find("Error");
      const Value* cause = thrown->node->value.find("Cause");
      if (error == nullptr || !error->is_string()) {
        wrong(*thrown->node, "\"Throw\" needs an \"Error\", a string");
      } else {
        answer.error = error->as_string();
      }
      answer.has_cause = cause != nullptr && cause->is_string();
      if (answer.has_cause) answer.cause = cause->as_string();
    }
    return answer;
  }

  const dsl::Place place_;
  dsl::Findings& findings_;
};

}  // namespace

std::vector<TaskMocks> read_mock_config(const dsl::Document& document, const std::string& test_case,
                                        const dsl::Place& place, dsl::Findings& findings) {
  return ConfigReader(place, findings).read(*document.root, test_case);
}

}  // namespace stepwell::transcript
