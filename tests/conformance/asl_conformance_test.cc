// The engine against recorded executions of Step Functions, and against lines that are no cases.
//
// The recordings and their scorer are found beside the repository; without them the first test is
// skipped and says so.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>

#include "base/value.h"

namespace stepwell {
namespace {

namespace fs = std::filesystem;

const fs::path kRecordings = STEPWELL_SHARED_CONFORMANCE;

// A directory of its own, gone at the end.
class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "stepwell-conformance-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Scratch() { fs::remove_all(path_); }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

// What the command wrote to its standard output; its exit status in `status`.
std::string output_of(const std::string& command, int& status) {
  std::string out;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return out;
  char buffer[4096];
  while (const std::size_t got = fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, got);
  status = pclose(pipe);
  return out;
}

std::string text_of(const Value& json, std::string_view key) {
  const Value* value = json.find(key);
  return value != nullptr && value->is_string() ? value->as_string() : std::string();
}

bool is_execution(const Value& about, std::string_view level) {
  const std::string kind = text_of(about, "kind");
  const std::string trust = text_of(about, "trust");
  return (kind == "execution" || kind == "sync_execution") && text_of(about, "level") == level &&
         trust != "localstack" && trust != "odd" && about.find("definition") != nullptr;
}

// Recorded before Step Functions let a Map run over an object: AWS documents it now, and so do we.
bool is_outdated(const Value& about) {
  constexpr std::string_view kCases = "TestBaseScenarios::test_map_state_items_eval_jsonata";
  const std::string& id = about.find("id")->as_string();
  return id.find(kCases) != std::string::npos && id.ends_with("fail[object]");
}

// Copies the executions of that level; their number.
int select_cases(std::string_view level, const std::string& to) {
  std::ifstream all(kRecordings / "asl_cases.jsonl");
  std::ofstream selected(to);
  int count = 0;
  for (std::string line; std::getline(all, line);) {
    const auto about = parse_json(line);
    if (!about.ok() || !is_execution(*about, level) || is_outdated(*about)) continue;
    selected << line << '\n';
    ++count;
  }
  return count;
}

// "TOTAL   390 /  400" of the scorer's report.
int passed(const std::string& report) {
  const auto at = report.find("TOTAL");
  int count = -1;
  if (at == std::string::npos) return count;
  std::sscanf(report.c_str() + at, "TOTAL %d", &count);
  return count;
}

struct Bar {
  const char* level;
  const char* history;
  double share;
};

class Recordings : public ::testing::TestWithParam<Bar> {};

TEST_P(Recordings, AreReproduced) {
  const auto& [level, history, share] = GetParam();
  if (!fs::exists(kRecordings / "asl_cases.jsonl")) {
    GTEST_SKIP() << "no recordings at " << kRecordings;
  }
  int status = 0;
  output_of("python3 --version", status);
  if (status != 0) GTEST_SKIP() << "no python3 to run " << kRecordings / "compare.py";
  const Scratch scratch;
  const int count = select_cases(level, scratch.file("cases"));
  ASSERT_GT(count, 0);
  output_of(std::string(STEPWELL_CONFORMANCE_BINARY) + " asl " + scratch.file("cases") + " > " +
                scratch.file("results") + " 2> " + scratch.file("remarks"),
            status);
  ASSERT_EQ(status, 0);
  const std::string report = output_of("python3 " + (kRecordings / "compare.py").string() + " " +
                                           (kRecordings / "asl_cases.jsonl").string() + " " +
                                           scratch.file("results") + " -v --history " + history,
                                       status);
  ASSERT_EQ(status, 0) << report;
  std::cout << level << ", history " << history << ": " << passed(report) << " of " << count
            << '\n';
  EXPECT_GE(passed(report), share * count) << report;
}

INSTANTIATE_TEST_SUITE_P(Asl, Recordings,
                         ::testing::Values(Bar{"pure", "none", 1.0}, Bar{"pure", "full", 0.99},
                                           Bar{"lambda", "none", 0.98},
                                           Bar{"lambda", "full", 0.88}),
                         [](const auto& row) {
                           return std::string(row.param.level) + "_" + row.param.history;
                         });

TEST(TestState, AnswersAsRecorded) {
  if (!fs::exists(kRecordings / "asl_cases.jsonl")) {
    GTEST_SKIP() << "no recordings at " << kRecordings;
  }
  const Scratch scratch;
  int status = 0;
  output_of(std::string(STEPWELL_CONFORMANCE_BINARY) + " test_state " +
                (kRecordings / "asl_cases.jsonl").string() + " > " + scratch.file("answers"),
            status);
  ASSERT_EQ(status, 0);
  const std::string report = output_of(std::string("python3 ") + STEPWELL_SCORE_TEST_STATE + " " +
                                           kRecordings.string() + " " + scratch.file("answers"),
                                       status);
  ASSERT_EQ(status, 0) << report;
  int passed = 0, count = 0;
  const auto at = report.find("PASSED");
  ASSERT_NE(at, std::string::npos) << report;
  ASSERT_EQ(std::sscanf(report.c_str() + at, "PASSED %d of %d", &passed, &count), 2);
  EXPECT_GT(count, 0);
  EXPECT_EQ(passed, count) << report;
}

// What AWS says about a definition is what is said here, in its words.
TEST(Definitions, AreRefusedInTheSameWords) {
  if (!fs::exists(kRecordings / "asl_cases.jsonl")) {
    GTEST_SKIP() << "no recordings at " << kRecordings;
  }
  const Scratch scratch;
  std::ifstream all(kRecordings / "asl_cases.jsonl");
  int compared = 0;
  for (std::string line; std::getline(all, line);) {
    const auto about = parse_json(line);
    if (!about.ok()) continue;
    const std::string kind = text_of(*about, "kind");
    if (kind != "create_error" && kind != "validate") continue;
    const Value& expected = *about->find("expected");
    const std::string code = text_of(expected, "code");
    // That a name is taken is known to who keeps the names.
    const bool is_refusal = kind == "create_error" && code != "StateMachineAlreadyExists";
    if (!is_refusal && kind != "validate") continue;
    std::ofstream(scratch.file("case")) << line << '\n';
    int status = 0;
    const auto answer = parse_json(output_of(
        std::string(STEPWELL_CONFORMANCE_BINARY) + " validate " + scratch.file("case"), status));
    ASSERT_TRUE(answer.ok()) << text_of(*about, "id");
    Value::Array said;
    std::string refusal;
    for (const Value& one : answer->find("diagnostics")->as_array()) {
      if (one.find("aws_code") == nullptr) continue;
      said.push_back(Object{{"code", text_of(one, "aws_code")},
                            {"location", text_of(one, "aws_location")},
                            {"message", text_of(one, "aws_message")},
                            {"severity", text_of(one, "severity")}});
      refusal = code == "InvalidDefinition"
                    ? "Invalid State Machine Definition: '" + text_of(one, "aws_code") + ": " +
                          text_of(one, "aws_message") + " at " + text_of(one, "aws_location") + "'"
                    : text_of(one, "aws_message");
    }
    ++compared;
    if (is_refusal) {
      EXPECT_EQ(refusal, text_of(expected, "message")) << text_of(*about, "id");
    } else {
      EXPECT_EQ(Value(std::move(said)), *expected.find("diagnostics")) << text_of(*about, "id");
    }
  }
  EXPECT_GT(compared, 0);
  std::cout << compared << " definitions\n";
}

std::string ten_megabytes_of(char letter) {
  std::string text;
  text.resize(10'000'000, letter);
  return text;
}

TEST(BrokenLines, AreAnsweredQuicklyAndCrashNothing) {
  const struct {
    const char* what;
    std::string line;
  } lines[] = {
      {"nothing but brackets", std::string(100'000, '[')},
      {"invalid UTF-8", "{\"id\":\"\xff\xfe\"}"},
      {"a NUL", "{\"id\":\"a\\u0000b\"}"},
      {"a raw NUL", std::string("{\"id\":\0}", 8)},
      {"a number too large", R"({"id":1e400})"},
      {"ten megabytes", "{\"id\":\"" + ten_megabytes_of('x') + "\"}"},
      {"ten megabytes of brackets", ten_megabytes_of('[')},
      {"an anchor in itself", "&x [*x]"},
      {"the same as a definition",
       R"({"id":1,"kind":"execution","definition_text":"&x [*x]","definition":"&x [*x]"})"},
      {"nested", R"({"id":1,"kind":"execution","path":"$..[?(@..a)]","document":)" +
                     std::string(400, '[') + std::string(400, ']') + R"(,"definition":)" +
                     std::string(400, '[') + std::string(400, ']') + "}"},
      {"an empty object", "{}"},
      {"wrong types", R"({"id":[],"kind":{},"definition":7,"lambdas":[],"path":1,"document":"x"})"},
      {"a definition of wrong types",
       R"({"id":1,"kind":"execution","definition":{"StartAt":{},"States":[1]},"input":null})"},
  };
  const Scratch scratch;
  for (const auto& [what, line] : lines) {
    std::ofstream(scratch.file("line"), std::ios::binary) << line << '\n';
    for (const char* mode : {"asl", "jsonpath", "test_state", "validate"}) {
      int status = 0;
      output_of(std::string(STEPWELL_CONFORMANCE_BINARY) + " " + mode + " " + scratch.file("line") +
                    " 2> " + scratch.file("errors"),
                status);
      EXPECT_EQ(status, 0) << mode << ": " << what;
    }
  }
}

}  // namespace
}  // namespace stepwell
