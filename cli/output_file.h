// The output file — a text that goes to a file when one was named, else to standard output.
#pragma once

#include <string>

#include "cli/command.h"

namespace stepwell::cli {

// `text` ends with a newline.  A file is replaced as a whole or not at all.
Exit write_result(Console& console, const std::string& path, const std::string& text);

}  // namespace stepwell::cli
