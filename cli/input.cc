#include "cli/input.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>

#include "dsl/dsl.h"

namespace stepwell::cli {

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  if (file) text << file.rdbuf();
  if (!file || file.bad()) {
    const int error = errno;
    return Error{error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kDenied,
                 "cannot read " + path + ": " + std::strerror(error)};
  }
  return text.str();
}

std::optional<Value> read_input(Console& console, const std::string& given,
                                const std::string& option, Exit& exit) {
  exit = Exit::kUsage;
  std::string text = given, name = option;
  if (given == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
    name = "standard input";
  } else if (!given.empty() && given.front() == '@') {
    name = given.substr(1);
    auto read = read_file(name);
    if (!read.ok()) {
      exit = console.fail(read.error());
      return std::nullopt;
    }
    text = std::move(*read);
  }
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
    console.fail(Exit::kUsage, name + " is empty", "{} is the empty input");
    return std::nullopt;
  }
  dsl::Parsed parsed = dsl::parse_document(text, name);
  if (parsed.diagnostics.empty()) return std::move(parsed.value);
  console.fail(Exit::kUsage, name + " cannot be read as JSON");
  for (const auto& diagnostic : parsed.diagnostics) console.say(dsl::render(diagnostic, text));
  return std::nullopt;
}

Option output_option(std::string& target) {
  return {"-o,--output", &target, "how to print the result", false, {"table", "json"}};
}

}  // namespace stepwell::cli
