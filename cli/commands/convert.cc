#include "authoring/convert/convert.h"

#include <memory>
#include <set>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/output_file.h"
#include "cli/workflow_files.h"

namespace stepwell::cli {
namespace {

struct Arguments {
  std::string file, to, state, output;
  bool assume_plain = false;
};

std::string count(std::size_t number, const std::string& thing) {
  return std::to_string(number) + " " + thing + (number == 1 ? "" : "s");
}

void say_comments_lost(Console& console, std::size_t lost) {
  if (lost > 0)
    console.say(count(lost, "comment") + " had no place to go and " + (lost == 1 ? "is" : "are") +
                " gone");
}

bool is_json(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string::npos && (text[first] == '{' || text[first] == '[');
}

Exit change_form(Console& console, const Arguments& given, const std::string& text,
                 const std::string& to) {
  const auto done =
      to == "yaml" ? dsl::to_yaml_text(text, given.file) : dsl::to_json_text(text, given.file);
  if (!done.ok()) return console.fail(Exit::kFailed, done.error().message);
  say_comments_lost(console, done->comments_lost);
  return write_result(console, given.output, done->text);
}

Exit change_language(Console& console, const Arguments& given, const std::string& text) {
  dsl::CompileOptions compiling;
  compiling.file = given.file;
  const dsl::Compiled compiled = dsl::compile(text, compiling);
  if (!compiled.ok()) {
    show_diagnostics(console, compiled.diagnostics, text);
    return console.fail(Exit::kFailed, "only a workflow without errors can be converted");
  }
  dsl::JsonataOptions options;
  options.file = given.file;
  options.state = given.state;
  options.assume_plain = given.assume_plain;
  const auto done = dsl::to_jsonata(text, options);
  if (!done.ok()) {
    return console.fail(Exit::kNotFound, done.error().message,
                        "names of states are written as they stand in the file");
  }
  for (const dsl::Obstacle& one : done->obstacles) {
    console.say(given.file + ":" + std::to_string(one.line) + ":" + std::to_string(one.column) +
                ": " + one.state + ": " + one.field + ": " + one.reason);
  }
  std::set<std::string> stuck;
  for (const dsl::Obstacle& one : done->obstacles) stuck.insert(one.state);
  const std::size_t left = stuck.size();
  say_comments_lost(console, done->comments_lost);
  console.say(count(done->converted.size(), "state") + " converted" +
              (left > 0
                   ? ", " + std::to_string(left) + " left as " + (left == 1 ? "it is" : "they are")
               : done->is_whole ? "; the whole workflow is JSONata"
                                : ""));
  const Exit exit = write_result(console, given.output, done->text);
  return exit != Exit::kOk ? exit : left > 0 ? Exit::kFailed : Exit::kOk;
}

Exit convert(Console& console, const Arguments& given) {
  const auto text = read_file(given.file);
  if (!text.ok()) return console.fail(text.error());
  const dsl::Parsed parsed = dsl::parse_document(*text, given.file);
  if (show_diagnostics(console, parsed.diagnostics, *text) > 0) return Exit::kFailed;
  const std::string to = !given.to.empty() ? given.to : is_json(*text) ? "yaml" : "json";
  if (to == "jsonata") return change_language(console, given, *text);
  if (!given.state.empty() || given.assume_plain) {
    return console.fail(Exit::kUsage, "--state and --assume-plain belong to --to jsonata");
  }
  return change_form(console, given, *text, to);
}

}  // namespace

Command convert_command() {
  auto given = std::make_shared<Arguments>();
  return {
      "convert",
      "Convert a workflow: YAML, JSON, and JSONPath to JSONata",
      {{"FILE", &given->file, "the workflow", true},
       {"--to",
        &given->to,
        "yaml, json or jsonata; else the other of YAML and JSON",
        false,
        {"yaml", "json", "jsonata"}},
       {"--state", &given->state, "convert only this state to JSONata"},
       {"--assume-plain", &given->assume_plain,
        "what is put into texts and lists is text, a whole number, true or false"},
       {"-o,--output", &given->output, "write to this file"}},
      [given](Console& console) { return convert(console, *given); },
      "To JSONata only what stays exactly the same is converted; what is left is listed with\n"
      "line and reason, and makes the exit code 1.  What fails with States.Runtime for want of a\n"
      "field fails with States.QueryEvaluationError then."};
}

}  // namespace stepwell::cli
