// Who is suspected of killing its process, and what follows.  One set of numbers for every store.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace stepwell::store {

// Ungraceful deaths of its owners, with no progress, from which on an execution is a suspect.
inline constexpr std::uint32_t kSuspectDeaths = 2;
// How many suspects a node tries together, by the deaths they have seen: so ten thousand that only
// waited beside the culprit go on within minutes, and it stands alone after two deaths more.
constexpr std::uint32_t suspects_together(std::uint32_t deaths) {
  return deaths == 2 ? 1024 : deaths == 3 ? 32 : 1;
}
// Claims alone that ended with the process: then it is kept out of all claims.
inline constexpr std::uint32_t kDeathsToQuarantine = 5;
// A suspect held for so long without harm makes room for those that are due: it is none any more,
// though it made no progress.
inline constexpr Millis kAcquittal{60'000};
// What a suspect waits for, in the words of ExecutionRow::waiting.
inline constexpr const char* kSuspectWaiting =
    R"({"for":[{"reason":"suspect","text":"its process died twice or more while it stood here: )"
    R"(it is tried again among fewer and fewer others"}]})";
inline constexpr const char* kDeadlyReason =
    "its process died five times while this execution was the only suspect in it";

// What a journal row costs beside its payload, for ClaimRequest::max_journal_bytes.
inline constexpr std::size_t kJournalRowBytes = 64;

}  // namespace stepwell::store
