// The objects of the language that are not states: which fields each may have, which words some
// fields may hold, and the greatest numbers.
//
// Who reads it:
//   check    refuses a field or a word that is not here, with did-you-mean.
//   compile  stops at one that is not here: a newer Stepwell accepted it, and to run the program
//            without it would be to run another program.
//   authoring/editor  makes the schema of it that editors complete and underline by.
//
// Rows and words are added, and never taken away: stored programs have them.  What shall not be
// written any more is refused by a rule in check.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dsl/tables/fields.h"

namespace stepwell::dsl {

enum class ObjectKind : std::uint8_t {
  kWorkflow,
  kBranch,
  kProcessor,
  kProcessorConfig,
  kGroup,
  kRetrier,
  kCatcher,
  kChoiceRule,  // In JSONPath also a condition inside of a rule, without Next and Assign.
  kItemReader,
  kReaderConfig,
  kItemBatcher,
  kResultWriter,
};

// Of an object in a state, or in a machine, of that language.
const std::vector<std::string>& fields_in(ObjectKind kind, Language language);

// The words that a field may hold, in the order in which messages list them; empty for a field
// that holds anything else.  "QueryLanguage" -> JSONPath, JSONata.
const std::vector<std::string>& words_in(std::string_view field);

// AWS's limits.  Only check and the editor compare a number with them.
inline constexpr std::int64_t kMostSeconds = 99'999'999;           // Also of MaxAttempts.
inline constexpr std::int64_t kMostDelaySeconds = 31'622'400;      // A leap year.
inline constexpr std::int64_t kMostServerDelays = 100'000;         // Ours: of MaxRetryAfterCount.
inline constexpr std::int64_t kMostItems = 9'000'000'000'000'000;  // More than can ever be read.
inline constexpr std::size_t kLongestStateName = 80;

}  // namespace stepwell::dsl
