// The JSON Schema for editors, held against the compiler.
//
//   workflow.schema.json   what `stepwell schema` writes; STEPWELL_BLESS=1 rewrites it
//   *.yaml                 good workflows with every field in them
//
// Every one of them is broken in every way that a look at one object can find: a field taken away,
// a field that does not belong there, a value of another kind.  Whatever the compiler then refuses
// for its shape the schema refuses, and nothing else.
#include "language/schema/schema.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "authoring/editor/editor_schema.h"
#include "base/random.h"
#include "dsl/dsl.h"
#include "tests/golden/files.h"

namespace stepwell::dsl {
namespace {

namespace fs = std::filesystem;
using testing::expect_file;
using testing::read_file;

// The codes of what can be seen in one object.
constexpr std::array<std::string_view, 17> kShapeCodes = {
    "unknown-field",  "missing-field",          "field-conflict",        "wrong-type",
    "unknown-value",  "unknown-type",           "out-of-range",          "empty-list",
    "empty-name",     "missing-transition",     "next-and-end",          "distributed-only",
    "bad-state-name", "choice-rule-incomplete", "choice-rule-ambiguous", "language-downgrade",
    "bad-timestamp"};
constexpr std::array<std::string_view, 4> kMoreShapeCodes = {
    "jsonata-in-jsonpath", "path-without-dollar", "states-all-alone", "bad-variable"};

bool is_shape(const std::string& code) {
  return std::find(kShapeCodes.begin(), kShapeCodes.end(), code) != kShapeCodes.end() ||
         std::find(kMoreShapeCodes.begin(), kMoreShapeCodes.end(), code) != kMoreShapeCodes.end();
}

const Schema& the_schema() {
  static const Schema kSchema = Schema::compile(editor_schema()).value();
  return kSchema;
}

// What needs two fields to be compared, or a list to be seen as a whole.
bool is_beyond(const Diagnostic& one) {
  const bool compares = one.code == "out-of-range" &&
                        (one.message.find("must be greater than") != std::string::npos ||
                         one.message.find("must be less than \"") != std::string::npos);
  return compares;
}

struct Verdicts {
  std::size_t good = 0, refused = 0;
};

void compare(const Value& definition, const std::string& what, Verdicts& verdicts) {
  const Compiled compiled = compile(definition.to_json(), {"x.json", {}});
  std::string refusal;
  for (const Diagnostic& one : compiled.diagnostics) {
    const bool counts =
        one.severity == Severity::kError && !is_beyond(one) &&
        (is_shape(one.code) || (one.code == "bad-schema" && one.pointer == "/InputSchema"));
    if (counts && refusal.empty())
      refusal = one.pointer + " " + one.message + " [" + one.code + "]";
  }
  const auto violations = the_schema().validate(definition);
  refusal.empty() ? ++verdicts.good : ++verdicts.refused;
  EXPECT_EQ(refusal.empty(), violations.empty())
      << what << "\ncompiler: " << (refusal.empty() ? "good" : refusal)
      << "\nschema: " << (violations.empty() ? "good" : to_sentence(violations));
}

// Calls `use` with every value that is one step from `value`.
class Mutations {
 public:
  using Use = std::function<void(const Value&, const std::string&)>;

  explicit Mutations(Value::Array others, std::vector<std::string> fields)
      : others_(std::move(others)), fields_(std::move(fields)) {}

  void each(const Value& value, const std::string& pointer, const Use& use) const {
    for (const Value& other : others_) {
      use(other, pointer + " becomes " + other.to_json());
    }
    if (value.is_array()) return each_of_array(value, pointer, use);
    if (!value.is_object()) return;
    const Object& object = value.as_object();
    for (const auto& [key, member] : object) {
      Object without = object;
      without.erase(key);
      use(std::move(without), pointer + " without " + key);
      each(member, pointer + "/" + key,
           [&, name = key](const Value& mutant, const std::string& what) {
             Object changed = object;
             changed.set(name, mutant);
             use(std::move(changed), what);
           });
    }
    for (const std::string& field : fields_) {
      if (object.contains(field)) continue;
      Object with = object;
      with.set(field, sample_of(field));
      use(std::move(with), pointer + " with " + field);
    }
  }

 private:
  void each_of_array(const Value& value, const std::string& pointer, const Use& use) const {
    const Value::Array& items = value.as_array();
    for (std::size_t i = 0; i < items.size(); ++i) {
      each(items[i], pointer + "/" + std::to_string(i),
           [&](const Value& mutant, const std::string& what) {
             Value::Array changed = items;
             changed[i] = mutant;
             use(std::move(changed), what);
           });
    }
  }
  static Value sample_of(const std::string& field) {
    if (field.ends_with("Path")) return "$.x";
    if (field == "Next" || field == "Default") return "Fail";
    if (field == "End") return true;
    if (field == "Choices" || field == "Retry" || field == "Catch" || field == "And") {
      return Value::Array{};
    }
    return 1;
  }

  Value::Array others_;
  std::vector<std::string> fields_;
};

Value definition_in(const std::string& name) {
  const auto parsed = parse_document(read_file(fs::path(STEPWELL_GOLDEN_FOLDER) / name), name);
  EXPECT_TRUE(parsed.diagnostics.empty()) << name;
  return parsed.value;
}

const Mutations& all_mutations() {
  static const Mutations kMutations(
      {Value(), true, false, 0, -1, 12, 0.5, "", "text", "$.x", "{% 1 %}", "States.ALL", "JSONata",
       "JSONPath", Value::Array{}, Value::Array{1}, Object{}, Object{{"a.$", 1}}},
      {"Unknown",
       "Next",
       "End",
       "Parameters",
       "Arguments",
       "Output",
       "Seconds",
       "SecondsPath",
       "Iterator",
       "ItemReader",
       "Condition",
       "StringEquals",
       "And",
       "Not",
       "QueryLanguage",
       "Comment",
       "x-y",
       "Retry",
       "Label",
       "Default",
       "InputSchema",
       "Groups",
       "RetryAfter",
       "TolerateFailures",
       "MaxRetryAfterCount"});
  return kMutations;
}

TEST(EditorSchema, IsThis) {
  expect_file(fs::path(STEPWELL_GOLDEN_FOLDER) / "workflow.schema.json",
              editor_schema().to_pretty_json() + "\n");
}

TEST(EditorSchema, ExplainsEveryField) {
  std::size_t count = 0;
  const Value whole = editor_schema();
  for (const auto& [name, definition] : whole.find("definitions")->as_object()) {
    const Value* properties = definition.find("properties");
    if (properties == nullptr || definition.find("additionalProperties") == nullptr) continue;
    for (const auto& [field, schema] : properties->as_object()) {
      const bool is_comparison = field.ends_with("Equals") || field.ends_with("Than") ||
                                 field.ends_with("EqualsPath") || field.ends_with("ThanPath");
      if (is_comparison && field != "ErrorEquals") continue;  // They say it themselves.
      EXPECT_NE(schema.find("description"), nullptr) << name << " " << field;
      ++count;
    }
  }
  EXPECT_GT(count, 150u);
}

TEST(EditorSchema, AgreesWithTheCompilerOnEveryMutation) {
  // A quarter of the many; another quarter with another seed.
  const char* given = std::getenv("STEPWELL_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
  SCOPED_TRACE("STEPWELL_SEED=" + std::to_string(seed));
  Random random(seed);
  Verdicts verdicts, of_mutants;
  for (const char* name : {"everything.yaml", "computed.yaml"}) {
    const Value definition = definition_in(name);
    compare(definition, name, verdicts);
    EXPECT_EQ(verdicts.refused, 0u) << name;
    all_mutations().each(definition, "", [&](const Value& mutant, const std::string& what) {
      if (random.below(4) != 0 || ::testing::Test::HasFailure()) return;
      compare(mutant, what, of_mutants);
    });
  }
  EXPECT_GT(of_mutants.good, 300u);
  EXPECT_GT(of_mutants.refused, 1'000u);
}

// Some mutations of every definition that AWS recorded.
TEST(EditorSchema, AgreesWithTheCompilerOnRecordedDefinitions) {
  std::ifstream file(STEPWELL_SHARED_FOLDER "/conformance/asl_cases.jsonl");
  if (!file) GTEST_SKIP() << "../shared/conformance is not here";
  Verdicts verdicts, of_mutants;
  Random random(1);
  for (std::string line; std::getline(file, line);) {
    const Value about = parse_json(line).value();
    const Value* definition = about.find("definition");
    if (definition == nullptr || !definition->is_object()) continue;
    compare(*definition, about.find("id")->as_string(), verdicts);
    all_mutations().each(*definition, "", [&](const Value& mutant, const std::string& what) {
      if (random.below(50) != 0 || ::testing::Test::HasFailure()) return;
      compare(mutant, about.find("id")->as_string() + ": " + what, of_mutants);
    });
  }
  EXPECT_GT(verdicts.good, 600u);
  EXPECT_GT(of_mutants.good + of_mutants.refused, 300u);
}

}  // namespace
}  // namespace stepwell::dsl
