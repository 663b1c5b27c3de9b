// Payloads of facts and the JSON of events.
#include "tests/unit/step/driver.h"

namespace stepwell {
namespace {

using testing::json;

Started started_fact() {
  Started started;
  started.input = json(R"({"a":[1,2.50,"x"]})");
  started.pins.program_hash = "h";
  started.pins.semantics = 2;
  started.pins.seed = ~std::uint64_t{0};
  started.pins.secret = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
  return started;
}

constexpr const char* kHead = R"({"p":"h","s":2,"k":-1,"t":"0123456789abcdef0000000000000000")";

TEST(Payloads, AreWhatTheyWereAndComeBack) {
  Started named = started_fact();
  named.pins.execution_name = R"(a,"i":b)";
  named.pins.limits.slice_transitions = 7;
  named.input_text = "{ \"i\": 2.50 ,\"i\":3}\n";
  Started by_row = started_fact();
  name_by_row(by_row.pins, {});
  const struct {
    FactBody body;
    std::string text;
  } rows[] = {
      {named, std::string(kHead) + R"(,"limits":{"slice":7},"names":{"execution_arn":"",)"
                                   R"("execution_name":"a,\"i\":b","role_arn":"","machine_arn":"",)"
                                   R"("machine_name":""},"i":{ "i": 2.50 ,"i":3})"
                                   "\n}"},
      {by_row, std::string(kHead) + R"(,"i":{"a":[1,2.5,"x"]}})"},
      {TaskSucceeded{json(R"({"b":1})")}, R"({"b":1})"},
      {TaskSucceeded{Value()}, "null"},
      {TaskFailed{}, "{}"},
      {TaskFailed{"E", "c", Millis(5)}, R"({"error":"E","cause":"c","retry_after_ms":5})"},
      {TaskTimedOut{}, ""},
      {TaskTimedOut{true}, R"({"heartbeat":true})"},
      {TimerFired{}, ""},
      {Continued{}, ""},
      {Stopped{"E", std::nullopt}, R"({"error":"E"})"},
      {Redriven{}, ""},
      {Redriven{"h2"}, R"({"program":"h2"})"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(encode_payload(row.body), row.text);
    const auto kind = static_cast<FactKind>(row.body.index() + 1);
    const auto back = decode_payload(kind, row.text);
    ASSERT_TRUE(back.ok()) << fact_name(kind);
    EXPECT_EQ(encode_payload(*back), row.text);
  }
}

// A store keeps the input in a column of its own and gives the payload back as it was.
TEST(Payloads, OfAStartAreCutBeforeTheInputAndJoined) {
  Started started = started_fact();
  started.input_text = " [1e3] ";
  name_by_row(started.pins, {"orders", "o-1"});
  const std::string pins = encode_pins(started);
  EXPECT_EQ(pins, std::string(kHead) + "}");
  EXPECT_EQ(join_pins(pins, started.input_text), encode_payload(started));

  const auto back = decode_payload(FactKind::kStarted, join_pins(pins, started.input_text),
                                   {"orders", "o-1", "123456789012"});  // By now.
  ASSERT_TRUE(back.ok());
  const auto& read = std::get<Started>(*back);
  EXPECT_EQ(read.input, json("[1000.0]"));
  EXPECT_EQ(read.input_text, " [1e3] ");
  EXPECT_EQ(read.pins.secret, started.pins.secret);
  EXPECT_EQ(read.pins.execution_name, "o-1");
  EXPECT_EQ(read.pins.machine_name, "orders");
  EXPECT_EQ(read.pins.execution_arn, "arn:aws:states:local:000000000000:execution:orders:o-1");
  EXPECT_EQ(read.pins.machine_arn, "arn:aws:states:local:000000000000:stateMachine:orders");
  EXPECT_EQ(read.pins.role_arn, "arn:aws:iam::000000000000:role/stepwell");
}

// Whatever a namespace's account is changed to, an execution keeps the names that it began with.
TEST(Payloads, OfAStartInAnotherAccountHaveItsNames) {
  Started started = started_fact();
  name_by_row(started.pins, {"orders", "o-1", "123456789012"});
  const auto back = decode_payload(FactKind::kStarted, encode_payload(started), {"orders", "o-1"});
  ASSERT_TRUE(back.ok());
  const auto& read = std::get<Started>(*back);
  EXPECT_EQ(read.pins.execution_arn, "arn:aws:states:local:123456789012:execution:orders:o-1");
  EXPECT_EQ(read.pins.role_arn, "arn:aws:iam::123456789012:role/stepwell");
}

TEST(Payloads, OfAStartInTheFirstFormAreRead) {
  const auto read = decode_payload(
      FactKind::kStarted,
      R"({"pins":{"program":"h","semantics":2,"seed":-1,"execution_arn":"e","execution_name":"x",)"
      R"("role_arn":"r","machine_arn":"m","machine_name":"n","limits":{"payload_bytes":262144,)"
      R"("transitions":10000000,"slice":7,"depth":1000}},"input_text":"{ }","input":{}})");
  ASSERT_TRUE(read.ok());
  const auto& started = std::get<Started>(*read);
  EXPECT_EQ(started.input_text, "{ }");
  EXPECT_EQ(started.input, json("{}"));
  EXPECT_EQ(encode_pins(started),
            R"({"p":"h","s":2,"k":-1,"t":"00000000000000000000000000000000","limits":{"slice":7},)"
            R"("names":{"execution_arn":"e","execution_name":"x","role_arn":"r",)"
            R"("machine_arn":"m","machine_name":"n"}})");
}

TEST(Payloads, OfAStartWithoutItsRowStartNothing) {
  Started started = started_fact();
  name_by_row(started.pins, {});
  const auto read = decode_payload(FactKind::kStarted, encode_payload(started));
  ASSERT_TRUE(read.ok());
  const Program program;
  Execution execution;
  std::vector<Command> commands;
  EXPECT_THROW(step(program, execution, Fact{{}, {}, 0, *read}, commands), InvariantBroken);
}

TEST(Payloads, ThatAreBrokenAreRefused) {
  EXPECT_FALSE(decode_payload(FactKind::kStarted, std::string(kHead) + "}").ok());
  EXPECT_FALSE(decode_payload(FactKind::kStarted, std::string(kHead) + R"(,"i":1)").ok());
  EXPECT_FALSE(decode_payload(FactKind::kStarted, std::string(kHead) + R"(,"i":})").ok());
  EXPECT_FALSE(decode_payload(FactKind::kStarted, R"({"p":"h","s":2,"k":1,"i":1})").ok());
  EXPECT_FALSE(decode_payload(FactKind::kStarted, R"({"pins":{}})").ok());
  EXPECT_FALSE(decode_payload(FactKind::kStarted, "{}").ok());
  EXPECT_FALSE(decode_payload(FactKind::kTaskSucceeded, "").ok());
  EXPECT_FALSE(decode_payload(FactKind::kTaskFailed, "[").ok());
  EXPECT_FALSE(decode_payload(FactKind::kStopped, "3").ok());
  EXPECT_FALSE(decode_payload(static_cast<FactKind>(99), "{}").ok());
}

TEST(Events, AreToldAsGetExecutionHistoryDoes) {
  HistoryEvent event;
  event.id = 7;
  event.previous_id = 6;
  event.type = "TaskStateEntered";
  event.details = json(R"({"name":"T","input":"{}"})");
  EXPECT_EQ(to_aws_json(event).to_json(),
            R"({"timestamp":"1970-01-01T00:00:00.000Z","type":"TaskStateEntered","id":7,)"
            R"("previousEventId":6,"stateEnteredEventDetails":{"name":"T","input":"{}",)"
            R"("inputDetails":{"truncated":false}}})");
  event.type = "MapIterationStarted";
  event.details = json(R"({"name":"M","index":0})");
  EXPECT_NE(to_aws_json(event).find("mapIterationStartedEventDetails"), nullptr);
}

}  // namespace
}  // namespace stepwell
