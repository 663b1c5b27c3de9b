#include "dsl/compile/build.h"

#include <algorithm>

#include "base/hash.h"
#include "dsl/compile/extensions.h"
#include "dsl/compile/reading.h"
#include "dsl/tables/fields.h"
#include "dsl/tables/resource.h"
#include "language/expr/jsonata.h"

namespace stepwell::dsl {

namespace {

// Keys in order, so that two texts that say the same have the same hash.
void append_canonical(const Value& value, std::string& out) {
  if (value.is_array()) {
    out += '[';
    for (const Value& item : value.as_array()) {
      if (out.back() != '[') out += ',';
      append_canonical(item, out);
    }
    out += ']';
    return;
  }
  if (!value.is_object()) return value.append_json(out);
  std::vector<const Object::Member*> members;
  for (const auto& member : value.as_object()) members.push_back(&member);
  std::sort(members.begin(), members.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  out += '{';
  for (const auto* member : members) {
    if (member != members.front()) out += ',';
    out += json_quote(member->first) + ':';
    append_canonical(member->second, out);
  }
  out += '}';
}

class Builder {
 public:
  explicit Builder(const Document& document) : document_(document) {}

  ProgramRef build(const std::string& file) {
    const Node& root = *document_.root;
    auto program = std::make_shared<Program>();
    program->file = file;
    program_ = program.get();
    program->definition = root.value;
    std::string canonical;
    append_canonical(root.value, canonical);
    program->hash = sha256_hex(canonical);
    if (const Member* comment = root.find("Comment")) {
      program->comment = comment->node->value.as_string();
    }
    if (const Member* timeout = root.find("TimeoutSeconds")) {
      program->timeout_seconds = timeout->node->value.as_double();
    }
    language_ = language_of(root, QueryLanguage::kJsonPath);
    read_input_schema(root, *program);
    add_machine(root, "", std::nullopt);
    return program;
  }

 private:
  static QueryLanguage language_of(const Node& node, QueryLanguage outer) {
    const Member* name = node.find("QueryLanguage");
    if (name == nullptr) return outer;
    return name->node->value == Value("JSONata") ? QueryLanguage::kJsonata
                                                 : QueryLanguage::kJsonPath;
  }

  // Machines are numbered before what is inside of them.
  MachineId add_machine(const Node& node, const std::string& pointer,
                        std::optional<MachineId> parent) {
    const MachineId id{static_cast<std::uint32_t>(program_->machines.size())};
    program_->machines.emplace_back();
    std::map<std::string, StateId, std::less<>> names;
    const Node& states = *node.find("States")->node;
    for (const Member& member : states.members) {
      names.emplace(member.key, StateId{static_cast<std::uint32_t>(names.size())});
    }
    Machine machine;
    machine.parent = parent;
    machine.where = {node.place.line, node.place.column, pointer};
    machine.start_at = names.find(node.find("StartAt")->node->value.as_string())->second;
    for (const Member& member : states.members) {
      Reading reading{*member.node, below(below(pointer, "States"), member.key), names,
                      language_of(*member.node, language_)};
      State state = read_state(reading, id);
      state.name = member.key;
      state.where = {member.key_place.line, member.key_place.column, reading.pointer};
      state.uses_context = reading.uses_context;
      note_expressions(*member.node, reading.pointer, {}, state);
      machine.states.push_back(std::move(state));
    }
    read_groups(node, pointer, names, language_, machine);
    program_->machines[id.value] = std::move(machine);
    return id;
  }

  // Where its expressions stand; what is inside of machines belongs to states of their own.
  void note_expressions(const Node& node, const std::string& pointer, const std::string& location,
                        State& state) const {
    if (node.value.is_string()) note_expression(node, pointer, location, state);
    for (const Member& member : node.members) {
      const bool is_machine =
          location.empty() &&
          (member.key == "ItemProcessor" || member.key == "Iterator" || member.key == "Branches");
      if (is_machine) continue;
      note_expressions(*member.node, below(pointer, member.key),
                       location.empty() ? member.key : location + "/" + member.key, state);
    }
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const std::string index = std::to_string(i);
      note_expressions(*node.items[i], below(pointer, index), location + "[" + index + "]", state);
    }
  }

  void note_expression(const Node& node, const std::string& pointer, const std::string& location,
                       State& state) const {
    const std::string& text = node.value.as_string();
    std::string_view inner = text;
    const bool is_one = state.speaks_jsonata()
                            ? expr::is_jsonata(text, &inner)
                            : text.starts_with("$") || text.starts_with("States.");
    if (!is_one) return;
    ExpressionSpan span{state.speaks_jsonata() ? location : text,
                        {node.place.line, node.place.column, pointer},
                        {}};
    const auto skipped = static_cast<std::size_t>(inner.data() - text.data());
    for (const auto& [at, begin] : document_.stretches(node)) {
      const std::size_t from = at < skipped ? skipped - at : 0;  // Where it begins inside of one.
      span.stretches.push_back(
          {at + from - skipped, begin.line, begin.column + static_cast<std::uint32_t>(from)});
    }
    state.expressions.push_back(std::move(span));
  }

  State read_state(Reading& reading, MachineId machine) {
    State state;
    state.language = reading.language;
    state.kind = read_kind(reading, machine);
    if (reading.find("Next") != nullptr) state.next = read_target(reading, reading.node, "Next");
    if (state.speaks_jsonata()) {
      state.parameters = read_template_field(reading, reading.node, "Arguments");
      state.output = read_template_field(reading, reading.node, "Output");
    } else {
      read_paths(reading, state);
    }
    state.assign = read_template_field(reading, reading.node, "Assign");
    state.retry = read_retry(reading);
    state.catchers = read_catch(reading);
    return state;
  }

  // The data flow of JSONPath.
  static void read_paths(Reading& reading, State& state) {
    state.input_path = read_selection(reading, "InputPath");
    state.output_path = read_selection(reading, "OutputPath");
    state.result_path = read_placement(reading, reading.node);
    // A Map's `Parameters` are the older name of its ItemSelector.
    if (!std::holds_alternative<Map>(state.kind)) {
      state.parameters = read_template_field(reading, reading.node, "Parameters");
    }
    state.result_selector = read_template_field(reading, reading.node, "ResultSelector");
  }

  StateKind read_kind(Reading& reading, MachineId machine) {
    switch (*kind_named(reading.find("Type")->value.as_string())) {
      case kTask: return read_task(reading);
      case kPass: {
        const Node* result = reading.find("Result");
        return Pass{result != nullptr ? std::optional(result->value) : std::nullopt};
      }
      case kChoice: return read_choice(reading);
      case kWait: return read_wait(reading);
      case kSucceed: return Succeed{};
      case kFail: return read_fail(reading);
      case kParallel: return read_parallel(reading, machine);
      case kMap: return read_map(reading, machine);
    }
    CHECK(false, "a kind of state without a reader");
  }

  static Task read_task(Reading& reading) {
    Task task;
    task.resource = reading.find("Resource")->value.as_string();
    const auto name = parse_resource(task.resource);
    CHECK(name.has_value(), task.resource);
    task.family = name->family;
    task.event_resource = name->event_resource;
    task.event_resource_type = name->event_resource_type;
    task.timeout_seconds = read_quantity(reading, "TimeoutSeconds");
    task.heartbeat_seconds = read_quantity(reading, "HeartbeatSeconds");
    task.credentials = read_template_field(reading, reading.node, "Credentials");
    return task;
  }

  static Choice read_choice(Reading& reading) {
    Choice choice;
    choice.rules = read_choices(reading);
    if (reading.find("Default") != nullptr) {
      choice.default_next = read_target(reading, reading.node, "Default");
    }
    return choice;
  }

  static bool is_computed(const Reading& reading, const Node& text) {
    return reading.language == QueryLanguage::kJsonata && text.value.is_string() &&
           expr::is_jsonata(text.value.as_string());
  }

  static Wait read_wait(Reading& reading) {
    if (auto seconds = read_quantity(reading, "Seconds")) return Wait{std::move(*seconds)};
    if (const Node* at = reading.find("Timestamp")) {
      if (is_computed(reading, *at)) {
        return Wait{Wait::Until{read_template(reading, *at, "Timestamp"), ""}};
      }
      return Wait{Wait::Until{*parse_rfc3339(at->value.as_string()), ""}};
    }
    const Node* path = reading.find("TimestampPath");
    CHECK(path != nullptr, reading.pointer);
    return Wait{Wait::Until{read_expression(reading, *path), path->value.as_string()}};
  }

  static std::optional<expr::Template> read_text(Reading& reading, const std::string& field) {
    if (const Node* text = reading.find(field)) {
      if (is_computed(reading, *text)) return read_template(reading, *text, field);
      return expr::Template::constant(text->value);
    }
    const Node* path = reading.find(field + "Path");
    if (path == nullptr) return std::nullopt;
    return read_expression(reading, *path);
  }
  static Fail read_fail(Reading& reading) {
    Fail fail;
    fail.error = read_text(reading, "Error");
    fail.cause = read_text(reading, "Cause");
    fail.error_path_text = path_text(reading, "ErrorPath");
    fail.cause_path_text = path_text(reading, "CausePath");
    return fail;
  }

  Parallel read_parallel(Reading& reading, MachineId machine) {
    Parallel parallel;
    const std::string pointer = below(reading.pointer, "Branches");
    for (const Node* branch : reading.find("Branches")->items) {
      parallel.branches.push_back(
          add_machine(*branch, below(pointer, std::to_string(parallel.branches.size())), machine));
    }
    return parallel;
  }

  Map read_map(Reading& reading, MachineId machine) {
    Map map;
    const char* field = reading.find("ItemProcessor") != nullptr ? "ItemProcessor" : "Iterator";
    const Node& processor = *reading.find(field);
    map.processor = add_machine(processor, below(reading.pointer, field), machine);
    if (reading.language == QueryLanguage::kJsonata) {
      map.items = read_template_field(reading, reading.node, "Items");
    } else if (const Node* items = reading.find("ItemsPath")) {
      map.items = read_expression(reading, *items);
      map.items_path_text = items->value.as_string();
    }
    map.item_selector = read_template_field(reading, reading.node, "ItemSelector");
    if (!map.item_selector) {
      map.item_selector = read_template_field(reading, reading.node, "Parameters");
    }
    map.max_concurrency = read_quantity(reading, "MaxConcurrency");
    map.tolerated_failure_count = read_quantity(reading, "ToleratedFailureCount");
    map.tolerated_failure_percentage = read_quantity(reading, "ToleratedFailurePercentage");
    const Node* tolerates = reading.find("TolerateFailures");
    map.tolerate_failures = tolerates != nullptr && tolerates->value == Value(true);
    map.label = path_text(reading, "Label");
    const Member* config = processor.find("ProcessorConfig");
    const Member* mode = config != nullptr ? config->node->find("Mode") : nullptr;
    map.distributed = mode != nullptr && mode->node->value == Value("DISTRIBUTED");
    if (!map.distributed) return map;
    map.definition = reading.node.value;
    for (const char* later : {"ItemReader", "ItemBatcher", "ResultWriter"}) {
      if (map.unsupported.empty() && reading.find(later) != nullptr) map.unsupported = later;
    }
    return map;
  }

  const Document& document_;
  Program* program_ = nullptr;
  QueryLanguage language_ = QueryLanguage::kJsonPath;  // Of the workflow.
};

}  // namespace

ProgramRef build_program(const Document& document, const std::string& file) {
  return Builder(document).build(file);
}

}  // namespace stepwell::dsl
