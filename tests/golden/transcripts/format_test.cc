// The test file itself: what it says when it is wrong, how it shows a difference, how it is
// rewritten.
#include <gtest/gtest.h>

#include "authoring/transcript/compare.h"
#include "authoring/transcript/duration.h"
#include "authoring/transcript/transcript.h"

namespace stepwell::transcript {
namespace {

const std::string kWorkflow =
    "StartAt: Charge\n"
    "States:\n"
    "  Charge: {Type: Task, Resource: bank.charge, End: true}\n";

Report run(std::string_view text, const Options& options = {}) {
  const ReadFile read = [](const std::string& path) -> Result<std::string> {
    if (path == "charge.yaml") return kWorkflow;
    return Error{ErrorCode::kNotFound, "there is no file " + path};
  };
  return run_tests(text, "charge.test.yaml", read, options);
}

TEST(Format, ShowsTheDifferenceByLines) {
  const Report report = run(R"(workflow: charge.yaml
input: {amount: 7}
tasks: {bank.charge: {receipt: r-1}}
status: FAILED
transcript: |
  0s started
  0s  started
  0s  Charge  entered      bank.charge {"amount":7}
  0s  Charge  exited  {"receipt":"r-2"}
  0s  succeeded  {"receipt":"r-1"}
)");
  ASSERT_EQ(report.cases.size(), 1u) << report.diagnosis;
  EXPECT_FALSE(report.passed());
  EXPECT_EQ(report.cases[0].problem, R"(the status is "SUCCEEDED", expected "FAILED"
the transcript is another (- expected, + what happened):
- 0s started
  0s  started
  0s  Charge     entered  bank.charge {"amount":7}
- 0s  Charge  exited  {"receipt":"r-2"}
+ 0s  Charge     exited   {"receipt":"r-1"}
  0s  succeeded           {"receipt":"r-1"}
)");
}

TEST(Format, ColumnsMayStandApartAsTheyLike) {
  EXPECT_TRUE(tell_the_same("0s  A  exited   1\n", "0s       A    exited  1   \n\n"));
  EXPECT_FALSE(tell_the_same("0s  A  exited   1\n", "0s  A  exited   2\n"));
}

TEST(Format, UpdateRewritesTranscriptsAndNothingElse) {
  const std::string text = R"(# A comment stays.
workflow: charge.yaml

cases:
  - name: first   # here, too
    transcript: |
      0s  nonsense

    tasks: {Charge: 1}

  - transcript: ""
    name: second
    tasks: {Charge: 2}
  - name: third
    tasks:
      Charge:
        - 3

  - name: fourth
    tasks: {Charge: 4}
    output: 4
)";
  const std::string expected = R"(# A comment stays.
workflow: charge.yaml

cases:
  - name: first   # here, too
    transcript: |
      0s  started
      0s  Charge     entered  bank.charge {}
      0s  Charge     exited   1
      0s  succeeded           1

    tasks: {Charge: 1}

  - transcript: |
      0s  started
      0s  Charge     entered  bank.charge {}
      0s  Charge     exited   2
      0s  succeeded           2
    name: second
    tasks: {Charge: 2}
  - name: third
    tasks:
      Charge:
        - 3
    transcript: |
      0s  started
      0s  Charge     entered  bank.charge {}
      0s  Charge     exited   3
      0s  succeeded           3

  - name: fourth
    tasks: {Charge: 4}
    output: 4
)";
  const Report report = run(text);
  EXPECT_EQ(report.updated, expected) << report.diagnosis;
  const Report again = run(report.updated);
  EXPECT_TRUE(again.passed()) << again.diagnosis;
  EXPECT_EQ(again.updated, expected);
}

TEST(Format, SaysWhatIsWrongWithTheFile) {
  const struct {
    const char* text;
    const char* diagnosis;
  } table[] = {
      {"workflow: charge.yaml\ntasks: {bank.chrage: 1}\nstatus: FAILED\n",
       "charge.test.yaml:2:9: error: no Task of the workflow has this name or resource: "
       "bank.chrage [unknown-task]\n"
       "   2 | tasks: {bank.chrage: 1}\n"
       "     |         ^~~~~~~~~~~\n"
       "  hint: did you mean \"bank.charge\"?\n"},
      {"workflow: charge.yaml\ntransscript: x\n",
       "charge.test.yaml:2:1: error: \"transscript\" is not a field of a test file "
       "[unknown-field]\n"
       "   2 | transscript: x\n"
       "     | ^~~~~~~~~~~\n"
       "  hint: did you mean \"transcript\"?\n"},
      {"workflow: other.yaml\n",
       "charge.test.yaml:1:11: error: there is no file other.yaml [no-such-file]\n"
       "   1 | workflow: other.yaml\n"
       "     |           ^~~~~~~~~~\n"},
      {"input: 1\n",
       "charge.test.yaml:1:1: error: a test file needs either workflow: or definition: "
       "[bad-test]\n"
       "   1 | input: 1\n"
       "     | ^\n"},
      {"definition: {StartAt: A}\n",
       "charge.test.yaml:1:13: error: a workflow needs \"States\" [missing-field]\n"
       "   1 | definition: {StartAt: A}\n"
       "     |             ^\n"},
      {"workflow: charge.yaml\nactions: [{at: soon, do: stop}]\n",
       "charge.test.yaml:2:16: error: not a duration [bad-test]\n"
       "   2 | actions: [{at: soon, do: stop}]\n"
       "     |                ^~~~\n"
       "  hint: write 5s, 250ms, 2m30s or 1d\n"},
  };
  for (const auto& row : table) {
    const Report report = run(row.text);
    EXPECT_EQ(report.diagnosis, row.diagnosis);
    EXPECT_TRUE(report.cases.empty());
    EXPECT_FALSE(report.passed());
    EXPECT_EQ(report.updated, row.text);
  }
}

TEST(Format, SaysWhatACaseLacks) {
  const struct {
    const char* text;
    const char* problem;
  } table[] = {
      {"workflow: charge.yaml\ntasks: {Charge: 1}\n",
       "nothing is expected: add transcript:, status: or output:\n"},
      {"workflow: charge.yaml\ninput: {a: 1}\nstatus: RUNNING\n",
       "no answer for the task bank.charge of the state Charge with the input {\"a\":1}\n"},
      {"workflow: charge.yaml\ntasks: {Charge: 1}\nactions: [{at: 1s, do: redrive}]\noutput: 1\n",
       "redrive at 1s changed nothing: the execution is SUCCEEDED\n"},
      {"workflow: charge.yaml\ntasks: {Charge: {delay: 1s, fail: \"E: c\"}}\nerror: F\noutput: 1\n",
       "the error is \"E\", expected \"F\"\nthe output is null, expected 1\n"
       "charge.yaml:3:3: error: the state Charge failed: E: c [failed]\n"
       "   3 |   Charge: {Type: Task, Resource: bank.charge, End: true}\n"
       "     |   ^~~~~~\n"},
  };
  for (const auto& row : table) {
    const Report report = run(row.text);
    ASSERT_EQ(report.cases.size(), 1u) << report.diagnosis;
    EXPECT_EQ(report.cases[0].problem, row.problem);
  }
}

TEST(Format, AnswersAreValuesFailuresOrInstructions) {
  const struct {
    const char* answer;
    const char* end;
  } table[] = {
      {"fail E", "FAILED E"},
      {"fail E: with a cause", "FAILED E: with a cause"},
      {"\"fail E\"", "SUCCEEDED \"fail E\""},
      {"timeout", "FAILED States.Timeout"},
      {"echo", "SUCCEEDED {\"a\":1}"},
      {"{value: {value: 3}}", "SUCCEEDED {\"value\":3}"},
      {"{other: 3}", "SUCCEEDED {\"other\":3}"},
      {"{delay: 1s, then: fail E}", "FAILED E"},
      {"null", "SUCCEEDED null"},
      {"{when: {a: 1}, then: yes}", "SUCCEEDED \"yes\""},
  };
  for (const auto& row : table) {
    const Report report = run("workflow: charge.yaml\ninput: {a: 1}\ntasks:\n  Charge:\n    - " +
                              std::string(row.answer) + "\ntranscript: x\n");
    ASSERT_EQ(report.cases.size(), 1u) << report.diagnosis;
    const std::string& told = report.cases[0].transcript;
    std::string last = told.substr(told.rfind('\n', told.size() - 2) + 1);
    last = last.substr(last.find("  ") + 2);
    last.pop_back();
    std::string end = row.end;
    const std::size_t space = end.find(' ');
    const std::string word = end.substr(0, space) == "FAILED" ? "failed" : "succeeded";
    EXPECT_TRUE(last.starts_with(word)) << last;
    EXPECT_TRUE(last.ends_with("  " + end.substr(space + 1))) << last << " for " << row.answer;
  }
}

TEST(Format, AQuotedInstructionIsAnAnswerAndSaysSo) {
  const std::string begin = "workflow: charge.yaml\ninput: {a: 1}\ntasks:\n  Charge:\n    - ";
  EXPECT_EQ(run(begin + "\"fail Bank.Busy\"\n").diagnosis,
            "charge.test.yaml:5:7: warning: in quotes this is what the task answers: it succeeds "
            "with this text [quoted-answer]\n"
            "   5 |     - \"fail Bank.Busy\"\n"
            "     |       ^~~~~~~~~~~~~~~~\n"
            "  hint: write {fail: \"Bank.Busy\"}, or {value: ...} if the text is meant\n");
  EXPECT_EQ(run(begin + "{value: \"fail Bank.Busy\"}\n").diagnosis, "");
  EXPECT_EQ(run(begin + "\"failed\"\n").diagnosis, "");
}

TEST(Format, AFailureNamesTheExpressionThatBrokeIt) {
  const std::string text =
      "definition:\n"
      "  QueryLanguage: JSONata\n"
      "  StartAt: Sum\n"
      "  States:\n"
      "    Sum:\n"
      "      Type: Pass\n"
      "      Output: {a: 1, totals: ['{% 1 %}', '{% $states.input.no %}']}\n"
      "      End: true\n"
      "status: SUCCEEDED\n";
  const Report report = run(text);
  ASSERT_EQ(report.cases.size(), 1u) << report.diagnosis;
  const std::string& problem = report.cases[0].problem;
  EXPECT_TRUE(problem.ends_with(
      "   7 |       Output: {a: 1, totals: ['{% 1 %}', '{% $states.input.no %}']}\n"
      "     |                                          ^\n"))
      << problem;
}

// What an update writes is one thing; what a case says beside its transcript must hold all the
// same.
TEST(Format, AnUpdateMendsTranscriptsOnly) {
  const struct {
    const char* text;
    bool is_stale, is_wrong;
  } table[] = {
      {"tasks: {Charge: 1}\n", true, false},
      {"tasks: {Charge: 1}\ntranscript: x\n", true, false},
      {"tasks: {Charge: 1}\noutput: 1\n", false, false},
      {"tasks: {Charge: 1}\noutput: 2\n", false, true},
      {"tasks: {Charge: 1}\noutput: 2\ntranscript: x\n", true, true},
      {"transcript: x\n", true, true},
  };
  for (const auto& row : table) {
    const std::string text = std::string("workflow: charge.yaml\n") + row.text;
    const Report report = run(text);
    ASSERT_EQ(report.cases.size(), 1u) << report.diagnosis;
    EXPECT_EQ(report.cases[0].is_stale, row.is_stale) << row.text;
    EXPECT_EQ(report.cases[0].is_wrong, row.is_wrong) << row.text;
    EXPECT_EQ(report.cases[0].passed, !row.is_stale && !row.is_wrong) << row.text;
  }
  // A transcript that tells the same keeps its columns.
  const std::string kept =
      "workflow: charge.yaml\ntasks: {Charge: 1}\ntranscript: |\n"
      "  0s started\n";
  EXPECT_NE(run(kept).updated, kept);
  const std::string same =
      "workflow: charge.yaml\ntasks: {Charge: 1}\ntranscript: |\n"
      "  0s   started\n"
      "  0s   Charge  entered  bank.charge {}\n"
      "  0s   Charge  exited   1\n"
      "  0s   succeeded  1\n";
  EXPECT_EQ(run(same).updated, same);
}

TEST(Duration, IsWrittenAsItIsRead) {
  for (const char* text :
       {"0s", "1s", "1.5s", "0.25s", "1m", "1m1s", "2m30s", "1h", "1h0.001s", "3d4h5m6.7s"}) {
    const auto parsed = parse_duration(text);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_EQ(to_text(*parsed), text);
  }
  EXPECT_EQ(parse_duration("250ms"), Millis(250));
  EXPECT_EQ(parse_duration("1.5h"), Millis(5'400'000));
  for (const char* text : {"", "5", "s", "-1s", "5x", "1s ", "1e99s"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace stepwell::transcript
