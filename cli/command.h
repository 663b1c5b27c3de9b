// Command — one command of the binary: its words, its options and what it does, as a value.
//
// Each file in cli/commands makes one; cli/main.cc lists them; cli/parse.cc alone knows the library
// that reads a command line.  To add a command: one file, one line.
// Thread-safety: the main thread only.
#pragma once

#include <climits>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cli/console.h"

namespace stepwell::cli {

// What the process answers to its caller; documented in docs/cli.md, stable.
enum class Exit : int {
  kOk = 0,
  kFailed = 1,  // What was looked at is not well: a failed execution, a lint error.
  kUsage = 2,   // The command line is wrong.
  kDenied = 3,
  kNotFound = 4,
  kStillRunning = 5,  // The time given for waiting is over.
  kConflict = 6,
  kUnavailable = 7,  // The database or the server is away.
  kInternal = 70,    // Our mistake.
  kInterrupted = 130,
};

struct Option {
  std::string names;  // "-o,--output"; or "EXECUTION" for an argument without a dash.
  std::variant<bool*, int*, std::string*, std::vector<std::string>*> target;
  std::string help;
  bool is_required = false;
  std::vector<std::string> choices = {};  // If any: nothing else is accepted.
  int least = INT_MIN;                    // Of an int: what is below is refused.
};

// An option that takes a whole number.
inline Option number(std::string names, int& target, std::string help, int least) {
  return {std::move(names), &target, std::move(help), false, {}, least};
}

struct Command {
  std::string words;    // "exec start"
  std::string summary;  // One line.
  std::vector<Option> options;
  std::function<Exit(Console&)> run;
  std::string details = {};  // Shown below the options by --help.
  bool is_hidden = false;
  bool takes_rest = false;  // Everything after "--" goes to the last option.
};

// Reads the command line and runs the command it names.
int run_command_line(const std::vector<Command>& commands, Console& console, int argc,
                     const char* const* argv);

}  // namespace stepwell::cli
