// The fields of the language as a table: who may have them, and what may stand in them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stepwell::dsl {

// Bits, so that a field can name all the kinds that have it.
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

// Nothing for a word that is no kind of state.
std::optional<Kind> kind_named(std::string_view word);
std::string_view name_of(Kind kind);
const std::vector<std::string>& kind_names();

// Nothing when no state of that kind may have the field in that language.
const Field* field_of(std::string_view name, std::uint16_t kinds, Language language);
// The field wherever it belongs: for a hint.
const Field* field_anywhere(std::string_view name);
std::vector<std::string> legal_fields(std::uint16_t kinds, Language language);
// "Task, Parallel or Map"
std::string kinds_in_words(std::uint16_t kinds);

// Comment and x-anything may stand in every object of the language.
bool is_free(std::string_view name);

}  // namespace stepwell::dsl
