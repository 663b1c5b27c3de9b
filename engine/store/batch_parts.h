// Batches as sets of executions: what belongs to one execution is written, cut out or refused
// together.  Pure functions over values.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "engine/store/store.h"

namespace stepwell::store {

// Longest texts that are put into indexes: a btree row of Postgres holds about 2,700 bytes.
inline constexpr std::size_t kMaxNameBytes = 1'000;
// One stored text.  Far above what the language allows; what is larger never reaches Postgres.
inline constexpr std::size_t kMaxTextBytes = 64u << 20;

using ExecutionSet = std::set<ExecutionId>;

// Every execution that the batch says something about, once, in the order of their ids.
std::vector<ExecutionId> executions_in(const Batch& batch);
// The same batch with those executions only, or without them.
Batch only(const Batch& batch, const ExecutionSet& kept);
Batch without(const Batch& batch, const ExecutionSet& dropped);
// The executions of its facts and messages, each once, in order: they must be the writer's.  Not
// those that it starts and ends at once, which nobody ever owns, and not those that it ends or
// parks: that is refused by itself when they are not the writer's.
std::vector<ExecutionId> mine_in(const Batch& batch);
// All that must be the writer's, each once, in order: what it says something about without starting
// it or only giving it back.
std::vector<ExecutionId> touched_in(const Batch& batch);
// Whether the batch goes on about any of these.
bool has_followers(const Batch& batch, const ExecutionSet& losers);
// The started fact's payload as everybody reads it.
std::string full_payload(const Start& start);
// Drops what the batch says about these executions beyond starting them: their names were taken.
Batch without_followers(const Batch& batch, const ExecutionSet& losers);

// Nobody gave it a name.
bool is_nameless(const Start& start);

// What no store can hold: NUL, invalid UTF-8, texts over the limits.  One entry per execution.
std::vector<Refused> refused_texts(const Batch& batch);
// Nothing when a start can be stored, else why not.
std::string why_refused(const Start& start);
std::string why_refused(const Delivery& delivery);
// Nothing when that text can be stored.
std::string why_refused(const char* what, const std::string& text, std::size_t limit);

}  // namespace stepwell::store
