// The command line, read by CLI11.  The only file that knows it.
#include <stepwell/version.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <climits>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "base/match.h"
#include "cli/command.h"
#include "dsl/dsl.h"

namespace stepwell::cli {
namespace {

constexpr const char* kAbout =
    "stepwell: durable workflows from YAML, on PostgreSQL.\n"
    "Begin with `stepwell dev` in a folder with workflows/; docs/cli.md has everything.";

constexpr std::pair<std::string_view, std::string_view> kGroups[] = {
    {"exec", "Executions: start, look at, stop, run again"},
    {"backfill", "The ranges of a backfill that failed: list them, run only them again"},
};

std::vector<std::string> split_words(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text + " ") {
    if (c != ' ') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  return words;
}

// What is not a number at all is somebody else's to refuse.
std::function<std::string(const std::string&)> at_least(int least) {
  return [least](const std::string& text) {
    int number = 0;
    const bool is_number = CLI::detail::lexical_cast(text, number);  // As it will be read.
    return !is_number || number >= least
               ? std::string()
               : text + " is too small: " + std::to_string(least) + " or more";
  };
}

void add_option(CLI::App& app, const Option& option) {
  CLI::Option* added = std::visit(
      match{[&](bool* target) { return app.add_flag(option.names, *target, option.help); },
            [&](auto* target) { return app.add_option(option.names, *target, option.help); }},
      option.target);
  if (option.is_required) added->required();
  if (!option.choices.empty()) added->check(CLI::IsMember(option.choices));
  if (option.least != INT_MIN) added->check(at_least(option.least));
  if (!std::holds_alternative<bool*>(option.target)) added->capture_default_str();
}

// The subcommand of `parent` with that name; made, as a group of others, when there is none.
CLI::App* group(CLI::App& parent, const std::string& name) {
  for (CLI::App* sub : parent.get_subcommands({})) {
    if (sub->get_name() == name) return sub;
  }
  const auto* known = std::find_if(std::begin(kGroups), std::end(kGroups),
                                   [&](const auto& entry) { return entry.first == name; });
  return parent.add_subcommand(name, known == std::end(kGroups) ? "" : std::string(known->second));
}

CLI::App* add_command(CLI::App& root, const Command& command) {
  const std::vector<std::string> words = split_words(command.words);
  CLI::App* app = &root;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    app = group(*app, words[i]);
    app->require_subcommand(1);
  }
  app = app->add_subcommand(words.back(), command.summary);
  if (command.is_hidden) app->group("");
  if (!command.details.empty()) app->footer(command.details);
  for (const Option& option : command.options) add_option(*app, option);
  return app;
}

// "stepwell exec", as far as the words were understood.
std::string words_of(const CLI::App& root, const CLI::App*& deepest) {
  std::string words = root.get_name();
  for (deepest = &root; !deepest->get_subcommands().empty();) {
    deepest = deepest->get_subcommands().front();
    words += " " + deepest->get_name();
  }
  return words;
}

// CLI11's words, or ours where those are for programmers.
std::string words_for(const CLI::ParseError& error) {
  std::string what = error.what();
  constexpr std::string_view kConversion = "Could not convert: ";
  const std::size_t equals = what.find(" = ");
  if (what.rfind(kConversion, 0) != 0 || equals == std::string::npos) return what;
  return what.substr(kConversion.size(), equals - kConversion.size()) + " takes a number, not \"" +
         what.substr(equals + 3) + "\"";
}

Exit refuse(const CLI::App& root, const CLI::ParseError& error, Console& console, int argc,
            const char* const* argv) {
  const CLI::App* app = nullptr;
  const std::string words = words_of(root, app);
  const auto depth = static_cast<int>(std::count(words.begin(), words.end(), ' ')) + 1;
  const std::string next = depth < argc ? argv[depth] : "";
  std::vector<std::string> names;
  for (const CLI::App* sub : app->get_subcommands([](const CLI::App*) { return true; })) {
    if (!sub->get_group().empty()) names.push_back(sub->get_name());
  }
  const std::string list = "`" + words + " --help` lists what is possible";
  const bool is_command = !names.empty() && !next.empty() && next.front() != '-';
  if (!is_command) return console.fail(Exit::kUsage, words_for(error), list);
  const std::string near = dsl::nearest(next, names);
  return console.fail(
      Exit::kUsage,
      "there is no command \"" + (words + " " + next).substr(root.get_name().size() + 1) + "\"",
      near.empty() ? list : "did you mean \"" + near + "\"?");
}

}  // namespace

int run_command_line(const std::vector<Command>& commands, Console& console, int argc,
                     const char* const* argv) {
  CLI::App root(kAbout, "stepwell");
  root.set_version_flag("--version", std::string("stepwell ") + kVersion);
  root.require_subcommand(1);
  root.get_formatter()->column_width(34);
  const Command* chosen = nullptr;
  for (const Command& command : commands) {
    add_command(root, command)->callback([&chosen, &command] { chosen = &command; });
  }
  try {
    root.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help and --version
    return console.finish(Exit{root.exit(asked)});
  } catch (const CLI::ParseError& error) {
    return static_cast<int>(refuse(root, error, console, argc, argv));
  }
  return console.finish(chosen->run(console));
}

}  // namespace stepwell::cli
