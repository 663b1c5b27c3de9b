// Input — JSON or YAML that somebody gave on the command line: as text, @file, or - for standard
// input.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/value.h"
#include "cli/command.h"

namespace stepwell::cli {

Result<std::string> read_file(const std::string& path);

// On failure everything has been said, with line and column, and `exit` is set.
std::optional<Value> read_input(Console& console, const std::string& given,
                                const std::string& option, Exit& exit);

// "-o,--output table|json", the same for every command that has it.
Option output_option(std::string& target);

}  // namespace stepwell::cli
