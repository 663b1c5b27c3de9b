// Payloads of facts and the JSON of events.
#include "tests/unit/step/driver.h"

namespace stepwell {
namespace {

using testing::json;

TEST(Payloads, AreWhatTheyWereAndComeBack) {
  Started started;
  started.input = json(R"({"a":[1,2.50,"x"]})");
  started.pins.program_hash = "h";
  started.pins.seed = ~std::uint64_t{0};
  started.pins.limits.slice_transitions = 7;
  started.input_text = "{ }";
  const struct {
    FactBody body;
    std::string text;
  } rows[] = {
      {started,
       R"({"pins":{"program":"h","semantics":2,"seed":-1,"execution_arn":"","execution_name":"",)"
       R"("role_arn":"","machine_arn":"","machine_name":"","limits":{"payload_bytes":262144,)"
       R"("transitions":10000000,"slice":7,"depth":1000}},"input_text":"{ }",)"
       R"("input":{"a":[1,2.5,"x"]}})"},
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

TEST(Payloads, ThatAreBrokenAreRefused) {
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
