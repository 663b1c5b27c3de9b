// A batch as the parameters of stepwell_commit_v1, and its answer.
#pragma once

#include <string>
#include <vector>

#include "engine/postgres/link.h"
#include "engine/store/store.h"

namespace stepwell::postgres {

extern const char* const kCommitSql;
Parameters commit_parameters(const Uuid& writer, std::int64_t conn, std::int64_t n,
                             const store::Batch& batch);
// Appends the parameters of a group of starts, in the order of stepwell_start_v1.
void add_starts(Parameters& parameters, const std::vector<store::Start>& starts);
// "c s:<id> o:<id>", as stepwell_outcomes_v1 writes them.
std::vector<store::StartOutcome> parse_outcomes(std::string_view text,
                                                const std::vector<store::Start>& starts);
// What stepwell_claim_v1 answered; `wrote` tells whether the call took a number.
store::ClaimResult read_claim(const Rows& rows, bool& wrote);
// A time that PostgreSQL can hold.
std::int64_t storable_ms(Time time);

}  // namespace stepwell::postgres
