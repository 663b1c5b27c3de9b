// Converts a whole workflow: decides which states are converted, and rewrites the text.
#include <algorithm>
#include <map>
#include <set>

#include "authoring/convert/convert.h"
#include "authoring/convert/rewrite.h"
#include "authoring/convert/state.h"
#include "dsl/dsl.h"
#include "dsl/yaml/document.h"
#include "dsl/yaml/node_builder.h"

namespace stepwell::dsl {

namespace {

bool is_jsonata(const Value& object) {
  const Value* language = object.find("QueryLanguage");
  return language != nullptr && *language == Value("JSONata");
}

// Does the state read the same in both languages?  Then it need not be converted.
bool is_same(const Value& a, const Value& b) { return a.to_json() == b.to_json(); }

class MachineConverter {
 public:
  MachineConverter(const JsonataOptions& options, std::vector<std::string>& converted,
                   std::vector<std::string>& as_it_was, std::vector<Obstacle>& obstacles)
      : options_(options), converted_(converted), as_it_was_(as_it_was), obstacles_(obstacles) {}

  Value convert(const Value& workflow) {
    Value changed = convert_machine(workflow, "");
    const bool is_all = options_.state.empty() && obstacles_.empty() && !converted_.empty();
    if (!is_all) return changed;
    return speaking_jsonata(strip_languages(changed));
  }
  bool found() const { return found_; }

 private:
  bool is_wanted(const std::string& name) const {
    return options_.state.empty() || options_.state == name;
  }

  Value convert_machine(const Value& machine, const std::string& pointer) {
    Object fresh = machine.as_object();
    const Value* states = machine.find("States");
    if (states == nullptr || !states->is_object()) return machine;
    Object changed;
    for (const auto& [name, state] : states->as_object()) {
      changed.set(name, convert_one(name, state, below(pointer + "/States", name)));
    }
    fresh.set("States", std::move(changed));
    // A group has the language of the workflow, so it is converted with the whole workflow or not
    // at all.
    if (options_.state.empty()) note_groups(machine, pointer);
    return fresh;
  }

  void note_groups(const Value& machine, const std::string& pointer) {
    const Value* groups = machine.find("Groups");
    if (groups == nullptr) return;
    for (const auto& [name, group] : groups->as_object()) {
      const std::string at = below(pointer + "/Groups", name);
      for (const StateObstacle& one : convert_group(group, options_.assume_plain).obstacles) {
        obstacles_.push_back({name, one.pointer.substr(1), at + one.pointer, 0, 0, one.reason});
      }
    }
  }

  Value convert_one(const std::string& name, const Value& state, const std::string& pointer) {
    Value inner = convert_inside(state, pointer);
    if (!is_wanted(name)) return inner;
    found_ = true;
    if (is_jsonata(state)) {
      as_it_was_.push_back(name);
      return inner;
    }
    StateConversion done = convert_state(inner, options_.assume_plain);
    for (const StateObstacle& one : done.obstacles) {
      obstacles_.push_back({name, one.pointer.substr(1), pointer + one.pointer, 0, 0, one.reason});
    }
    if (!done.obstacles.empty()) return inner;
    Object without = inner.as_object();
    without.erase("QueryLanguage");
    if (is_same(Value(std::move(without)), done.state)) {
      as_it_was_.push_back(name);
      return inner;
    }
    converted_.push_back(name);
    return with_language(done.state);
  }

  // Adds QueryLanguage: JSONata behind the Type.
  static Value with_language(const Value& state) {
    Object fresh;
    for (const auto& [key, value] : state.as_object()) {
      fresh.set(key, value);
      if (key == "Type") fresh.set("QueryLanguage", "JSONata");
    }
    return fresh;
  }

  // Converts the machines inside of a Parallel or Map.
  Value convert_inside(const Value& state, const std::string& pointer) {
    Object fresh = state.as_object();
    for (const char* field : {"ItemProcessor", "Iterator"}) {
      const Value* machine = state.find(field);
      if (machine != nullptr) fresh.set(field, convert_machine(*machine, pointer + "/" + field));
    }
    if (const Value* branches = state.find("Branches")) {
      Value::Array list;
      for (std::size_t i = 0; i < branches->size(); ++i) {
        list.push_back(
            convert_machine(branches->as_array()[i], pointer + "/Branches/" + std::to_string(i)));
      }
      fresh.set("Branches", std::move(list));
    }
    return fresh;
  }

  // A workflow that is JSONata throughout says so at its top; the states need not repeat it.
  Value strip_languages(const Value& machine) const {
    Object fresh = machine.as_object();
    Object states;
    for (const auto& [name, state] : machine.find("States")->as_object()) {
      Object stripped = state.as_object();
      stripped.erase("QueryLanguage");
      for (const char* field : {"ItemProcessor", "Iterator"}) {
        if (const Value* inner = state.find(field)) stripped.set(field, strip_languages(*inner));
      }
      if (const Value* branches = state.find("Branches")) {
        Value::Array list;
        for (const Value& one : branches->as_array()) list.push_back(strip_languages(one));
        stripped.set("Branches", std::move(list));
      }
      states.set(name, std::move(stripped));
    }
    fresh.set("States", std::move(states));
    const Value* groups = machine.find("Groups");
    if (groups == nullptr) return fresh;
    Object converted;
    for (const auto& [name, group] : groups->as_object()) {
      converted.set(name, convert_group(group, options_.assume_plain).state);
    }
    fresh.set("Groups", std::move(converted));
    return fresh;
  }

  static Value speaking_jsonata(const Value& workflow) {
    Object fresh;
    for (const auto& [key, value] : workflow.as_object()) {
      if (key != "QueryLanguage") fresh.set(key, value);
      if (key == "StartAt") fresh.set("QueryLanguage", "JSONata");
    }
    return fresh;
  }

  const JsonataOptions& options_;
  std::vector<std::string>& converted_;
  std::vector<std::string>& as_it_was_;
  std::vector<Obstacle>& obstacles_;
  bool found_ = false;
};

// The place that the pointer leads to; of the last part on the way when it leads nowhere.
Place place_at(const Node& root, std::string_view pointer) {
  const Node* node = &root;
  Place place = root.place;
  for (std::size_t at = 1; at <= pointer.size();) {
    const std::size_t end = std::min(pointer.find('/', at), pointer.size());
    const std::string token = "/" + std::string(pointer.substr(at, end - at));
    const Node* next = nullptr;
    for (const Member& member : node->members) {
      if (below("", member.key) != token) continue;
      next = member.node;
      place = member.key_place;
    }
    for (std::size_t i = 0; i < node->items.size(); ++i) {
      if ("/" + std::to_string(i) != token) continue;
      next = node->items[i];
      place = next->place;
    }
    if (next == nullptr) break;
    node = next;
    at = end + 1;
  }
  return place;
}

bool starts_like_json(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

}  // namespace

Value to_jsonata(const Value& definition, const JsonataOptions& options,
                 std::vector<std::string>& converted, std::vector<std::string>& as_it_was,
                 std::vector<Obstacle>& obstacles) {
  return MachineConverter(options, converted, as_it_was, obstacles).convert(definition);
}

Result<Converted> to_jsonata(std::string_view text, const JsonataOptions& options) {
  const Compiled compiled = compile(text, {options.file, {}});
  if (!compiled.ok()) return Error{ErrorCode::kInvalid, "the workflow has errors"};
  Findings findings(options.file);
  const Document document = read_document(text, options.file, findings);
  const Value& definition = document.root->value;
  Converted done;
  Value changed = definition;
  if (is_jsonata(definition)) {
    done.is_whole = true;
  } else {
    MachineConverter converter(options, done.converted, done.as_it_was, done.obstacles);
    changed = converter.convert(definition);
    if (!converter.found()) {
      return Error{ErrorCode::kNotFound, "there is no state \"" + options.state + "\""};
    }
    done.is_whole = is_jsonata(changed);
  }
  for (Obstacle& one : done.obstacles) {
    const Place place = place_at(*document.root, one.pointer);
    one.line = place.line;
    one.column = place.column;
  }
  std::stable_sort(done.obstacles.begin(), done.obstacles.end(),
                   [](const Obstacle& a, const Obstacle& b) { return a.line < b.line; });
  const Rewritten rewritten =
      rewrite(text, options.file, definition, changed, starts_like_json(text));
  done.text = rewritten.text;
  done.comments_lost = rewritten.comments_lost;
  return done;
}

}  // namespace stepwell::dsl
