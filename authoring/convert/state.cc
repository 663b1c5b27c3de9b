// Converts the data flow of a state: what InputPath, Parameters, ResultSelector, ResultPath and
// OutputPath do one after the other is written in JSONata's Arguments and Output.
#include "authoring/convert/state.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "authoring/convert/expressions.h"

namespace stepwell::dsl {

namespace {

const Formula kRawInput{"$states.input", Known::kNothing, true};
const Formula kResult{"$states.result", Known::kNothing, true};
const Formula kErrorOutput{"$states.errorOutput", Known::kObject, true};

// A value at one point of the data flow, as an expression and as a payload.
struct Stage {
  Formula formula;
  std::optional<Value> payload;

  Value written() const { return payload ? *payload : computed(formula); }
};

class StateConverter {
 public:
  StateConverter(const Value& state, bool assume_plain)
      : old_(state), assume_plain_(assume_plain) {}

  StateConversion convert() {
    const std::string type = text("Type");
    raw_ = {kRawInput, assume_plain_};
    input_ = {effective_input(), assume_plain_};
    if (type == "Task") {
      convert_task();
    } else if (type == "Parallel") {
      convert_arguments();
      convert_result();
    } else if (type == "Map") {
      convert_map();
    } else if (type == "Pass") {
      convert_pass();
    } else if (type == "Choice") {
      convert_choice();
    } else if (type == "Wait") {
      convert_wait();
    } else if (type == "Fail") {
      convert_expression("ErrorPath", "Error", raw_);
      convert_expression("CausePath", "Cause", raw_);
    } else {
      put_output({input_.input, {}}, kRawInput);
    }
    return {assemble(), std::move(obstacles_)};
  }

  StateConversion convert_as_group() {
    convert_catch();
    return {assemble(), std::move(obstacles_)};
  }

 private:
  const Value* find(std::string_view field) const { return old_.find(field); }
  std::string text(std::string_view field) const {
    const Value* value = find(field);
    return value != nullptr && value->is_string() ? value->as_string() : "";
  }
  void refuse(const std::string& field, const Refusal& refusal) {
    obstacles_.push_back({"/" + field + refusal.where, refusal.reason});
  }
  // The value of the attempt; when it was refused, notes why and returns `otherwise`.
  template <class T>
  T take(Attempt<T> attempt, const std::string& field, T otherwise = {}) {
    if (attempt.ok()) return *attempt;
    refuse(field, attempt.refusal());
    return otherwise;
  }
  Value take_template(const Value& payload, const Dialect& dialect, const std::string& field) {
    const auto value = template_value(payload, dialect);
    if (value.ok()) return *value;
    refuse_all(field, template_refusals(payload, dialect, false));
    return {};
  }
  void refuse_all(const std::string& field, const std::vector<Refusal>& refusals) {
    for (const Refusal& one : refusals) refuse(field, one);
  }
  // Sets a new field; `gone` are the old fields that it replaces.
  void put(const std::string& field, Value value, std::initializer_list<const char*> gone) {
    fresh_.set(field, std::move(value));
    for (const char* one : gone) gone_[one] = field;
  }

  Formula effective_input() {
    const Value* path = find("InputPath");
    if (path == nullptr) return kRawInput;
    gone_["InputPath"] = "";
    if (path->is_null()) return {"{}", Known::kObject};
    return take(path_formula(path->as_string(), raw_), "InputPath");
  }

  // ---- What goes out ------------------------------------------------------------------------
  void convert_arguments() {
    if (const Value* parameters = find("Parameters")) {
      put("Arguments", take_template(*parameters, input_, "Parameters"), {"Parameters"});
    } else if (input_.input.text != kRawInput.text) {
      put("Arguments", computed(input_.input), {"InputPath"});
    }
  }

  void convert_result() {
    Stage selected{kResult, {}};
    if (const Value* selector = find("ResultSelector")) {
      const Dialect dialect{kResult, assume_plain_};
      selected = stage_of(*selector, dialect, "ResultSelector");
      gone_["ResultSelector"] = "Output";
    }
    put_output(put_result(std::move(selected)), kResult);
    convert_assign(kResult);
    convert_catch();
  }

  Stage stage_of(const Value& payload, const Dialect& dialect, const std::string& field) {
    auto formula = template_formula(payload, dialect);
    if (!formula.ok()) {
      refuse_all(field, template_refusals(payload, dialect, true));
      return {kResult, {}};
    }
    return {*formula, take_template(payload, dialect, field)};
  }

  // ResultPath: the raw input with the result put in.
  Stage put_result(Stage result) {
    const Value* path = find("ResultPath");
    if (path == nullptr) return result;
    gone_["ResultPath"] = "Output";
    if (path->is_null()) return {kRawInput, {}};
    const auto place = read_definite_path(path->as_string());
    if (!place.ok()) {
      refuse("ResultPath", place.refusal());
      return result;
    }
    if (place->steps.empty()) return result;
    placed_ = {place->steps, result.formula};
    return {merged(place->steps, result.formula), {}};
  }

  // The input with {"a": {"b": result}} merged in, level by level.
  Formula merged(const std::vector<PathText::Step>& steps, const Formula& result) {
    std::string text = result.text;
    for (std::size_t i = steps.size(); i-- > 0;) {
      const auto* name = std::get_if<std::string>(&steps[i]);
      if (name == nullptr) {
        refuse("ResultPath", {"JSONata cannot put a value into a list by its index"});
        return result;
      }
      const std::vector<PathText::Step> before(steps.begin(),
                                               steps.begin() + static_cast<std::ptrdiff_t>(i));
      // A null on the way is replaced by an object, as ResultPath does.
      const std::string into = follow(kRawInput, before).text + (i > 0 ? "[$ != null]" : "");
      text = "$merge([" + into + ", {" + json_quote(*name) + ": " + text + "}])";
    }
    return {text, Known::kObject, true};
  }

  // Applies OutputPath, and sets Output unless the state would put out the same without it.
  void put_output(Stage placed, const Formula& otherwise) {
    const Value* path = find("OutputPath");
    if (path != nullptr) {
      gone_["OutputPath"] = "Output";
      if (path->is_null()) {
        placed = {{"{}", Known::kObject}, Value(Object())};
      } else {
        placed = selected(path->as_string(), std::move(placed));
      }
    }
    if (placed.formula.text == otherwise.text) return;
    put("Output", placed.written(), {});
  }

  Stage selected(const std::string& path, Stage placed) {
    const auto parts = read_definite_path(path);
    if (!parts.ok()) {
      refuse("OutputPath", parts.refusal());
      return placed;
    }
    if (parts->root != PathText::Root::kInput) {
      return {take(path_formula(path, raw_), "OutputPath"), {}};
    }
    if (parts->steps.empty()) return placed;
    if (placed_) {  // OutputPath leads to the result, or into another part of the input.
      const auto& [steps, result] = *placed_;
      const bool is_within = steps.size() <= parts->steps.size() &&
                             std::equal(steps.begin(), steps.end(), parts->steps.begin());
      if (is_within) {
        const auto rest = parts->steps.begin() + static_cast<std::ptrdiff_t>(steps.size());
        return {follow(result, {rest, parts->steps.end()}), {}};
      }
      if (steps.front() != parts->steps.front()) return {follow(kRawInput, parts->steps), {}};
    }
    return {follow(placed.formula, parts->steps), {}};
  }

  // In Assign `$` is the result of the state.
  void convert_assign(const Formula& result) {
    const Value* assign = find("Assign");
    if (assign == nullptr) return;
    put("Assign", take_template(*assign, {result, assume_plain_}, "Assign"), {"Assign"});
  }

  // ---- Kinds of states ----------------------------------------------------------------------
  void convert_task() {
    convert_arguments();
    for (const char* field : {"TimeoutSeconds", "HeartbeatSeconds"}) convert_number(field);
    if (const Value* credentials = find("Credentials")) {
      put("Credentials", take_template(*credentials, raw_, "Credentials"), {"Credentials"});
    }
    convert_result();
  }

  void convert_pass() {
    Stage result{input_.input, {}};
    if (const Value* constant = find("Result")) {
      result = {take(constant_formula(*constant), "Result"), verbatim(*constant)};
      gone_["Result"] = gone_["Parameters"] = "Output";  // Result takes the place of Parameters.
    } else if (const Value* parameters = find("Parameters")) {
      result = stage_of(*parameters, input_, "Parameters");
      gone_["Parameters"] = "Output";
    }
    put_output(put_result(result), kRawInput);
    convert_assign(result.formula);
  }

  void convert_wait() {
    convert_number("Seconds");
    convert_expression("TimestampPath", "Timestamp", input_);
    put_output({input_.input, {}}, kRawInput);
    convert_assign(input_.input);
  }

  void convert_choice() {
    put_output({input_.input, {}}, kRawInput);
    convert_assign(input_.input);
    const Value* choices = find("Choices");
    Value::Array rules;
    for (std::size_t i = 0; i < choices->size(); ++i) {
      rules.push_back(convert_rule(choices->as_array()[i], "Choices/" + std::to_string(i)));
    }
    put("Choices", std::move(rules), {"Choices"});
  }

  Value convert_rule(const Value& rule, const std::string& field) {
    Object fresh;
    const auto formula = condition_formula(rule, input_);
    if (!formula.ok()) refuse_all(field, condition_refusals(rule, input_));
    const Value condition = computed(formula.ok() ? *formula : Formula());
    for (const auto& [key, value] : rule.as_object()) {
      const bool is_kept = key == "Comment" || key == "Next" || key.starts_with("x-");
      if (!is_kept && key != "Assign" && !fresh.contains("Condition")) {
        fresh.set("Condition", condition);
      }
      if (is_kept) fresh.set(key, value);
      if (key == "Assign") {
        fresh.set(key, take_template(value, input_, field + "/Assign"));
      }
    }
    if (const Value* output = fresh_.find("Output")) fresh.set("Output", *output);
    return fresh;
  }

  void convert_map() {
    if (find("ItemsPath") != nullptr && find("ItemReader") == nullptr) {
      convert_expression("ItemsPath", "Items", input_);
    } else if (find("ItemsPath") != nullptr) {
      gone_["ItemsPath"] = "";  // With an ItemReader it has no effect.
    } else if (input_.input.text != kRawInput.text && find("ItemReader") == nullptr) {
      put("Items", computed(input_.input), {"InputPath"});
    }
    for (const char* field : {"ItemSelector", "Parameters"}) {
      const Value* selector = find(field);
      if (selector == nullptr) continue;
      put("ItemSelector", take_template(*selector, input_, field), {field});
    }
    for (const char* field :
         {"MaxConcurrency", "ToleratedFailureCount", "ToleratedFailurePercentage"}) {
      convert_number(field);
    }
    convert_parts_of("ItemReader");
    convert_parts_of("ItemBatcher");
    convert_parts_of("ResultWriter");
    convert_result();
  }

  // Converts an ItemReader, ItemBatcher or ResultWriter: Parameters become Arguments, ...Path
  // fields become expressions.
  void convert_parts_of(const std::string& field) {
    const Value* part = find(field);
    if (part != nullptr) put(field, converted_part(*part, field), {field.c_str()});
  }
  Value converted_part(const Value& part, const std::string& field) {
    Object fresh;
    for (const auto& [key, value] : part.as_object()) {
      const std::string where = field + "/" + key;
      if (key == "Parameters" || key == "BatchInput") {
        fresh.set(key == "Parameters" ? "Arguments" : key, take_template(value, input_, where));
      } else if (key == "ReaderConfig" && value.is_object()) {
        fresh.set(key, converted_part(value, where));
      } else if (key.ends_with("Path") && value.is_string()) {
        fresh.set(key.substr(0, key.size() - 4), number(value.as_string(), where));
      } else {
        fresh.set(key, value);
      }
    }
    return fresh;
  }

  // ---- Fields -------------------------------------------------------------------------------
  // A ...Path field accepts a number in a string; an expression must give a number, so it is
  // converted.
  Value number(const std::string& path, const std::string& field) {
    Formula formula = take(path_formula(path, input_), field);
    if (!assume_plain_) formula.text = "$number(" + formula.text + ")";
    return computed(formula);
  }
  void convert_number(const std::string& field) {
    const std::string path_field = field + "Path";
    const Value* path = find(path_field);
    if (path != nullptr) {
      put(field, number(path->as_string(), path_field), {path_field.c_str()});
    }
  }
  void convert_expression(const char* field, const char* target, const Dialect& dialect) {
    const Value* value = find(field);
    if (value == nullptr) return;
    put(target, computed(take(expression_formula(value->as_string(), dialect), field)), {field});
  }

  void convert_catch() {
    const Value* catchers = find("Catch");
    if (catchers == nullptr) return;
    Value::Array fresh;
    for (std::size_t i = 0; i < catchers->size(); ++i) {
      fresh.push_back(convert_catcher(catchers->as_array()[i], "Catch/" + std::to_string(i)));
    }
    put("Catch", std::move(fresh), {"Catch"});
  }

  Value convert_catcher(const Value& catcher, const std::string& field) {
    Object fresh;
    for (const auto& [key, value] : catcher.as_object()) {
      if (key == "Assign") {
        fresh.set(key, take_template(value, {kErrorOutput, assume_plain_}, field + "/Assign"));
      } else if (key != "ResultPath") {
        fresh.set(key, value);
      } else if (value.is_null()) {
        fresh.set("Output", computed(kRawInput));
      } else {
        const auto place = read_definite_path(value.as_string());
        if (!place.ok()) {
          refuse(field + "/ResultPath", place.refusal());
        } else if (!place->steps.empty()) {
          fresh.set("Output", computed(merged(place->steps, kErrorOutput)));
        }
      }
    }
    return fresh;
  }

  // ---- Together -----------------------------------------------------------------------------
  // The fields in the old order; a new field stands where the first field that it replaces stood.
  Value assemble() const {
    Object state;
    const auto flush = [&] {
      for (const auto& [field, value] : fresh_) {
        const bool is_in_place = field == "Catch" || field == "Choices";
        if (!is_in_place && !state.contains(field)) state.set(field, value);
      }
    };
    for (const auto& [key, value] : old_.as_object()) {
      const bool is_end = key == "Next" || key == "End" || key == "Retry" || key == "Catch" ||
                          key == "Choices" || key == "Default";
      if (is_end) flush();
      const auto gone = gone_.find(key);
      if (gone == gone_.end()) {
        if (key != "QueryLanguage" && !state.contains(key)) state.set(key, value);
        continue;
      }
      const Value* instead = gone->second.empty() ? nullptr : fresh_.find(gone->second);
      if (instead != nullptr && !state.contains(gone->second)) state.set(gone->second, *instead);
    }
    flush();
    return state;
  }

  const Value& old_;
  const bool assume_plain_;
  Dialect raw_, input_;
  Object fresh_;                             // New fields.
  std::map<std::string, std::string> gone_;  // Old fields, and the new field that replaces each.
  std::optional<std::pair<std::vector<PathText::Step>, Formula>>
      placed_;  // What ResultPath put where, if it did.
  std::vector<StateObstacle> obstacles_;
};

}  // namespace

StateConversion convert_state(const Value& state, bool assume_plain) {
  return StateConverter(state, assume_plain).convert();
}

StateConversion convert_group(const Value& group, bool assume_plain) {
  return StateConverter(group, assume_plain).convert_as_group();
}

}  // namespace stepwell::dsl
