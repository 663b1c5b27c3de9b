#include "authoring/editor/editor_schema.h"

#include <string>
#include <vector>

#include "authoring/editor/descriptions.h"
#include "dsl/tables/fields.h"
#include "dsl/tables/objects.h"
#include "dsl/tables/operators.h"

namespace stepwell::dsl {

namespace {

using Names = std::vector<std::string>;

Value list_of(const Names& names) {
  Value::Array list;
  for (const std::string& name : names) list.emplace_back(name);
  return list;
}

Object reference(const std::string& name) { return {{"$ref", "#/definitions/" + name}}; }
Object text() { return {{"type", "string"}}; }
Object words(const Names& names) { return {{"enum", list_of(names)}}; }
Object required(const Names& names) { return {{"required", list_of(names)}}; }
Object never(Object schema) { return {{"not", std::move(schema)}}; }
Object array_of(Object item) { return {{"type", "array"}, {"items", std::move(item)}}; }
Object either(Object a, Object b) {
  return {{"anyOf", Value::Array{Value(std::move(a)), Value(std::move(b))}}};
}
Object constant(const char* field, const char* word) {
  return {{"properties", Object{{field, Object{{"const", word}}}}},
          {"required", Value::Array{field}}};
}
Object whole(std::int64_t least) { return {{"type", "integer"}, {"minimum", least}}; }
Object whole(std::int64_t least, std::int64_t most) {
  Object schema = whole(least);
  schema.set("maximum", most);
  return schema;
}
Object filled(Object list) {
  list.set("minItems", 1);
  return list;
}

// Builds the schema of one object: its fields, Comment and x-anything, and nothing else.
class ObjectForm {
 public:
  ObjectForm& field(const std::string& name, Object schema) {
    const std::string_view description = description_of(name);
    // In draft 7 everything beside a $ref is ignored.
    if (!description.empty() && schema.contains("$ref")) {
      schema = Object{{"allOf", Value::Array{Value(std::move(schema))}}};
    }
    if (!description.empty()) schema.set("description", description);
    properties_.set(name, std::move(schema));
    return *this;
  }
  ObjectForm& must_have(const std::string& name) {
    required_.emplace_back(name);
    return *this;
  }
  ObjectForm& rule(Object schema) {
    rules_.emplace_back(std::move(schema));
    return *this;
  }
  ObjectForm& not_both(const std::string& a, const std::string& b) {
    return rule(never(required({a, b})));
  }
  Object schema() {
    field("Comment", text());
    Object made{{"type", "object"},
                {"properties", std::move(properties_)},
                {"patternProperties", Object{{"^x-", Object()}}},
                {"additionalProperties", false}};
    if (!required_.empty()) made.set("required", std::move(required_));
    if (!rules_.empty()) made.set("allOf", std::move(rules_));
    return made;
  }

 private:
  Object properties_;
  Value::Array required_, rules_;
};

// ---- What may stand in a field --------------------------------------------------------------

// "{% ... %}"
Object expression() { return reference("expression"); }
Object or_expression(Object schema, Language language) {
  if (language == Language::kJsonPath) return schema;
  return either(std::move(schema), expression());
}
Object path() { return reference("path"); }
Object payload(Language language) {
  return language == Language::kJsonPath ? reference("payload") : Object();
}
Object assign(Language language) {
  return reference(language == Language::kJsonPath ? "assign.JSONPath" : "assign.JSONata");
}
std::string in(const char* name, Language language) {
  return std::string(name) + (language == Language::kJsonPath ? ".JSONPath" : ".JSONata");
}

Object timestamp() {
  return {{"type", "string"}, {"format", "date-time"}, {"pattern", "^[0-9]{4}-[^{]*$"}};
}

// `machine`: the language of the workflow, which is that of machines inside of the state.
Object schema_of(const Field& field, Language language, Language machine) {
  switch (field.shape) {
    case Shape::kType: return text();
    case Shape::kText:
    case Shape::kResource:
    case Shape::kTransition: return text();
    case Shape::kMessage: return text();
    case Shape::kLanguage:
      return machine == Language::kJsonPath && language == Language::kJsonPath
                 ? words({"JSONPath", "JSONata"})
                 : words({"JSONata"});
    case Shape::kEnd: return {{"const", true}};
    case Shape::kPath:
    case Shape::kReferencePath: return either(path(), {{"type", "null"}});
    case Shape::kPathTo: return path();
    case Shape::kPathOrIntrinsic: return reference("pathOrCall");
    case Shape::kTemplate: return payload(language);
    case Shape::kAssign: return assign(language);
    case Shape::kAnything:
    case Shape::kArguments:
    case Shape::kOutput: return {};
    case Shape::kItems: return either({{"type", Value::Array{"array", "object"}}}, expression());
    case Shape::kCredentials: return reference(in("credentials", language));
    case Shape::kRetry: return array_of(reference("retrier"));
    case Shape::kCatch: return array_of(reference(in("catcher", language)));
    case Shape::kPositive: return or_expression(whole(1, kMostSeconds), language);
    case Shape::kCount: return or_expression(whole(0), language);
    case Shape::kPercentage:
      return or_expression({{"type", "number"}, {"minimum", 0}, {"maximum", 100}}, language);
    case Shape::kTruth: return {{"type", "boolean"}};
    case Shape::kTimestamp: return or_expression(timestamp(), language);
    case Shape::kChoices: return filled(array_of(reference(in("rule", language))));
    case Shape::kBranches: return filled(array_of(reference(in("branch", machine))));
    case Shape::kProcessor: return reference(in("processor", machine));
    case Shape::kItemReader: return reference(in("itemReader", language));
    case Shape::kItemBatcher: return reference(in("itemBatcher", language));
    case Shape::kResultWriter: return reference(in("resultWriter", language));
  }
  return {};
}

// ---- States ---------------------------------------------------------------------------------

void add_rules_of(ObjectForm& state, Kind kind, Language language) {
  const bool is_path = language == Language::kJsonPath;
  const auto exclusive = [&](const char* field) {
    if (is_path) state.not_both(field, std::string(field) + "Path");
  };
  switch (kind) {
    case kTask:
      state.must_have("Resource");
      exclusive("TimeoutSeconds");
      exclusive("HeartbeatSeconds");
      break;
    case kChoice: state.must_have("Choices"); break;
    case kWait: {
      Value::Array ways;
      for (const char* field : {"Seconds", "Timestamp", "SecondsPath", "TimestampPath"}) {
        const bool is_here = is_path || !std::string_view(field).ends_with("Path");
        if (is_here) ways.emplace_back(required({field}));
      }
      state.rule({{"oneOf", std::move(ways)}});
      break;
    }
    case kFail:
      exclusive("Error");
      exclusive("Cause");
      break;
    case kParallel: state.must_have("Branches"); break;
    case kMap:
      state.rule({{"oneOf", Value::Array{required({"ItemProcessor"}), required({"Iterator"})}}});
      if (is_path) state.not_both("ItemSelector", "Parameters");
      exclusive("MaxConcurrency");
      exclusive("ToleratedFailureCount");
      exclusive("ToleratedFailurePercentage");
      state.rule({{"if", reference("distributed")},
                  {"else", Object{{"properties", Object{{"ItemReader", false},
                                                        {"ItemBatcher", false},
                                                        {"ResultWriter", false},
                                                        {"Label", false}}}}},
                  {"then", Object{{"properties", Object{{"TolerateFailures", false}}}}}});
      break;
    default: break;
  }
  if ((kind & (kTask | kPass | kWait | kParallel | kMap)) == 0) return;
  state.rule({{"anyOf", Value::Array{required({"Next"}), required({"End"})}}});
  state.not_both("Next", "End");
}

Object state_of(Kind kind, Language language, Language machine) {
  ObjectForm state;
  for (const std::string& name : legal_fields(kind, language)) {
    if (name != "Comment") state.field(name, schema_of(*field_anywhere(name), language, machine));
  }
  state.must_have("Type");
  add_rules_of(state, kind, language);
  return state.schema();
}

std::string state_name(const std::string& kind, Language language, Language machine) {
  const bool is_mixed = language != machine;
  return in(kind.c_str(), language) + (is_mixed ? ".inJSONPath" : "");
}

// A state in a workflow of that language: the schema is chosen by its Type and QueryLanguage.
Object any_state(Language machine) {
  ObjectForm state;
  Value::Array rules;
  for (const std::string& kind : kind_names()) {
    Object then = reference(state_name(kind, machine, machine));
    if (machine == Language::kJsonPath) {
      then = Object{{"if", constant("QueryLanguage", "JSONata")},
                    {"then", reference(state_name(kind, Language::kJsonata, machine))},
                    {"else", std::move(then)}};
    }
    rules.push_back(Object{{"if", constant("Type", kind.c_str())}, {"then", std::move(then)}});
  }
  Object type = words(kind_names());
  type.set("description", description_of("Type"));
  return {{"type", "object"},
          {"properties", Object{{"Type", std::move(type)}}},
          {"required", Value::Array{"Type"}},
          {"allOf", std::move(rules)}};
}

// ---- Machines -------------------------------------------------------------------------------

void begin_machine(ObjectForm& machine) {
  machine.field("StartAt", text()).must_have("StartAt").must_have("States");
}

Object states_of(Language language) {
  return {{"type", "object"},
          {"minProperties", 1},
          {"propertyNames", Object{{"minLength", 1}, {"maxLength", 80}}},
          {"additionalProperties", reference(in("state", language))}};
}

Object workflow() {
  ObjectForm form;
  begin_machine(form);
  form.field("States", {{"type", "object"}});
  form.field("Version", words(words_in("Version")));
  form.field("TimeoutSeconds", whole(1, kMostSeconds));
  form.field("QueryLanguage", words(words_in("QueryLanguage")));
  form.field("InputSchema", {{"type", Value::Array{"object", "boolean"}}});
  form.field("Groups", {{"type", "object"}});
  const auto states = [](Language language) {
    return Object{{"properties", Object{{"States", reference(in("states", language))},
                                        {"Groups", reference(in("groups", language))}}}};
  };
  form.rule({{"if", constant("QueryLanguage", "JSONata")},
             {"then", states(Language::kJsonata)},
             {"else", states(Language::kJsonPath)}});
  return form.schema();
}

Object branch(Language language) {
  ObjectForm form;
  begin_machine(form);
  form.field("Groups", reference(in("groups", language)));
  return form.field("States", reference(in("states", language))).schema();
}

Object processor(Language language) {
  ObjectForm form;
  begin_machine(form);
  form.field("States", reference(in("states", language)));
  form.field("Groups", reference(in("groups", language)));
  form.field("ProcessorConfig", reference("processorConfig"));
  return form.schema();
}

Object processor_config() {
  ObjectForm form;
  form.field("Mode", words(words_in("Mode")));
  form.field("ExecutionType", words(words_in("ExecutionType")));
  form.rule({{"if", constant("Mode", "DISTRIBUTED")}, {"then", required({"ExecutionType"})}});
  return form.schema();
}

// ---- Retry, Catch, Choices ------------------------------------------------------------------

Object error_names() {
  Object names = filled(array_of({{"type", "string"}, {"minLength", 1}}));
  names.set("if", Object{{"contains", Object{{"const", "States.ALL"}}}});
  names.set("then", Object{{"maxItems", 1}});
  return names;
}

Object retrier() {
  ObjectForm form;
  form.field("ErrorEquals", error_names()).must_have("ErrorEquals");
  form.field("IntervalSeconds", whole(1, kMostSeconds));
  form.field("MaxAttempts", whole(0, kMostSeconds));
  form.field("BackoffRate", {{"type", "number"}, {"minimum", 1}});
  form.field("MaxDelaySeconds", whole(1, kMostDelaySeconds));
  form.field("JitterStrategy", words(words_in("JitterStrategy")));
  form.field("RetryAfter", words(words_in("RetryAfter")));
  form.field("MaxRetryAfterSeconds", whole(1, kMostDelaySeconds));
  form.field("MaxRetryAfterCount", whole(1, kMostServerDelays));
  form.rule({{"if", constant("RetryAfter", "HONOR")},
             {"else", Object{{"properties", Object{{"MaxRetryAfterSeconds", false},
                                                   {"MaxRetryAfterCount", false}}}}}});
  return form.schema();
}

Object group(Language language) {
  ObjectForm form;
  form.field("States", filled(array_of(text()))).must_have("States");
  form.field("Retry", array_of(reference("retrier")));
  form.field("Catch", array_of(reference(in("catcher", language))));
  form.rule({{"anyOf", Value::Array{required({"Retry"}), required({"Catch"})}}});
  return form.schema();
}

Object catcher(Language language) {
  ObjectForm form;
  form.field("ErrorEquals", error_names()).must_have("ErrorEquals");
  form.field("Next", text()).must_have("Next");
  form.field("Assign", assign(language));
  if (language == Language::kJsonPath) {
    form.field("ResultPath", either(path(), {{"type", "null"}}));
  } else {
    form.field("Output", {});
  }
  return form.schema();
}

Object operand_of(const ComparisonField& comparison) {
  if (comparison.is_path) return path();
  switch (comparison.operand) {
    case Operand::kText: return text();
    case Operand::kNumber: return {{"type", "number"}};
    case Operand::kTruth: return {{"type", "boolean"}};
    case Operand::kTimestamp: return timestamp();
  }
  return {};
}

// A rule or condition: exactly one test, with Variable when the test is a comparison.
Object condition(bool is_outermost) {
  ObjectForm form;
  Value::Array tests;
  const auto add_test = [&](const std::string& name, Object schema) {
    form.field(name, std::move(schema));
    tests.emplace_back(required({name}));
  };
  form.field("Variable", path());
  for (const char* name : {"And", "Or"}) {
    add_test(name, filled(array_of(reference("condition"))));
    form.not_both(name, "Variable");
  }
  add_test("Not", reference("condition"));
  form.not_both("Not", "Variable");
  for (const std::string& name : comparison_names()) {
    add_test(name, operand_of(*comparison_named(name)));
  }
  form.rule({{"oneOf", std::move(tests)}});
  form.rule({{"anyOf", Value::Array{required({"Variable"}), required({"And"}), required({"Or"}),
                                    required({"Not"})}}});
  if (is_outermost) {
    form.field("Next", text()).must_have("Next");
    form.field("Assign", assign(Language::kJsonPath));
  }
  return form.schema();
}

Object computed_rule() {
  ObjectForm form;
  form.field("Condition", either({{"type", "boolean"}}, expression())).must_have("Condition");
  form.field("Next", text()).must_have("Next");
  form.field("Assign", assign(Language::kJsonata));
  form.field("Output", {});
  return form.schema();
}

// ---- The distributed Map ----------------------------------------------------------------------

void add_arguments(ObjectForm& form, Language language) {
  if (language == Language::kJsonPath) {
    form.field("Parameters", {{"type", "object"}, {"allOf", Value::Array{payload(language)}}});
  } else {
    form.field("Arguments", {});
  }
}

void add_count(ObjectForm& form, const std::string& name, Language language) {
  form.field(name, or_expression(whole(0, kMostItems), language));
  if (language == Language::kJsonPath) form.field(name + "Path", path());
}

Object item_reader(Language language) {
  ObjectForm config;
  for (const char* name : {"InputType", "CSVDelimiter", "CSVHeaderLocation", "CSVHeaders",
                           "ManifestType", "ItemsPointer", "Transformation"}) {
    config.field(name, {});
  }
  add_count(config, "MaxItems", language);
  ObjectForm form;
  form.field("Resource", text()).must_have("Resource");
  add_arguments(form, language);
  return form.field("ReaderConfig", config.schema()).schema();
}

Object item_batcher(Language language) {
  ObjectForm form;
  add_count(form, "MaxItemsPerBatch", language);
  add_count(form, "MaxInputBytesPerBatch", language);
  if (language == Language::kJsonPath) {
    form.field("BatchInput", {{"type", "object"}, {"allOf", Value::Array{payload(language)}}});
  } else {
    form.field("BatchInput", {});
  }
  return form.schema();
}

Object result_writer(Language language) {
  ObjectForm form;
  form.field("Resource", {}).field("WriterConfig", {});
  add_arguments(form, language);
  return form.schema();
}

// ---- Expressions ----------------------------------------------------------------------------

constexpr const char* kComputedKey = "\\.\\$$";

Object credentials(Language language) {
  Object schema{
      {"type", "object"},
      {"properties", Object{{"RoleArn", Object{{"description", description_of("RoleArn")}}}}}};
  if (language == Language::kJsonata) {
    schema.set("required", Value::Array{"RoleArn"});
    return schema;
  }
  schema.set("anyOf", Value::Array{required({"RoleArn"}), required({"RoleArn.$"})});
  schema.set("allOf", Value::Array{payload(language)});
  return schema;
}

Object assign_of(Language language) {
  const bool is_path = language == Language::kJsonPath;
  const std::string end = is_path ? "(\\.\\$)?$" : "$";
  Object schema{{"type", "object"},
                {"propertyNames", Object{{"pattern", "^(?!states" + end +
                                                         ")[^\\x00-/:-@\\[-^`{-\\x7f0-9]"
                                                         "[^\\x00-/:-@\\[-^`{-\\x7f]{0,79}" +
                                                         end}}}};
  if (is_path) schema.set("allOf", Value::Array{payload(language)});
  return schema;
}

void add_expressions(Object& all) {
  all.set("expression",
          Object{{"type", "string"},
                 {"pattern", "^\\{%[\\s\\S]*%\\}$"},
                 {"description", "A JSONata expression: \"{% $states.input.x %}\"."}});
  all.set("path", Object{{"type", "string"},
                         {"pattern", "^\\$"},
                         {"description",
                          "A path: $ is the input, $$ the context object, $name a "
                          "variable."}});
  // A path or a call; whether the call is valid only the compiler can tell.
  all.set("pathOrCall",
          Object{{"type", "string"},
                 {"pattern", "^\\$|^States\\.|^[^{][\\s\\S]*\\("},
                 {"description", "A path, or a call such as States.Format('{}', $.x)."}});
  all.set("payload", Object{{"items", reference("payload")},
                            {"patternProperties", Object{{kComputedKey, reference("pathOrCall")}}},
                            {"additionalProperties", reference("payload")}});
  all.set("distributed",
          Object{{"properties",
                  Object{{"ItemProcessor",
                          Object{{"properties",
                                  Object{{"ProcessorConfig", constant("Mode", "DISTRIBUTED")}}},
                                 {"required", Value::Array{"ProcessorConfig"}}}}}},
                 {"required", Value::Array{"ItemProcessor"}}});
}

Object definitions() {
  Object all;
  for (const Language machine : {Language::kJsonPath, Language::kJsonata}) {
    all.set(in("states", machine), states_of(machine));
    all.set(in("state", machine), any_state(machine));
    all.set(in("branch", machine), branch(machine));
    all.set(in("processor", machine), processor(machine));
    for (const Language language : {Language::kJsonPath, Language::kJsonata}) {
      if (machine == Language::kJsonata && language == Language::kJsonPath) continue;
      for (const std::string& kind : kind_names()) {
        all.set(state_name(kind, language, machine),
                state_of(*kind_named(kind), language, machine));
      }
    }
  }
  for (const Language language : {Language::kJsonPath, Language::kJsonata}) {
    all.set(in("catcher", language), catcher(language));
    all.set(in("itemReader", language), item_reader(language));
    all.set(in("itemBatcher", language), item_batcher(language));
    all.set(in("resultWriter", language), result_writer(language));
    all.set(in("credentials", language), credentials(language));
    all.set(in("assign", language), assign_of(language));
    all.set(in("group", language), group(language));
    all.set(in("groups", language),
            Object{{"type", "object"}, {"additionalProperties", reference(in("group", language))}});
  }
  all.set("rule.JSONPath", condition(true));
  all.set("rule.JSONata", computed_rule());
  all.set("condition", condition(false));
  all.set("retrier", retrier());
  all.set("processorConfig", processor_config());
  add_expressions(all);
  return all;
}

}  // namespace

Value editor_schema() {
  Object schema{{"$schema", "http://json-schema.org/draft-07/schema#"},
                {"title", "A Stepwell workflow"},
                {"description", "Amazon States Language, with Stepwell's extensions."}};
  for (const auto& [key, value] : workflow()) schema.set(key, value);
  schema.set("definitions", definitions());
  return schema;
}

}  // namespace stepwell::dsl
