// The fields of states: which kinds of state have a field, in which language, and what may stand
// in it.
//
// Who reads it:
//   check    refuses a field that its state may not have, and looks at the value by its shape.
//   compile  finds the kind of a state, and stops at a field that is not here (see objects.h).
//   authoring/editor  makes the schema of it that editors complete and underline by.
//   docs/dsl  a test compares the pages with it.
//
// Rows are added and widened, never taken away or narrowed: stored programs have them.  What shall
// not be written any more is refused by a rule in check.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stepwell::dsl {

// The kinds of state, as bits, so that a field can name all that have it.
enum Kind : std::uint16_t {
  kTask = 1,
  kPass = 2,
  kChoice = 4,
  kWait = 8,
  kSucceed = 16,
  kFail = 32,
  kParallel = 64,
  kMap = 128,
};
inline constexpr std::uint16_t kEveryKind = 255;

enum class Language : std::uint8_t { kJsonPath = 1, kJsonata = 2 };

// What may stand in a field.
enum class Shape : std::uint8_t {
  kType,
  kText,
  kMessage,  // A text; in JSONata also an expression.
  kLanguage,
  kTransition,
  kEnd,
  kPath,           // A path, or null.
  kReferencePath,  // A reference path into the input, or null.
  kPathTo,         // A path to a number, a time or a list.
  kPathOrIntrinsic,
  kTemplate,
  kAssign,
  kAnything,
  kArguments,
  kOutput,
  kItems,
  kResource,
  kCredentials,
  kRetry,
  kCatch,
  kPositive,
  kCount,
  kPercentage,
  kTruth,
  kTimestamp,
  kChoices,
  kBranches,
  kProcessor,
  kItemReader,
  kItemBatcher,
  kResultWriter,
};

struct Field {
  std::string_view name;
  Shape shape;
  std::uint16_t kinds;
  std::uint8_t languages;  // Bits of Language.
};

// Nothing for a word that does not name a kind of state.
std::optional<Kind> kind_named(std::string_view word);
std::string_view name_of(Kind kind);
const std::vector<std::string>& kind_names();

// nullptr when no state of these kinds may have the field in that language.
const Field* field_of(std::string_view name, std::uint16_t kinds, Language language);
// The field whatever states it belongs to, for a hint; nullptr when there is none of that name.
const Field* field_anywhere(std::string_view name);
std::vector<std::string> legal_fields(std::uint16_t kinds, Language language);
// "Task, Parallel or Map"
std::string kinds_in_words(std::uint16_t kinds);

// Comment and x-anything may stand in every object of the language.
bool is_free(std::string_view name);

}  // namespace stepwell::dsl
