// Who is suspected of killing its process, and what follows.  One set of numbers for every store.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace stepwell::store {

// Ungraceful deaths of its owners, with no progress, from which on an execution is claimed alone.
inline constexpr std::uint32_t kSuspectDeaths = 2;
// Claims alone that ended with the process: then it is kept out of all claims.
inline constexpr std::uint32_t kDeathsToQuarantine = 5;
// A suspect held for so long without harm is none any more, though it made no progress.
inline constexpr Millis kAcquittal{60'000};
inline constexpr const char* kDeadlyReason =
    "its process died five times while this execution was the only suspect in it";

// What a journal row costs beside its payload, for ClaimRequest::max_journal_bytes.
inline constexpr std::size_t kJournalRowBytes = 64;

}  // namespace stepwell::store
