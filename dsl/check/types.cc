// Values of a type that can never be right: a literal, or the result of an intrinsic function, as
// an argument that must be of another type; a field of the context object where another type must
// stand; comparisons that ask two types of one value.
#include <algorithm>
#include <array>
#include <map>

#include "base/match.h"
#include "dsl/check/advice.h"
#include "dsl/check/rules.h"
#include "language/expr/intrinsic.h"

namespace stepwell::dsl {

namespace {

// Types as bits: a value that may have any type has all of them.
enum Type : std::uint8_t {
  kNullValue = 1,
  kTruthValue = 2,
  kNumberValue = 4,
  kTextValue = 8,
  kListValue = 16,
  kObjectValue = 32,
  kAnyValue = 63,
};

struct Signature {
  std::string_view name;
  std::uint8_t result;
  std::vector<std::uint8_t> arguments;  // Arguments beyond the last of these may have any type.
};

const std::vector<Signature>& signatures() {
  static const std::vector<Signature> kTable{
      {"States.Format", kTextValue, {kTextValue}},
      {"States.StringToJson", kAnyValue, {kTextValue}},
      {"States.JsonToString", kTextValue, {}},
      {"States.Array", kListValue, {}},
      {"States.ArrayPartition", kListValue, {kListValue, kNumberValue}},
      {"States.ArrayContains", kTruthValue, {kListValue}},
      {"States.ArrayRange", kListValue, {kNumberValue, kNumberValue, kNumberValue}},
      {"States.ArrayGetItem", kAnyValue, {kListValue, kNumberValue}},
      {"States.ArrayLength", kNumberValue, {kListValue}},
      {"States.ArrayUnique", kListValue, {kListValue}},
      {"States.Base64Encode", kTextValue, {kTextValue}},
      {"States.Base64Decode", kTextValue, {kTextValue}},
      {"States.Hash", kTextValue, {kAnyValue, kTextValue}},
      {"States.JsonMerge", kObjectValue, {kObjectValue, kObjectValue, kTruthValue}},
      {"States.MathRandom", kNumberValue, {kNumberValue, kNumberValue, kNumberValue}},
      {"States.MathAdd", kNumberValue, {kNumberValue, kNumberValue}},
      {"States.StringSplit", kListValue, {kTextValue, kTextValue}},
      {"States.UUID", kTextValue, {}},
  };
  return kTable;
}

const Signature* signature_of(const expr::Intrinsic::Call& call) {
  for (const Signature& one : signatures()) {
    if (one.name == call.function->name) return &one;
  }
  return nullptr;
}

// The fields of the context object whose type is known.
constexpr std::array<std::pair<std::string_view, std::uint8_t>, 11> kContext{
    {{"$$.Execution.Id", kTextValue},
     {"$$.Execution.Name", kTextValue},
     {"$$.Execution.RoleArn", kTextValue},
     {"$$.Execution.StartTime", kTextValue},
     {"$$.Execution.RedriveCount", kNumberValue},
     {"$$.StateMachine.Id", kTextValue},
     {"$$.StateMachine.Name", kTextValue},
     {"$$.State.Name", kTextValue},
     {"$$.State.EnteredTime", kTextValue},
     {"$$.State.RetryCount", kNumberValue},
     {"$$.Map.Item.Index", kNumberValue}}};

std::uint8_t type_of_path(std::string_view text) {
  const auto found = std::find_if(kContext.begin(), kContext.end(),
                                  [&](const auto& field) { return field.first == text; });
  return found != kContext.end() ? found->second : std::uint8_t{kAnyValue};
}

std::uint8_t type_of_value(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull: return kNullValue;
    case Value::Kind::kBool: return kTruthValue;
    case Value::Kind::kInt:
    case Value::Kind::kDouble: return kNumberValue;
    case Value::Kind::kString: return kTextValue;
    case Value::Kind::kArray: return kListValue;
    case Value::Kind::kObject: return kObjectValue;
  }
  return kAnyValue;
}

std::string type_in_words(std::uint8_t type) {
  switch (type) {
    case kNullValue: return "null";
    case kTruthValue: return "true or false";
    case kNumberValue: return "a number";
    case kTextValue: return "a string";
    case kListValue: return "an array";
    case kObjectValue: return "an object";
    default: return "something else";
  }
}

constexpr std::array<std::string_view, 6> kPlaces{"first",  "second", "third",
                                                  "fourth", "fifth",  "sixth"};

class ArgumentTypes {
 public:
  ArgumentTypes(Checking& check, const Spot& spot) : check_(check), spot_(spot) {}

  void look(const expr::Intrinsic::Call& call) {
    const Signature* signature = signature_of(call);
    bool is_reported = false;
    for (std::size_t i = 0; i < call.arguments.size(); ++i) {
      const auto& argument = call.arguments[i];
      if (const auto* inner =
              std::get_if<std::shared_ptr<const expr::Intrinsic::Call>>(&argument)) {
        look(**inner);
      }
      if (signature == nullptr || i >= signature->arguments.size()) continue;
      const std::uint8_t wanted = signature->arguments[i];
      const auto [type, words] = describe(argument);
      if ((type & wanted) == 0) {
        report(call, std::string(call.function->name) + " takes " + type_in_words(wanted) +
                         " as its " + std::string(kPlaces[i]) + " argument, and " + words +
                         " never is");
        is_reported = true;
      }
    }
    if (!is_reported) try_out(call);
  }

 private:
  static std::pair<std::uint8_t, std::string> describe(
      const expr::Intrinsic::Call::Argument& argument) {
    return std::visit(
        match{
            [](const Value& value) { return std::pair(type_of_value(value), in_words(value)); },
            [](const expr::JsonPath& path) {
              return std::pair(type_of_path(path.text()), path.text());
            },
            [](const std::shared_ptr<const expr::Intrinsic::Call>& inner) {
              const Signature* signature = signature_of(*inner);
              return std::pair(signature != nullptr ? signature->result : std::uint8_t{kAnyValue},
                               "the result of " + std::string(inner->function->name));
            },
        },
        argument);
  }

  // A call with literals only comes out the same each time, so it is made here, and a failure is
  // reported.  States.Format is tried with any arguments: it counts its {} before it looks at them.
  void try_out(const expr::Intrinsic::Call& call) {
    const bool is_format = std::string_view(call.function->name) == "States.Format";
    Value::Array arguments;
    for (const auto& argument : call.arguments) {
      const auto* literal = std::get_if<Value>(&argument);
      if (literal == nullptr && (!is_format || arguments.empty())) return;
      arguments.push_back(literal != nullptr ? *literal : Value());
    }
    Random random(1);
    const expr::FunctionResult result = call.function->call(arguments, random);
    const auto* why = std::get_if<std::string>(&result);
    if (why != nullptr) report(call, call.text + " can only fail: " + *why);
  }

  void report(const expr::Intrinsic::Call& call, const std::string& message) {
    const std::string& all = spot_.node.value.as_string();
    const std::size_t at = all.find(call.text);
    Place place = check_.document.within(spot_.node, at == std::string::npos ? 0 : at);
    place.length = std::min(characters_of(call.text), spot_.node.place.length);
    check_.findings.warning("impossible-type", place, spot_.pointer, message,
                            "the call fails with States.IntrinsicFailure");
  }

  Checking& check_;
  const Spot& spot_;
};

// The fields of a state whose path must lead to a value of one type.
struct TypedField {
  std::string_view name;
  std::uint8_t type;
};
constexpr TypedField kTypedFields[] = {{"ItemsPath", kListValue},
                                       {"TimestampPath", kTextValue},
                                       {"ErrorPath", kTextValue},
                                       {"CausePath", kTextValue}};

// The types that a value can have when the test is true.  Parts of an And that contradict each
// other leave no type.
std::uint8_t type_asked(const Test& test) {
  using enum Comparison;
  const bool is_wanted =
      !std::holds_alternative<Value>(test.operand) || std::get<Value>(test.operand) != Value(false);
  switch (test.comparison) {
    case kIsPresent: return kAnyValue;
    case kIsNull: return is_wanted ? kNullValue : kAnyValue & ~kNullValue;
    case kIsNumeric: return is_wanted ? kNumberValue : kAnyValue & ~kNumberValue;
    case kIsString: return is_wanted ? kTextValue : kAnyValue & ~kTextValue;
    case kIsBoolean: return is_wanted ? kTruthValue : kAnyValue & ~kTruthValue;
    case kIsTimestamp: return is_wanted ? kTextValue : kAnyValue;
    case kBooleanEquals: return kTruthValue;
    default: break;
  }
  const bool is_number =
      test.comparison >= kNumericEquals && test.comparison <= kNumericGreaterThanEquals;
  return is_number ? kNumberValue : kTextValue;
}

class ConditionTypes {
 public:
  explicit ConditionTypes(const Advising& advising) : advising_(advising) {}

  void look(const Condition& condition, const std::string& pointer) {
    std::visit(
        match{
            [&](const Test& test) {
              Asked asked;
              ask(test, pointer, asked);
            },
            [&](const AllOf& all) { look_at_all(all, below(pointer, "And")); },
            [&](const AnyOf& any) {
              for (std::size_t i = 0; i < any.conditions.size(); ++i) {
                look(any.conditions[i], below(below(pointer, "Or"), std::to_string(i)));
              }
            },
            [&](const NoneOf& none) { look(none.conditions.front(), below(pointer, "Not")); },
            [](const Truth&) {},
        },
        condition.test);
  }

 private:
  using Asked = std::map<std::string, std::uint8_t, std::less<>>;  // By path.

  void look_at_all(const AllOf& all, const std::string& pointer) {
    Asked asked;
    for (std::size_t i = 0; i < all.conditions.size(); ++i) {
      const std::string part = below(pointer, std::to_string(i));
      if (const auto* test = std::get_if<Test>(&all.conditions[i].test)) {
        ask(*test, part, asked);
      } else {
        look(all.conditions[i], part);
      }
    }
  }

  void ask(const Test& test, const std::string& pointer, Asked& asked) {
    const std::string& path = test.variable.text();
    const auto entry = asked.emplace(path, type_of_path(path)).first;
    const std::uint8_t before = entry->second;
    entry->second &= type_asked(test);
    const Node* node = advising_.node_at(pointer);
    if (entry->second != 0 || before == 0 || node == nullptr) return;
    advising_.findings.warning("impossible-condition", node->place, pointer,
                               "this is never true: " + path + " would be " +
                                   type_in_words(type_asked(test)) + ", and is " +
                                   type_in_words(before));
  }

  const Advising& advising_;
};

}  // namespace

void advise_on_conditions(const Advising& advising) {
  for (const Machine& machine : advising.program.machines) {
    for (const State& state : machine.states) {
      const auto* choice = std::get_if<Choice>(&state.kind);
      if (choice == nullptr) continue;
      for (const ChoiceRule& rule : choice->rules) {
        ConditionTypes(advising).look(rule.condition, rule.where.pointer);
      }
    }
  }
}

void check_argument_types(Checking& check, const Spot& spot, const expr::Intrinsic& intrinsic) {
  ArgumentTypes(check, spot).look(intrinsic.call());
}

void check_path_type(Checking& check, const Spot& spot, std::string_view field) {
  const auto* known = std::find_if(std::begin(kTypedFields), std::end(kTypedFields),
                                   [&](const TypedField& one) { return one.name == field; });
  if (known == std::end(kTypedFields) || !spot.node.value.is_string()) return;
  const std::string& text = spot.node.value.as_string();
  std::uint8_t type = kAnyValue;
  if (text.starts_with("$")) {
    type = type_of_path(text);
  } else {
    const auto parsed = expr::Intrinsic::parse(text);
    const auto* call = std::get_if<expr::Intrinsic>(&parsed);
    const Signature* signature = call != nullptr ? signature_of(call->call()) : nullptr;
    if (signature != nullptr) type = signature->result;
  }
  if ((type & known->type) != 0) return;
  check.findings.warning("impossible-type", spot.node.place, spot.pointer,
                         json_quote(field) + " must lead to " + type_in_words(known->type) +
                             ", and " + text + " is " + type_in_words(type));
}

}  // namespace stepwell::dsl
