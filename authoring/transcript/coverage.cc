#include "authoring/transcript/coverage.h"

#include <algorithm>
#include <tuple>

namespace stepwell::transcript {

namespace {

class Lister {
 public:
  Lister(const Program& program, const Reached& reached) : program_(program), reached_(reached) {}

  std::vector<Part> list() {
    for (const Machine& machine : program_.machines) {
      for (const State& state : machine.states) list_state(machine, state);
      for (const Group& group : machine.groups) {
        list_rules(machine, group.rules, "group " + group.rules.name);
      }
    }
    std::stable_sort(parts_.begin(), parts_.end(), [](const Part& a, const Part& b) {
      return std::tie(a.line, a.column) < std::tie(b.line, b.column);
    });
    return std::move(parts_);
  }

 private:
  void add(Part::Kind kind, std::string what, const SourceSpan& where, const void* part) {
    parts_.push_back(
        {kind, std::move(what), where.line, where.column, where.pointer, reached_.contains(part)});
  }

  void list_state(const Machine& machine, const State& state) {
    const auto name = [&](StateId id) { return machine.states[id.value].name; };
    const auto kind = Part::Kind::kTransition;
    add(Part::Kind::kState, state.name, state.where, &state);
    if (state.next) add(kind, state.name + " -> " + name(*state.next), state.where, &state.next);
    if (const auto* choice = std::get_if<Choice>(&state.kind)) {
      for (std::size_t i = 0; i < choice->rules.size(); ++i) {
        const ChoiceRule& rule = choice->rules[i];
        add(kind, state.name + " -> " + name(rule.next) + ", rule " + std::to_string(i + 1),
            rule.where, &rule);
      }
      if (choice->default_next) {
        add(kind, state.name + " -> " + name(*choice->default_next) + ", Default", state.where,
            &choice->default_next);
      }
    }
    list_rules(machine, state, state.name);
  }

  void list_rules(const Machine& machine, const State& rules, const std::string& whose) {
    const auto errors = [](const std::vector<std::string>& names) {
      std::string list;
      for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
      return list;
    };
    for (const Retrier& retrier : rules.retry) {
      add(Part::Kind::kRetrier, whose + ", Retry of " + errors(retrier.error_equals), retrier.where,
          &retrier);
    }
    for (const Catcher& catcher : rules.catchers) {
      add(Part::Kind::kCatcher,
          whose + " -> " + machine.states[catcher.next.value].name + ", Catch of " +
              errors(catcher.error_equals),
          catcher.where, &catcher);
    }
  }

  const Program& program_;
  const Reached& reached_;
  std::vector<Part> parts_;
};

}  // namespace

const char* to_string(Part::Kind kind) {
  switch (kind) {
    case Part::Kind::kState: return "state";
    case Part::Kind::kTransition: return "transition";
    case Part::Kind::kRetrier: return "retrier";
    case Part::Kind::kCatcher: return "catcher";
  }
  return "";
}

std::vector<Part> parts_of(const Program& program, const Reached& reached) {
  return Lister(program, reached).list();
}

void merge(std::vector<Part>& into, const std::vector<Part>& other) {
  if (into.empty()) into = other;
  // The file was changed between two test runs: the parts of the newer text count.
  if (into.size() != other.size()) into = other;
  for (std::size_t i = 0; i < into.size(); ++i) into[i].reached |= other[i].reached;
}

}  // namespace stepwell::transcript
