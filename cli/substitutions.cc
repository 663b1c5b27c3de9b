#include "cli/substitutions.h"

#include <algorithm>

#include "cli/input.h"
#include "dsl/dsl.h"

namespace stepwell::cli {
namespace {

bool is_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// It is put into a text that is JSON or YAML, in quotes or without, as it is.
Status check_value(const std::string& name, const std::string& value) {
  const bool is_odd = std::any_of(value.begin(), value.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
  });
  if (!is_odd) return ok_status();
  return Error{ErrorCode::kInvalid,
               "the value of " + name + " has a quote, a backslash or a line break in it"};
}

}  // namespace

std::vector<Option> with_substitutions(std::vector<Option> own, SubstitutionOptions& given) {
  own.push_back({"--set", &given.set, "NAME=VALUE: the value of ${NAME}; may be given often"});
  own.push_back({"--set-file", &given.file, "YAML or JSON file of such names and values"});
  return own;
}

Result<Substitutions> Substitutions::read(const SubstitutionOptions& given) {
  Substitutions read;
  if (!given.file.empty()) {
    const std::string text = TRY(read_file(given.file));
    const dsl::Parsed parsed = dsl::parse_document(text, given.file);
    if (!parsed.diagnostics.empty() || !parsed.value.is_object()) {
      return Error{ErrorCode::kInvalid,
                   parsed.diagnostics.empty()
                       ? given.file + " holds no names with values"
                       : given.file + ": " + parsed.diagnostics.front().message};
    }
    for (const auto& [name, value] : parsed.value.as_object()) {
      if (value.is_array() || value.is_object() || value.is_null()) {
        return Error{ErrorCode::kInvalid, given.file + ": the value of " + name +
                                              " must be a text, a number, true or false"};
      }
      read.values_[name] = value.is_string() ? value.as_string() : value.to_json();
    }
  }
  for (const std::string& one : given.set) {
    const std::size_t equals = one.find('=');
    if (equals == std::string::npos) {
      return Error{ErrorCode::kInvalid, "--set " + one + " is not NAME=VALUE"};
    }
    read.values_[one.substr(0, equals)] = one.substr(equals + 1);
  }
  for (const auto& [name, value] : read.values_) {
    if (!is_name(name)) {
      return Error{ErrorCode::kInvalid, "\"" + name + "\" is not a name: letters, digits and _"};
    }
    TRY(check_value(name, value));
  }
  return read;
}

std::string Substitutions::apply(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t begin = std::min(text.find("${"), text.size());
    const std::size_t end = text.find('}', begin);
    out += text.substr(0, begin);
    text.remove_prefix(begin);
    if (text.empty()) break;
    const bool is_closed = end != std::string_view::npos;
    const std::string_view name = is_closed ? text.substr(2, end - begin - 2) : std::string_view();
    const auto value = values_.find(name);
    if (value == values_.end()) {
      out += text.substr(0, 2);
      text.remove_prefix(2);
      continue;
    }
    used_.insert(value->first);
    out += value->second;
    text.remove_prefix(end - begin + 1);
  }
  return out;
}

std::vector<std::string> Substitutions::unused() const {
  std::vector<std::string> names;
  for (const auto& [name, value] : values_) {
    if (!used_.contains(name)) names.push_back(name);
  }
  return names;
}

bool tell_unused(Console& console, const Substitutions& substitutions) {
  const std::vector<std::string> names = substitutions.unused();
  for (const std::string& name : names) {
    console.say("nothing holds ${" + name + "}, for which a value is given");
  }
  return names.empty();
}

}  // namespace stepwell::cli
