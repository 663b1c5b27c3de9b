// Substitutions — values for ${NAME} in workflows, as CloudFormation and SAM put them in.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/command.h"

namespace stepwell::cli {

// What a command line says of them; options that several commands share.
struct SubstitutionOptions {
  std::vector<std::string> set;  // "NAME=VALUE"
  std::string file;
};
std::vector<Option> with_substitutions(std::vector<Option> own, SubstitutionOptions& given);

class Substitutions {
 public:
  // Reads the options: the file is YAML or JSON, an object of names and texts, numbers or truths.
  static Result<Substitutions> read(const SubstitutionOptions& given);

  // The text with the value of every ${NAME} that has one; the others stay, and the check tells
  // those that stand where they cannot.
  std::string apply(std::string_view text);
  // Names that stood in none of the texts so far.
  std::vector<std::string> unused() const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
  std::set<std::string, std::less<>> used_;
};

// Tells a mistake in the options, and names that nothing uses; false when there was one.
bool tell_unused(Console& console, const Substitutions& substitutions);

}  // namespace stepwell::cli
