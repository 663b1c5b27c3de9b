// A Choice that has no Default and whose rules leave something out: the execution would fail with
// States.NoChoiceMatched.
//
// The rule looks for a witness: an input that no rule takes.  It is made of the constants that the
// rules compare with, and of values beside them.  Only values of the types that the rules ask for
// are tried, because a workflow that compares with numbers is given numbers.  Without a witness
// nothing is reported.
#include <algorithm>
#include <set>

#include "base/match.h"
#include "dsl/check/advice.h"
#include "language/program/comparison.h"

namespace stepwell::dsl {

namespace {

// The most inputs that are tried for one Choice, and for a whole workflow.  A Choice with too many
// variables for that is not looked at.
constexpr std::size_t kMostTries = 2'000;
constexpr std::size_t kMostTriesInAll = 100'000;

struct Kinds {
  bool text = false, number = false, truth = false, timestamp = false;
  bool types = false;  // A rule asks IsString or the like: values of every type are tried.
};

// A path that the rules look at, with the values that are tried there; std::nullopt is a field that
// is missing.
struct Location {
  const expr::JsonPath* path;
  Kinds kinds;
  std::vector<std::optional<Value>> samples;
};

using Answer = std::optional<bool>;  // std::nullopt: the test itself fails the execution.

class Witness {
 public:
  explicit Witness(const Choice& choice) : choice_(choice) {
    for (const ChoiceRule& rule : choice.rules) collect(rule.condition);
    for (Location& location : locations_) location.samples = samples_of(location.kinds);
    // "$.a" before "$.a.b": a value is put into the input before what is inside of it.
    std::sort(locations_.begin(), locations_.end(), [](const auto& a, const auto& b) {
      return a.path->text().size() < b.path->text().size();
    });
  }

  // A sentence about an input that no rule takes, or "" when none was found.
  std::string find(std::size_t& tries_left) {
    if (!is_understood_) return "";
    std::size_t tries = 1;
    for (const Location& location : locations_) {
      tries *= location.samples.size();
      if (tries > kMostTries || tries > tries_left) return "";
    }
    tries_left -= tries;
    for (std::size_t number = 0; number < tries; ++number) {
      if (prepare(number) && falls_through()) return in_words();
    }
    return "";
  }

 private:
  void collect(const Condition& condition) {
    std::visit(match{
                   [&](const Test& test) { collect_test(test); },
                   [&](const AllOf& all) {
                     for (const Condition& part : all.conditions) collect(part);
                   },
                   [&](const AnyOf& any) {
                     for (const Condition& part : any.conditions) collect(part);
                   },
                   [&](const NoneOf& none) { collect(none.conditions.front()); },
                   [&](const Truth&) { is_understood_ = false; },
               },
               condition.test);
  }

  void collect_test(const Test& test) {
    Kinds kinds;
    using enum Comparison;
    if (test.comparison <= kStringMatches) {
      kinds.text = true;
    } else if (test.comparison <= kNumericGreaterThanEquals) {
      kinds.number = true;
    } else if (test.comparison == kBooleanEquals) {
      kinds.truth = true;
    } else if (test.comparison <= kTimestampGreaterThanEquals) {
      kinds.timestamp = true;
    } else {
      kinds.types = test.comparison != kIsPresent;
    }
    note(test.variable, kinds);
    if (const auto* path = std::get_if<expr::JsonPath>(&test.operand)) return note(*path, kinds);
    const Value& constant = std::get<Value>(test.operand);
    if (constant.is_number()) numbers_.push_back(constant.as_double());
    if (!constant.is_string()) return;
    if (kinds.timestamp) {
      if (const auto time = parse_rfc3339(constant.as_string())) times_.push_back(*time);
    } else if (test.comparison == kStringMatches) {
      std::string shortest = constant.as_string();
      std::erase_if(shortest, [](char c) { return c == '*' || c == '\\'; });
      texts_.push_back(std::move(shortest));
    } else {
      texts_.push_back(constant.as_string());
    }
  }

  void note(const expr::JsonPath& path, const Kinds& kinds) {
    using Root = expr::JsonPath::Root;
    const bool is_variable = path.root() == Root::kVariable && path.text() == "$" + path.variable();
    if (!path.is_reference() && !is_variable) is_understood_ = false;
    auto found = std::find_if(locations_.begin(), locations_.end(),
                              [&](const Location& one) { return one.path->text() == path.text(); });
    if (found == locations_.end()) found = locations_.insert(found, {&path, {}, {}});
    Kinds& all = found->kinds;
    all.text |= kinds.text;
    all.number |= kinds.number;
    all.truth |= kinds.truth;
    all.timestamp |= kinds.timestamp;
    all.types |= kinds.types;
  }

  // The constants that the rules compare with, and values below, between and above them.  Values
  // that no rule names come first: they are the likelier witnesses.
  std::vector<std::optional<Value>> samples_of(const Kinds& kinds) const {
    std::vector<std::optional<Value>> samples;
    if (kinds.text || kinds.types) {
      std::vector<std::string> texts{"other", "\U0010FFFF", ""};
      for (const std::string& text : texts_) {
        texts.push_back(text + '\x01');
        texts.push_back(text);
      }
      add(samples, texts);
    }
    if (kinds.number || kinds.types) {
      std::vector<double> numbers = numbers_;
      std::sort(numbers.begin(), numbers.end());
      std::vector<double> all{numbers.empty() ? 0 : numbers.back() + 1};
      all.push_back(numbers.empty() ? -1 : numbers.front() - 1);
      if (numbers.empty()) all.push_back(1);
      for (std::size_t i = 0; i < numbers.size(); ++i) {
        if (i > 0) all.push_back((numbers[i - 1] + numbers[i]) / 2);
        all.push_back(numbers[i]);
      }
      add(samples, all);
    }
    if (kinds.timestamp || kinds.types) {
      std::vector<Time> times{from_unix_ms(1'800'000'000'000), from_unix_ms(0)};
      for (const Time time : times_) {
        times.insert(times.end(), {time + Millis(1), time - Millis(1), time});
      }
      std::vector<std::string> texts;
      for (const Time time : times) texts.push_back(to_rfc3339(time));
      add(samples, texts);
    }
    if (kinds.truth || kinds.types) add(samples, std::vector<bool>{false, true});
    const bool only_presence = samples.empty();
    if (kinds.types || only_presence) samples.emplace_back(Value());
    if (kinds.types || only_presence) samples.emplace_back(Value(Object()));
    // A missing field is a witness only where a rule asks IsPresent: any other test of it fails.
    samples.emplace_back(std::nullopt);
    return samples;
  }

  template <class List>
  static void add(std::vector<std::optional<Value>>& samples, const List& list) {
    for (const auto& one : list) {
      std::optional<Value> value{std::in_place, one};
      if constexpr (std::is_same_v<List, std::vector<double>>) {
        if (one == static_cast<double>(static_cast<std::int64_t>(one))) {
          value = Value(static_cast<std::int64_t>(one));
        }
      }
      if (std::find(samples.begin(), samples.end(), value) == samples.end()) {
        samples.push_back(std::move(value));
      }
    }
  }

  // Makes the input of that number; false when its fields contradict each other.
  bool prepare(std::size_t number) {
    input_ = Object();
    Object variables;
    chosen_.clear();
    for (const Location& location : locations_) {
      const auto& sample = location.samples[number % location.samples.size()];
      number /= location.samples.size();
      chosen_.push_back(sample);
      if (!sample) continue;
      if (location.path->root() == expr::JsonPath::Root::kVariable) {
        variables.set(location.path->variable(), *sample);
      } else if (auto put = location.path->put(input_, *sample)) {
        input_ = std::move(*put);
      } else {
        return false;
      }
    }
    variables_ = std::move(variables);
    for (std::size_t i = 0; i < locations_.size(); ++i) {
      if (look(*locations_[i].path) != chosen_[i]) return false;
    }
    return true;
  }

  std::optional<Value> look(const expr::JsonPath& path) {
    const Value none;
    return path.find(expr::Scope{input_, none, variables_, random_});
  }

  bool falls_through() {
    return std::all_of(choice_.rules.begin(), choice_.rules.end(), [&](const ChoiceRule& rule) {
      return ask(rule.condition) == Answer(false);
    });
  }

  // And (`wanted` is true) or Or (false) of the parts.  Stops at the first part that decides, as an
  // execution does.
  Answer ask_parts(const std::vector<Condition>& parts, bool wanted) {
    for (const Condition& part : parts) {
      const Answer answer = ask(part);
      if (answer != Answer(wanted)) return answer;
    }
    return wanted;
  }

  Answer ask(const Condition& condition) {
    return std::visit(match{
                          [&](const Test& test) { return ask_test(test); },
                          [&](const AllOf& all) { return ask_parts(all.conditions, true); },
                          [&](const AnyOf& any) { return ask_parts(any.conditions, false); },
                          [&](const NoneOf& none) {
                            Answer answer = ask(none.conditions.front());
                            if (answer) answer = !*answer;
                            return answer;
                          },
                          [](const Truth&) { return Answer(); },
                      },
                      condition.test);
  }

  Answer ask_test(const Test& test) {
    const std::optional<Value> value = look(test.variable);
    if (test.comparison == Comparison::kIsPresent) {
      return value.has_value() == std::get<Value>(test.operand).as_bool();
    }
    if (!value) return std::nullopt;
    if (is_type_test(test.comparison)) {
      return compare(test.comparison, *value, Value()) == std::get<Value>(test.operand).as_bool();
    }
    if (const auto* path = std::get_if<expr::JsonPath>(&test.operand)) {
      const std::optional<Value> operand = look(*path);
      if (!operand) return std::nullopt;
      return compare(test.comparison, *value, *operand);
    }
    return compare(test.comparison, *value, std::get<Value>(test.operand));
  }

  std::string in_words() const {
    std::string text;
    for (std::size_t i = 0; i < locations_.size() && i < 3; ++i) {
      text += (i == 0 ? "" : " and ") + locations_[i].path->text();
      text += chosen_[i] ? " is " + chosen_[i]->to_json() : " is missing";
    }
    return text;
  }

  const Choice& choice_;
  bool is_understood_ = true;
  std::vector<Location> locations_;
  std::vector<double> numbers_;
  std::vector<std::string> texts_;
  std::vector<Time> times_;
  Value input_, variables_;
  std::vector<std::optional<Value>> chosen_;
  Random random_{1};
};

// In JSONata: does a Choice whose conditions read only the input fall through when it is empty?
bool falls_through_when_empty(const Choice& choice) {
  const Value input = Object();
  for (const ChoiceRule& rule : choice.rules) {
    const auto* truth = std::get_if<Truth>(&rule.condition.test);
    const expr::Jsonata* condition = truth != nullptr ? truth->what.whole_expression() : nullptr;
    if (condition == nullptr) return false;
    const expr::JsonataReads& reads = condition->reads();
    const bool reads_input = reads.states_fields == std::vector<std::string>{"input"};
    if (!reads_input || reads.whole_states || !reads.variables.empty()) return false;
    expr::JsonataScope scope;
    scope.states_input = &input;
    const expr::JsonataResult result = condition->evaluate(scope, {.max_operations = 100'000});
    const bool is_false =
        result.kind == expr::JsonataResult::Kind::kValue && result.value == Value(false);
    if (!is_false) return false;
  }
  return true;
}

}  // namespace

void advise_on_choices(const Advising& advising) {
  std::size_t tries_left = kMostTriesInAll;
  for (const Machine& machine : advising.program.machines) {
    for (const State& state : machine.states) {
      const auto* choice = std::get_if<Choice>(&state.kind);
      if (choice == nullptr || choice->default_next) continue;
      std::string when;
      if (!state.speaks_jsonata()) {
        when = Witness(*choice).find(tries_left);
      } else if (falls_through_when_empty(*choice)) {
        when = "the input is {}";
      }
      const Member* member = advising.member_at(state.where.pointer);
      if (when.empty() || member == nullptr) continue;
      advising.findings.warning("choice-falls-through", member->key_place, state.where.pointer,
                                "no rule of " + json_quote(state.name) + " applies when " + when +
                                    ": the execution fails there",
                                "add \"Default\"");
    }
  }
}

}  // namespace stepwell::dsl
