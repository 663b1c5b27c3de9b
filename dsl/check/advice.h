// advice — rules that look at the compiled program: what is legal, and cannot be meant.
//
// Warnings only.  Each is given when it is certain, never on suspicion: what a rule cannot decide
// it does not mention.  Private to dsl.
#pragma once

#include <string>
#include <string_view>

#include "dsl/yaml/document.h"
#include "language/program/program.h"

namespace stepwell::dsl {

// The program and the text it was made of.
struct Advising {
  const Program& program;
  const Document& document;
  Findings& findings;

  // The member that a JSON pointer leads to; nullptr when there is none, or an item of a list.
  const Member* member_at(std::string_view pointer) const;
  // The node that it leads to; nullptr when there is none.
  const Node* node_at(std::string_view pointer) const;
};

// All of those below.  `document` is what `program` was compiled from.
void advise(const Program& program, const Document& document, Findings& findings);

// Where a state may go: Next, Default, rules, catchers, and the catchers of its group.
std::vector<StateId> ways_out(const Machine& machine, const State& state);

// ---- groups.cc: errors, the only ones that need the compiled program
void check_group_entries(const Advising& advising);
// ---- flow.cc: machines that never come to an end
void advise_on_ends(const Advising& advising);
// ---- fall_through.cc: a Choice without Default whose rules leave something out
void advise_on_choices(const Advising& advising);
// ---- types.cc: conditions that no type fulfils
void advise_on_conditions(const Advising& advising);
// ---- unasked.cc: names in Retry and Catch that no error can reach
void advise_on_errors(const Advising& advising);
// ---- unused.cc: variables that are kept and never read
void advise_on_unused(const Advising& advising);
// ---- unused_result.cc
void advise_on_results(const Advising& advising);

}  // namespace stepwell::dsl
