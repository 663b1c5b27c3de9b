// Journals that were written once must be read for ever: each is folded again and must tell the
// same history, come to the same end and leave the same snapshot text, byte for byte.
//
// A file here is never changed.  What step() does differently is a new semantics version, with
// journals of its own; STEPWELL_RECORD_JOURNALS=dir writes those (seeds below) into `dir`.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "base/hash.h"
#include "dsl/dsl.h"
#include "engine/step/key.h"
#include "tests/property/world.h"

namespace stepwell {
namespace {

namespace fs = std::filesystem;

// Between them: every kind of event, both languages, and evaluations that fail.
constexpr std::uint64_t kSeeds[] = {174, 322, 95, 353, 297, 430, 283, 173, 130};
// Groups that begin again and catch, failures that are tolerated, delays that are honored.
constexpr std::uint64_t kExtensionSeeds[] = {5532, 5427, 652, 420, 2184};

const ExecutionId kExecution{*Uuid::parse("01923d8c-7c00-7000-8000-000000000001")};

Value fact_json(const Fact& fact) {
  return Object{{"kind", static_cast<int>(fact.kind())},
                {"command", fact.command.value},
                {"at", unix_ms(fact.at)},
                {"hash", static_cast<std::int64_t>(fact.input_hash)},
                {"payload", encode_payload(fact.body)}};
}

std::int64_t number_at(const Value& json, std::string_view key) {
  const Value* found = json.find(key);
  CHECK(found != nullptr, "a journal has " + std::string(key));
  return found->as_int();
}

Fact fact_of(const Value& json) {
  const auto kind = static_cast<FactKind>(number_at(json, "kind"));
  auto body = decode_payload(kind, json.find("payload")->as_string());
  CHECK(body.ok(), "a payload of the journal can be read");
  return Fact{CommandId{static_cast<std::uint64_t>(number_at(json, "command"))},
              from_unix_ms(number_at(json, "at")),
              static_cast<std::uint64_t>(number_at(json, "hash")), std::move(body).value()};
}

// The key of every task that runs after a fact, of semantics that pins what it is made of.
void note_keys(const Program& program, const Execution& execution, Object& keys) {
  if (execution.pins.semantics < 3) return;
  for (const Command& command : outstanding(program, execution)) {
    const auto* task = std::get_if<RunTask>(&command);
    if (task == nullptr) continue;
    const std::string key = idempotency_key(program, execution, kExecution, task->id);
    const std::string id = std::to_string(task->id.value);
    const Value* const known = keys.find(id);
    CHECK(known == nullptr || known->as_string() == key, "a task keeps its key while it runs");
    if (known == nullptr) keys.set(id, key);
  }
}

// What a fold of the facts shows: every event, every key, the end, and a hash of the snapshot.
Value seen(const Program& program, const Value::Array& facts) {
  Execution execution;
  Value::Array history;
  Object keys;
  const Listener listener = [&](const HistoryEvent& event) {
    history.push_back(to_aws_json(event));
  };
  for (const Value& fact : facts) {
    std::vector<Command> commands;
    CHECK(step(program, execution, fact_of(fact), commands, &listener), "every fact counts");
    note_keys(program, execution, keys);
  }
  const std::string snapshot = execution.encode();
  Object shown{{"history", std::move(history)},
               {"status", to_string(execution.status)},
               {"output", execution.output},
               {"snapshot", sha256_hex(snapshot)}};
  if (execution.pins.semantics >= 3) shown.set("keys", std::move(keys));
  return shown;
}

ProgramRef compiled(const Value& definition) {
  dsl::Compiled compiled = dsl::compile(definition.to_json());
  EXPECT_TRUE(compiled.ok());
  return compiled.program;
}

// What the random workflows have not: where semantics 3 and 4 part.
testing::RandomWorkflow where_3_and_4_part() {
  const auto definition = parse_json(R"json({"StartAt":"A","States":{
      "A":{"Type":"Pass","Parameters":{"at.$":"$$.Execution.StartTime","o.$":"$.o",
        "l.$":"States.Array('\\{')"},"Next":"B"},
      "B":{"Type":"Parallel","ResultPath":"$.b","Next":"C","Branches":[{"StartAt":"F","States":{
        "F":{"Type":"Pass","Parameters":{"t.$":"States.Format('a { {}', 1)"},"End":true}}}],
        "Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.b","Next":"C"}]},
      "C":{"Type":"Parallel","ResultPath":"$.c","Next":"D","Branches":[{"StartAt":"G","States":{
        "G":{"Type":"Pass","QueryLanguage":"JSONata","Output":"{% $base64decode('Zm9v!') %}",
          "End":true}}}],
        "Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.c","Next":"D"}]},
      "D":{"Type":"Map","ItemsPath":"$.o","ItemSelector":{"i.$":"$$.Map.Item","all.$":"$"},
        "End":true,
        "ItemProcessor":{"StartAt":"E","States":{"E":{"Type":"Task","Resource":"e","End":true}}}}
    }})json");
  return {definition.value(), parse_json(R"({"o":{"b":1,"a":[2]}})").value()};
}

Value recorded(const testing::RandomWorkflow& workflow, std::uint64_t seed,
               std::uint32_t semantics) {
  const ProgramRef program = compiled(workflow.definition);
  testing::WorldOptions options;
  options.order_seed = seed;
  options.slice = seed % 2 == 0 ? 3 : 10'000;
  options.semantics = semantics;
  testing::World world(*program, workflow.input, options);
  world.start();
  world.run(seed % 3 == 0 ? 6 : 1000);
  if (world.running()) world.stop();
  if (world.execution().status != ExecutionStatus::kSucceeded) {
    world.be_kind();
    world.redrive();
    world.run();
  }
  Value::Array facts;
  for (const Fact& fact : world.journal()) facts.push_back(fact_json(fact));
  Value shown = seen(*program, facts);
  return Object{
      {"definition", workflow.definition}, {"facts", std::move(facts)}, {"seen", std::move(shown)}};
}

Value recorded(std::uint64_t seed) {
  return recorded(testing::random_workflow(seed, testing::Mood::kWild), seed, kSemantics);
}

TEST(Journals, OfEveryReleasedVersionAreReadForEver) {
  if (const char* directory = std::getenv("STEPWELL_RECORD_JOURNALS")) {
    const std::string version = "semantics-" + std::to_string(kSemantics);
    const auto write = [&](const std::string& name, const Value& journal) {
      std::ofstream file(fs::path(directory) / (name + ".json"));
      file << journal.to_pretty_json() << '\n';
    };
    const auto record = [&](const std::string& name, std::uint64_t seed) {
      write(name + "-" + std::to_string(seed), recorded(seed));
    };
    for (const std::uint32_t semantics : {3U, 4U}) {
      write("semantics-" + std::to_string(semantics) + "-parting",
            recorded(where_3_and_4_part(), 1, semantics));
    }
    for (const std::uint64_t seed : kSeeds) record(version, seed);
    for (const std::uint64_t seed : kExtensionSeeds) record(version + "-extensions", seed);
  }
  int count = 0;
  for (const auto& entry : fs::directory_iterator(STEPWELL_JOURNALS)) {
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    const auto journal = parse_json(text.str());
    ASSERT_TRUE(journal.ok()) << entry.path();
    const ProgramRef program = compiled(*journal->find("definition"));
    ASSERT_NE(program, nullptr) << entry.path();
    const Value now = seen(*program, journal->find("facts")->as_array());
    const Value& then = *journal->find("seen");
    EXPECT_EQ(now.to_pretty_json(), then.to_pretty_json()) << entry.path();
    ++count;
  }
  EXPECT_GT(count, 0) << "no journals in " << STEPWELL_JOURNALS;
  std::cout << count << " journals\n";
}

}  // namespace
}  // namespace stepwell
