// Variables that are assigned and never read.
#include <cctype>
#include <functional>
#include <set>

#include "dsl/check/advice.h"
#include "dsl/yaml/node_builder.h"

namespace stepwell::dsl {

namespace {

bool is_name_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Every name behind a `$` in any text of the workflow, comments included.  Being mentioned counts
// as being read, so that no warning is wrong.
void collect_mentions(const Value& value, std::set<std::string, std::less<>>& names) {
  if (value.is_array()) {
    for (const Value& item : value.as_array()) collect_mentions(item, names);
  } else if (value.is_object()) {
    for (const auto& [key, member] : value.as_object()) {
      collect_mentions(Value(key), names);
      collect_mentions(member, names);
    }
  } else if (value.is_string()) {
    const std::string& text = value.as_string();
    for (std::size_t at = 0; (at = text.find('$', at)) != std::string::npos;) {
      std::size_t end = ++at;
      while (end < text.size() && is_name_character(text[end])) ++end;
      if (end > at) names.insert(text.substr(at, end - at));
    }
  }
}

void advise_on_assign(const Advising& advising, const std::string& owner,
                      const std::set<std::string, std::less<>>& mentioned) {
  const std::string pointer = below(owner, "Assign");
  const Node* assign = advising.node_at(pointer);
  if (assign == nullptr) return;
  for (const Member& member : assign->members) {
    std::string name = member.key;
    if (name.ends_with(".$")) name.resize(name.size() - 2);
    if (mentioned.contains(name)) continue;
    advising.findings.warning("unused-variable", member.key_place, below(pointer, member.key),
                              "no state reads the variable $" + name);
  }
}

}  // namespace

void advise_on_unused(const Advising& advising) {
  std::set<std::string, std::less<>> mentioned;
  collect_mentions(advising.program.definition, mentioned);
  for (const Machine& machine : advising.program.machines) {
    for (const Group& group : machine.groups) {
      for (const Catcher& catcher : group.rules.catchers) {
        if (catcher.assign) advise_on_assign(advising, catcher.where.pointer, mentioned);
      }
    }
    for (const State& state : machine.states) {
      if (state.assign) advise_on_assign(advising, state.where.pointer, mentioned);
      for (const Catcher& catcher : state.catchers) {
        if (catcher.assign) advise_on_assign(advising, catcher.where.pointer, mentioned);
      }
      const auto* choice = std::get_if<Choice>(&state.kind);
      if (choice == nullptr) continue;
      for (const ChoiceRule& rule : choice->rules) {
        if (rule.assign) advise_on_assign(advising, rule.where.pointer, mentioned);
      }
    }
  }
}

}  // namespace stepwell::dsl
