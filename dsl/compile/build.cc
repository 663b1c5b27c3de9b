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

// Builds a Program by walking the document once, in the order of the text.
//
// add_machine() numbers a machine before the machines inside of it, then reads its states one by
// one; read_kind() of a Map or Parallel comes back to add_machine().  So MachineId and StateId
// follow from the text alone, and journals and snapshots may name states by them.
// Throws Unreadable.
class Builder {
 public:
  explicit Builder(const Document& document) : document_(document) {}

  ProgramRef build(const std::string& file) {
    const Node& root = *document_.root;
    members_of(root);
    auto program = std::make_shared<Program>();
    program->file = file;
    program_ = program.get();
    program->definition = root.value;
    std::string canonical;
    append_canonical(root.value, canonical);
    program->hash = sha256_hex(canonical);
    if (const Member* comment = root.find("Comment")) {
      program->comment = text_of(*comment->node);
    }
    if (const Member* timeout = root.find("TimeoutSeconds")) {
      program->timeout_seconds = number_of(*timeout->node);
    }
    word_in(root, "Version");
    language_ = language_of(root, QueryLanguage::kJsonPath);
    read_input_schema(root, *program);
    add_machine(root, ObjectKind::kWorkflow, "", std::nullopt);
    return program;
  }

 private:
  static QueryLanguage language_of(const Node& node, QueryLanguage outer) {
    if (node.find("QueryLanguage") == nullptr) return outer;
    return word_in(node, "QueryLanguage") == "JSONata" ? QueryLanguage::kJsonata
                                                       : QueryLanguage::kJsonPath;
  }

  // `role`: kWorkflow, kBranch or kProcessor; it says which fields the machine may have.
  MachineId add_machine(const Node& node, ObjectKind role, const std::string& pointer,
                        std::optional<MachineId> parent) {
    accept_fields(node, role, language_);
    const MachineId id{static_cast<std::uint32_t>(program_->machines.size())};
    program_->machines.emplace_back();
    StateNames names;
    const std::vector<Member>& states = members_of(need(node, "States"));
    for (const Member& member : states) {
      names.emplace(member.key, StateId{static_cast<std::uint32_t>(names.size())});
    }
    Machine machine;
    machine.parent = parent;
    machine.where = {node.place.line, node.place.column, pointer};
    machine.start_at = state_named(names, need(node, "StartAt"));
    for (const Member& member : states) {
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

  // Notes where the expressions of a state stand in the source.  `location` is what JSONata's
  // failures call the place.  Machines inside of the state are left out: their states note their
  // own.
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
      const std::size_t from =
          at < skipped ? skipped - at : 0;  // The first stretch may begin before the expression.
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

  // The fields of the data flow that only JSONPath has.
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

  static Kind kind_of(const Reading& reading) {
    const Node& type = need(reading.node, "Type");
    const std::optional<Kind> kind = kind_named(text_of(type));
    if (!kind) stop_at(type.place, "there is no type of state " + json_quote(text_of(type)));
    for (const Member& member : reading.node.members) {
      if (is_free(member.key)) continue;
      if (field_of(member.key, *kind, table_language(reading.language)) != nullptr) continue;
      stop_at(member.key_place,
              "a " + text_of(type) + " state has no field " + json_quote(member.key));
    }
    return *kind;
  }

  StateKind read_kind(Reading& reading, MachineId machine) {
    switch (kind_of(reading)) {
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
    const Node& resource = need(reading.node, "Resource");
    task.resource = text_of(resource);
    const auto name = parse_resource(task.resource);
    if (!name) stop_at(resource.place, json_quote(task.resource) + " does not name a task");
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
      const std::optional<Time> time = parse_rfc3339(text_of(*at));
      if (!time) stop_at(at->place, json_quote(text_of(*at)) + " is not a time");
      return Wait{Wait::Until{*time, ""}};
    }
    const Node& path = need(reading.node, "TimestampPath");
    return Wait{Wait::Until{read_expression(reading, path), text_of(path)}};
  }

  static std::optional<expr::Template> read_text(Reading& reading, const std::string& field) {
    if (const Node* text = reading.find(field)) {
      if (is_computed(reading, *text)) return read_template(reading, *text, field);
      text_of(*text);
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
    for (const Node* branch : items_of(need(reading.node, "Branches"))) {
      const std::string index = std::to_string(parallel.branches.size());
      parallel.branches.push_back(
          add_machine(*branch, ObjectKind::kBranch, below(pointer, index), machine));
    }
    return parallel;
  }

  Map read_map(Reading& reading, MachineId machine) {
    Map map;
    const bool is_old = reading.find("Iterator") != nullptr && !reading.find("ItemProcessor");
    const char* field = is_old ? "Iterator" : "ItemProcessor";
    const Node& processor = need(reading.node, field);
    map.processor =
        add_machine(processor, ObjectKind::kProcessor, below(reading.pointer, field), machine);
    if (reading.language == QueryLanguage::kJsonata) {
      map.items = read_template_field(reading, reading.node, "Items");
    } else if (const Node* items = reading.find("ItemsPath")) {
      map.items = read_expression(reading, *items);
      map.items_path_text = text_of(*items);
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
    if (const Member* config = processor.find("ProcessorConfig")) {
      accept_fields(*config->node, ObjectKind::kProcessorConfig, reading.language);
      word_in(*config->node, "ExecutionType");
      map.distributed = word_in(*config->node, "Mode") == "DISTRIBUTED";
    }
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

Result<ProgramRef> build_program(const Document& document, const std::string& file) {
  try {
    return Builder(document).build(file);
  } catch (const Unreadable& unreadable) {
    const Place& at = unreadable.place;
    return Error{ErrorCode::kUnavailable, file + ":" + std::to_string(at.line) + ":" +
                                              std::to_string(at.column) + ": " + unreadable.what};
  }
}

}  // namespace stepwell::dsl
