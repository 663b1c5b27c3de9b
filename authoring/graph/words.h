// Words — the fields of a state in words, for labels and details.  Private to authoring/graph.
#pragma once

#include <string>

#include "base/value.h"

namespace stepwell::graph {

// A rule of a Choice: "$.total ≥ 100 and $.kind = \"parcel\"".
std::string rule_in_words(const Value& rule);
// A Retrier: "Provider.Transient: 3 times, after 1 s, each time 2.0 as long".
std::string retrier_in_words(const Value& retrier);
// The errors of a Retrier or Catcher: "any error", "States.Timeout, Bank.Busy".
std::string errors_in_words(const Value& owner);
// What distinguishes the state from others of its type: its resource, its delay, its items.
std::string detail_in_words(const std::string& type, const Value& state);

// The text, cut to at most `most` characters; the last is then an ellipsis.
std::string shorten(const std::string& text, std::size_t most);

}  // namespace stepwell::graph
