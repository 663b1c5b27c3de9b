// `stepwell convert`, text against text.
//
//   NAME.yaml (or .json)       a workflow in JSONPath
//   NAME.yaml.jsonata.expect   what became of it in JSONata, and what is said about it
//   NAME.yaml.plain.expect     the same with --assume-plain, where that makes a difference
//   NAME.yaml.json.expect      in JSON (of a .json: in YAML)
//
// STEPWELL_BLESS=1 rewrites the .expect files.
#include "authoring/convert/convert.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "dsl/dsl.h"
#include "tests/golden/files.h"

namespace stepwell::dsl {
namespace {

namespace fs = std::filesystem;
using testing::read_file;

std::string source(const std::string& name) {
  return read_file(fs::path(STEPWELL_GOLDEN_FOLDER) / name);
}

void expect_file(const std::string& name, const std::string& text) {
  testing::expect_file(fs::path(STEPWELL_GOLDEN_FOLDER) / name, text);
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += " " + word;
  return text;
}

// The new text, and what is said about it.
std::string in_jsonata(const std::string& name, bool assume_plain) {
  const Converted done = to_jsonata(source(name), {name, "", assume_plain}).value();
  std::string said = done.text + "--\nconverted:" + joined(done.converted) +
                     "\nas it was:" + joined(done.as_it_was) + "\n";
  for (const Obstacle& one : done.obstacles) {
    said += std::to_string(one.line) + ":" + std::to_string(one.column) + ": " + one.state + ": " +
            one.field + ": " + one.reason + "\n";
  }
  said += "comments lost: " + std::to_string(done.comments_lost) + "\n";
  const Compiled compiled = compile(done.text, {name, {}});
  EXPECT_TRUE(compiled.ok()) << said;
  return said;
}

TEST(Convert, WritesExactlyThis) {
  for (const char* file : {"order.yaml", "stuck.yaml", "plain.json"}) {
    const std::string name = file;
    expect_file(name + ".jsonata.expect", in_jsonata(name, false));
    const bool is_json = name.ends_with(".json");
    const auto other =
        is_json ? to_yaml_text(source(name), name) : to_json_text(source(name), name);
    expect_file(name + (is_json ? ".yaml.expect" : ".json.expect"),
                other->text + "--\ncomments lost: " + std::to_string(other->comments_lost) + "\n");
  }
  expect_file("stuck.yaml.plain.expect", in_jsonata("stuck.yaml", true));
}

TEST(Convert, OneState) {
  const std::string text = source("stuck.yaml");
  const Converted done = to_jsonata(text, {"stuck.yaml", "First", false}).value();
  EXPECT_EQ(done.converted, std::vector<std::string>{"First"});
  EXPECT_TRUE(done.obstacles.empty());
  EXPECT_FALSE(done.is_whole);
  EXPECT_EQ(to_jsonata(text, {"stuck.yaml", "Frist", false}).error().message,
            "there is no state \"Frist\"");
}

TEST(Convert, GroupsGoAlongWithAllOfIt) {
  const std::string before =
      "StartAt: A\nGroups:\n  G:\n    States: [A]\n    # why\n    Catch:\n"
      "      - {ErrorEquals: [States.ALL], ResultPath: $.e, Next: B}\n"
      "States:\n  A: {Type: Pass, InputPath: $.a, Next: B}\n  B: {Type: Succeed}\n";
  const Converted done = to_jsonata(before, {"x.yaml", "", false}).value();
  EXPECT_EQ(done.text,
            "StartAt: A\nQueryLanguage: JSONata\nGroups:\n  G:\n    States: [A]\n    # why\n"
            "    Catch:\n"
            "      - ErrorEquals: [States.ALL]\n"
            "        Output: '{% $merge([$states.input, {\"e\": $states.errorOutput}]) %}'\n"
            "        Next: B\n"
            "States:\n  A: {Type: Pass, Output: \"{% $states.input.a %}\", Next: B}\n"
            "  B: {Type: Succeed}\n");
  EXPECT_TRUE(compile(done.text, {"x.yaml", {}}).ok());
}

// There and back: the same value.
TEST(Convert, YamlAndJsonMeanTheSame) {
  for (const char* name : {"order.yaml", "stuck.yaml", "plain.json"}) {
    const Value before = parse_document(source(name), name).value;
    const std::string yaml = to_yaml_text(source(name), name)->text;
    EXPECT_EQ(parse_document(yaml, "x.yaml").value.to_json(), before.to_json());
    if (before.find("Comment") == nullptr) continue;  // A comment would become one.
    const std::string json = to_json_text(yaml, "x.yaml")->text;
    EXPECT_EQ(parse_document(json, "x.json").value.to_json(), before.to_json());
  }
}

TEST(Convert, RecordedDefinitionsThereAndBack) {
  std::ifstream file(STEPWELL_SHARED_FOLDER "/conformance/asl_cases.jsonl");
  if (!file) GTEST_SKIP() << "../shared/conformance is not here";
  std::size_t count = 0;
  for (std::string line; std::getline(file, line);) {
    const Value about = parse_json(line).value();
    const Value* definition = about.find("definition");
    if (definition == nullptr || !definition->is_object()) continue;
    const std::string text = definition->to_json();
    const std::string yaml = to_yaml_text(text, "x.json")->text;
    const Parsed parsed = parse_document(yaml, "x.yaml");
    ASSERT_TRUE(parsed.diagnostics.empty()) << yaml;
    EXPECT_EQ(parsed.value.to_json(), text) << yaml;
    EXPECT_EQ(parse_document(to_json_text(yaml, "x.yaml")->text, "x.json").value.to_json(), text);
    ++count;
  }
  EXPECT_GT(count, 600u);
}

// Texts that look like something else, in YAML.
TEST(Convert, QuotesWhatYamlWouldMisread) {
  const char* texts[] = {
      "",        "yes",        "No",          "~",  "null", "1.0",   "007",    "1e3",  "0x1F",
      "- a",     "a: b",       "a #b",        "#a", "&a",   "*a",    "!a",     "%a",   "@a",
      "`a",      "a\nb",       " a",          "a ", "'a'",  "\"a\"", "a\\b",   "[a]",  "{a}",
      "{% a %}", "2026-11-21", "12:30:00",    "a:", "-",    "?",     "é",      "a\tb", "---",
      "line\n",  "a\n\nb\n",   "  two\nmore", "=",  "<<",   "\x7f",  "a\n \nb"};
  for (const char* text : texts) {
    const Value value = Object{{"k", text}, {text, Value::Array{text}}};
    const std::string yaml = to_yaml_text(value.to_json(), "x.json")->text;
    const Parsed parsed = parse_document(yaml, "x.yaml");
    ASSERT_TRUE(parsed.diagnostics.empty()) << yaml;
    EXPECT_EQ(parsed.value.to_json(), value.to_json()) << yaml;
  }
}

// All texts of up to three of these, as items of one list (which is written in brackets), of one
// in brackets already, and as keys and values in lines of their own.
TEST(Convert, WhateverIsInAListThereAndBackIsTheSame) {
  const std::string signs[] = {"a",  ",",  " ", "[", "]", "{", "}", ":", "#", "-",  "'", "\"",
                               "\\", "\n", "?", "$", "%", "&", "*", "!", "|", "=1", ".", "\u00e9"};
  std::vector<std::string> texts;
  for (const std::string& a : signs) {
    texts.push_back(a);
    for (const std::string& b : signs) {
      texts.push_back(a + b);
      for (const std::string& c : signs) texts.push_back(a + b + c);
    }
  }
  constexpr std::size_t kAtOnce = 50;  // More would hold too many open brackets.
  for (std::size_t from = 0; from < texts.size(); from += kAtOnce) {
    Value::Array list;
    Object lines;
    for (std::size_t i = from; i < std::min(from + kAtOnce, texts.size()); ++i) {
      list.emplace_back(texts[i]);
      lines.set(texts[i], Value::Array{texts[i], Object{{texts[i], texts[i]}}});
    }
    const Value value = Object{{"list", std::move(list)}, {"lines", std::move(lines)}};
    const std::string yaml = to_yaml_text(value.to_json(), "x.json")->text;
    ASSERT_NE(yaml[0], '{') << "it is written in lines";
    const Parsed parsed = parse_document(yaml, "x.yaml");
    ASSERT_TRUE(parsed.diagnostics.empty()) << dsl::render(parsed.diagnostics[0], yaml);
    ASSERT_EQ(parsed.value.to_json(), value.to_json());
    EXPECT_EQ(parse_document(to_json_text(yaml, "x.yaml")->text, "x.json").value.to_json(),
              value.to_json());
  }
}

TEST(Convert, AFieldInBracketsIsQuotedAsBracketsNeedIt) {
  const std::string text =
      "StartAt: A\n"
      "States: {A: {Type: Pass, InputPath: \"$['a', 'b']\", Parameters: {x.$: \"$.l[0]\"}, "
      "End: true}}\n";
  const Converted done = to_jsonata(text, {"x.yaml", "", false}).value();
  EXPECT_TRUE(parse_document(done.text, "x.yaml").diagnostics.empty()) << done.text;
}

}  // namespace
}  // namespace stepwell::dsl
