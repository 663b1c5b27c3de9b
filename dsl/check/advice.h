// advice — the rules of check that look at the built program: what is legal, but cannot be meant.
//
// They give warnings, with one exception: a way into the middle of a group (groups.cc) is an error
// that only the built program shows.  A warning is given when it is certain: a rule that cannot
// decide says nothing.  Private to dsl.
#pragma once

#include <string>
#include <string_view>

#include "dsl/yaml/document.h"
#include "language/program/program.h"

namespace stepwell::dsl {

// The program and the document that it was built from.
struct Advising {
  const Program& program;
  const Document& document;
  Findings& findings;

  // The member of an object that a JSON pointer leads to; nullptr when it leads nowhere, or to an
  // item of a list.
  const Member* member_at(std::string_view pointer) const;
  // The node that a JSON pointer leads to; nullptr when it leads nowhere.
  const Node* node_at(std::string_view pointer) const;
};

// All rules below.  `program` was built from `document`.
void advise(const Program& program, const Document& document, Findings& findings);

// Where a state may go: by Next, Default, its rules, its catchers, and the catchers of its group.
std::vector<StateId> ways_out(const Machine& machine, const State& state);

// ---- groups.cc: a way into the middle of a group (error)
void check_group_entries(const Advising& advising);
// ---- flow.cc: loops that nothing leads out of
void advise_on_ends(const Advising& advising);
// ---- missing_default.cc: a Choice without Default whose rules leave something out
void advise_on_choices(const Advising& advising);
// ---- types.cc: conditions that ask two types of one value
void advise_on_conditions(const Advising& advising);
// ---- unreachable_names.cc: names in Retry and Catch that no error can reach
void advise_on_errors(const Advising& advising);
// ---- lost_errors.cc: a Fail that a caught error without a cause breaks
void advise_on_lost_errors(const Advising& advising);
// ---- unused.cc: variables that are assigned and never read
void advise_on_unused(const Advising& advising);
// ---- unused_result.cc: a ResultPath whose place no later state reads
void advise_on_results(const Advising& advising);

}  // namespace stepwell::dsl
