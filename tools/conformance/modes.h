// The modes of stepwell-conformance.  Each reads cases, one JSON object a line, and writes one
// result a line to `results`; remarks go to stderr.  No input makes any of them crash.
#pragma once

#include <istream>
#include <ostream>
#include <string>
#include <string_view>

#include "base/value.h"

namespace stepwell::conformance {

inline constexpr std::size_t kHeadBytes = 4096;
// Longer lines are answered without being looked at.
inline constexpr std::size_t kMaxLineBytes = 2u << 20;

struct Line {
  std::string text;       // Without the newline; empty when `too_long`.
  bool too_long = false;  // The rest of it was skipped.
  std::string head;       // The first bytes of a line that is too long: its id may be there.
};

// False at the end of the input.
bool next_line(std::istream& in, Line& line);
// The case on a line, or why there is none.
Result<Value> parse_case(const Line& line);
// One result line.
void write_line(std::ostream& out, const Value& result);

// Recorded executions -> {id, status, output, error, cause, history}.
int run_asl(std::istream& cases, std::ostream& results);
// {id, path, document} -> {id, result} or {id, error}.
int run_jsonpath(std::istream& cases, std::ostream& results);
// {id, expr, data | dataset, bindings} -> {id} with result, undefined: true, or code.  `datasets`:
// one JSON object of documents by name.
int run_jsonata(std::istream& cases, std::istream& datasets, std::ostream& results);
// {id, definition} or {id, definition_text} -> {id, valid, diagnostics}.
int run_validate(std::istream& cases, std::ostream& results);

// {id, kind: "test_state", definition, input, params} -> {id, response} or {id, error}; other kinds
// are left out.
int run_test_state(std::istream& cases, std::ostream& results);

}  // namespace stepwell::conformance
