#include "tests/property/random_workflow.h"

#include <algorithm>
#include <initializer_list>
#include <vector>

namespace stepwell::testing {

namespace {

constexpr int kMaxNesting = 2;

// Data of one shape everywhere: {"n", "text", "items": [the same, one level less]}.
Value item(Random& random, int levels) {
  Value::Array items;
  if (levels > 0) {
    const std::uint64_t count = random.below(4);
    for (std::uint64_t i = 0; i < count; ++i) items.push_back(item(random, levels - 1));
  }
  return Object{{"n", random.below(5)}, {"text", "t"}, {"items", std::move(items)}};
}

std::string computed(const std::string& expression) { return "{% " + expression + " %}"; }

// What ResultPath does, in JSONata.
std::string placed(const std::string& name, const std::string& what) {
  return computed("$merge([$states.input, {'" + name + "': " + what + "}])");
}

Object without(const Object& object, std::initializer_list<std::string_view> names) {
  Object kept;
  for (const auto& [name, value] : object) {
    if (std::find(names.begin(), names.end(), name) == names.end()) kept.set(name, value);
  }
  return kept;
}

Value catchers_in_jsonata(const Value& catchers) {
  Value::Array all;
  for (const Value& one : catchers.as_array()) {
    Object catcher = without(one.as_object(), {"ResultPath", "Assign"});
    catcher.set("Output", placed("caught", "$states.errorOutput"));
    if (one.find("Assign") != nullptr) {
      catcher.set("Assign", Object{{"why", computed("$states.errorOutput.Error")}});
    }
    all.push_back(Value(std::move(catcher)));
  }
  return all;
}

Value choices_in_jsonata(const Value& choices) {
  Value::Array all;
  for (const Value& one : choices.as_array()) {
    const Value* less = one.find("NumericLessThan");
    const std::string other = less != nullptr ? "< " + less->to_json() : "= $states.input.n";
    all.push_back(
        Object{{"Condition", computed("$states.input.n " + other)}, {"Next", *one.find("Next")}});
  }
  return all;
}

// The same state in the other language.
Object in_jsonata(const Object& state) {
  Object made = without(state, {"InputPath", "Parameters", "ResultSelector", "ResultPath", "Result",
                                "SecondsPath", "ItemsPath", "ItemSelector", "Assign"});
  made.set("QueryLanguage", "JSONata");
  const std::string type = state.find("Type")->as_string();
  if (type == "Task") {
    if (state.contains("Parameters")) {
      made.set("Arguments",
               Object{{"n", computed("$states.input.n")}, {"fixed", Value::Array{1, "x"}}});
    }
    made.set("Output", placed("task", "$states.result.k"));
    if (state.contains("Assign")) made.set("Assign", Object{{"seen", computed("$states.result")}});
  } else if (type == "Wait") {
    if (state.contains("SecondsPath")) made.set("Seconds", computed("$states.input.n"));
  } else if (type == "Pass") {
    made.set("Output", placed("made", "$uppercase($states.input.text) & $states.input.n"));
    if (state.contains("Assign")) made.set("Assign", Object{{"all", computed("$states.input")}});
  } else if (type == "Map") {
    made.set("Items", computed("$states.input.items"));
    made.set("Output", placed("map", "$states.result"));
    if (state.contains("ItemSelector")) {
      made.set("ItemSelector", Object{{"n", computed("$states.context.Map.Item.Value.n")},
                                      {"text", computed("$states.input.text")},
                                      {"index", computed("$states.context.Map.Item.Index")},
                                      {"items", computed("$states.context.Map.Item.Value.items")}});
    }
  } else if (type == "Parallel") {
    made.set("Arguments", computed("$states.input"));
    made.set("Output", placed("par", "$states.result"));
  } else if (type == "Choice") {
    made.set("Choices", choices_in_jsonata(*state.find("Choices")));
  }
  if (const Value* catchers = state.find("Catch")) {
    made.set("Catch", catchers_in_jsonata(*catchers));
  }
  // Where a path led nowhere, a variable is nowhere.
  if (state.contains("InputPath") && type != "Fail") made.set("Output", computed("$nowhere"));
  return made;
}

class Builder {
 public:
  // Languages and extensions have streams of their own: a seed makes the same states without them.
  Builder(std::uint64_t seed, Mood mood)
      : random_(seed), languages_(seed ^ 0x6a736f6e), extensions_(seed ^ 0x65787473), mood_(mood) {}

  RandomWorkflow build() {
    Object machine = this->machine(0).as_object();
    if (mood_ == Mood::kWild && chance(10)) machine.set("TimeoutSeconds", 1 + random_.below(60));
    return {Value(std::move(machine)), item(random_, kMaxNesting + 1)};
  }

 private:
  bool chance(std::uint64_t percent) { return random_.below(100) < percent; }

  Value machine(int nesting) {
    const std::size_t count = 1 + random_.below(nesting == 0 ? 5 : 3);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count; ++i) names.push_back("S" + std::to_string(++named_));
    Object states;
    for (std::size_t i = 0; i < count; ++i) {
      Value made = state(names, i, nesting);
      const bool is_jsonata = languages_.below(100) < 35;
      states.set(names[i], is_jsonata ? Value(in_jsonata(made.as_object())) : std::move(made));
    }
    Object made{{"StartAt", names.front()}, {"States", std::move(states)}};
    if (extends(40)) add_group(made, names);
    return made;
  }

  bool extends(std::uint64_t percent) { return extensions_.below(100) < percent; }

  // Some states in a row, when nothing from before leads into their middle.
  void add_group(Object& machine, const std::vector<std::string>& names) {
    const std::size_t first = extensions_.below(names.size());
    const std::size_t size = 1 + extensions_.below(names.size() - first);
    const auto from = names.begin() + static_cast<std::ptrdiff_t>(first);
    const std::vector<std::string> inside(from, from + static_cast<std::ptrdiff_t>(size));
    const Value& states = *machine.find("States");
    for (std::size_t i = 0; i < first; ++i) {
      const std::string text = states.find(names[i])->to_json();
      for (std::size_t k = 1; k < size; ++k) {
        if (text.find("\"" + inside[k] + "\"") != std::string::npos) return;
      }
    }
    Object group{{"States", Value::Array(inside.begin(), inside.end())}};
    Object retrier{{"ErrorEquals", Value::Array{extends(50) ? "States.ALL" : "Other"}},
                   {"MaxAttempts", 1 + extensions_.below(2)}};
    if (extends(30)) retrier.set("RetryAfter", "HONOR");
    group.set("Retry", Value::Array{Value(std::move(retrier))});
    if (first + size < names.size() && extends(60)) {
      group.set("Catch", Value::Array{Object{{"ErrorEquals", Value::Array{"States.ALL"}},
                                             {"ResultPath", "$.group"},
                                             {"Assign", Object{{"grouped.$", "$.Error"}}},
                                             {"Next", names[first + size]}}});
    }
    machine.set("Groups", Object{{"G", std::move(group)}});
  }

  // A state somewhere behind position i.
  std::string later(const std::vector<std::string>& names, std::size_t i) {
    return names[i + 1 + random_.below(names.size() - i - 1)];
  }

  Value state(const std::vector<std::string>& names, std::size_t i, int nesting) {
    const bool last = i + 1 == names.size();
    const std::uint64_t pick = random_.below(100);
    if (last && mood_ == Mood::kWild && pick < 10) {
      return Object{{"Type", "Fail"}, {"Error", "Failed"}, {"Cause", "by a Fail state"}};
    }
    if (last && pick < 25) return Object{{"Type", "Succeed"}};
    if (!last && pick < 15) return choice(names, i);
    Object made;
    if (pick < 45) {
      made = task();
    } else if (pick < 55) {
      made = wait();
    } else if (pick < 80 || nesting == kMaxNesting) {
      made = pass();
    } else {
      made = pick < 90 ? map(nesting) : parallel(nesting);
    }
    if (last) {
      made.set("End", true);
    } else {
      made.set("Next", names[i + 1]);
    }
    // A path that leads nowhere ends the whole execution, past every catcher.
    if (mood_ == Mood::kWild && chance(2)) made.set("InputPath", "$.nowhere");
    const std::string type = made.find("Type")->as_string();
    if (type == "Task" || type == "Map" || type == "Parallel") {
      if (type == "Task" || chance(40)) made.set("Retry", retriers());
      if (!last && chance(40)) made.set("Catch", catchers(names, i));
    }
    return made;
  }

  Value choice(const std::vector<std::string>& names, std::size_t i) {
    Object rule{{"Variable", "$.n"}, {"Next", later(names, i)}};
    if (chance(50)) {
      rule.set("NumericLessThan", random_.below(5));
    } else {
      rule.set("NumericEqualsPath", "$.n");
    }
    return Object{{"Type", "Choice"},
                  {"Choices", Value::Array{Value(std::move(rule))}},
                  {"Default", later(names, i)}};
  }

  Object task() {
    Object made{{"Type", "Task"}, {"Resource", "test.work"}};
    if (chance(50)) made.set("Parameters", Object{{"n.$", "$.n"}, {"fixed", Value::Array{1, "x"}}});
    if (chance(30)) made.set("ResultSelector", Object{{"k.$", "$.k"}});
    made.set("ResultPath", chance(20) ? Value() : Value("$.task"));
    if (chance(30)) made.set("TimeoutSeconds", 1 + random_.below(30));
    if (chance(30)) made.set("Assign", Object{{"seen.$", "$.k"}});
    return made;
  }

  Object wait() {
    Object made{{"Type", "Wait"}};
    if (chance(50)) {
      made.set("Seconds", random_.below(4));
    } else {
      made.set("SecondsPath", "$.n");
    }
    return made;
  }

  Object pass() {
    Object made{{"Type", "Pass"}};
    const std::uint64_t pick = random_.below(3);
    if (pick == 0) {
      made.set("Parameters", Object{{"n.$", "$.n"},
                                    {"text.$", "States.Format('{}-{}', $.text, $.n)"},
                                    {"items.$", "$.items"}});
    } else if (pick == 1) {
      made.set("Result", Object{{"constant", random_.below(100)}});
      made.set("ResultPath", "$.pass.deep");
    } else {
      made.set("Assign", Object{{"count.$", "$.n"}, {"all.$", "$"}});
    }
    return made;
  }

  Object map(int nesting) {
    Object made{{"Type", "Map"}, {"ItemsPath", "$.items"}, {"ResultPath", "$.map"}};
    made.set("ItemProcessor", machine(nesting + 1));
    if (chance(60)) made.set("MaxConcurrency", random_.below(4));
    if (extends(40)) {
      made.set("TolerateFailures", true);
      if (extends(40)) made.set("ToleratedFailureCount", extensions_.below(3));
      if (extends(40)) made.set("ToleratedFailurePercentage", extensions_.below(101));
    }
    if (chance(40)) {
      made.set("ItemSelector", Object{{"n.$", "$$.Map.Item.Value.n"},
                                      {"text.$", "$.text"},
                                      {"index.$", "$$.Map.Item.Index"},
                                      {"items.$", "$$.Map.Item.Value.items"}});
    }
    return made;
  }

  Object parallel(int nesting) {
    Value::Array branches;
    const std::uint64_t count = 1 + random_.below(3);
    for (std::uint64_t i = 0; i < count; ++i) branches.push_back(machine(nesting + 1));
    return Object{{"Type", "Parallel"}, {"Branches", std::move(branches)}, {"ResultPath", "$.par"}};
  }

  Value retriers() {
    Object flaky{{"ErrorEquals", Value::Array{"Flaky", "States.Timeout"}},
                 {"IntervalSeconds", 1 + random_.below(3)},
                 {"MaxAttempts", 3},
                 {"BackoffRate", 1.5}};
    if (chance(30)) flaky.set("JitterStrategy", "FULL");
    if (chance(30)) flaky.set("MaxDelaySeconds", 4);
    if (extends(20)) {
      flaky.set("RetryAfter", "IGNORE");
    } else if (extends(40)) {
      flaky.set("RetryAfter", "HONOR");
      flaky.set("MaxRetryAfterCount", 1 + extensions_.below(3));
      flaky.set("MaxRetryAfterSeconds", 1 + extensions_.below(3));
    }
    Value::Array all{Value(std::move(flaky))};
    if (mood_ == Mood::kWild && chance(30)) {
      all.push_back(Object{{"ErrorEquals", Value::Array{"States.ALL"}}, {"MaxAttempts", 1}});
    }
    return all;
  }

  Value catchers(const std::vector<std::string>& names, std::size_t i) {
    Object catcher{{"ErrorEquals", Value::Array{chance(50) ? "States.ALL" : "Other"}},
                   {"Next", later(names, i)},
                   {"ResultPath", "$.caught"}};
    if (chance(30)) catcher.set("Assign", Object{{"why.$", "$.Error"}});
    return Value::Array{Value(std::move(catcher))};
  }

  Random random_, languages_, extensions_;
  Mood mood_;
  int named_ = 0;
};

}  // namespace

RandomWorkflow random_workflow(std::uint64_t seed, Mood mood) {
  return Builder(seed, mood).build();
}

}  // namespace stepwell::testing
