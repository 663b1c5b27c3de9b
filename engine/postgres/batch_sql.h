// The statements of a lane: a batch and a claim as parameters, and their answers.
#pragma once

#include <string>
#include <vector>

#include "engine/postgres/link.h"
#include "engine/store/lane_wire.h"
#include "engine/store/store.h"

namespace stepwell::postgres {

extern const char* const kCommitSql;
Parameters commit_parameters(const Uuid& writer, std::int64_t conn, std::int64_t n,
                             const store::Batch& batch);
// Of stepwell_lost_v2.
Parameters lost_parameters(const Uuid& writer, const store::Batch& batch);
// Three: an array of start_v2, how many of them have a name, and tags.
void add_starts(Parameters& parameters, const std::vector<store::Start>& starts);
// "c s:<id> o:<id>", as stepwell_outcomes_v2 writes them; nothing: all were created.
std::vector<store::StartOutcome> parse_outcomes(std::string_view text,
                                                const std::vector<store::Start>& starts);

extern const char* const kClaimSql;
Parameters claim_parameters(const Uuid& writer, std::int64_t conn, std::int64_t n,
                            const store::ClaimRequest& request);
store::ClaimReply read_claim(const Rows& rows);

// A time that PostgreSQL can hold.
std::int64_t storable_ms(Time time);

}  // namespace stepwell::postgres
