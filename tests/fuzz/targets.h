// What the fuzzers run: each function takes any bytes and CHECKs what must hold for them.
//
// `./dev fuzz` looks for bytes that break one (libFuzzer, with the sanitizers); the kept ones, in
// tests/fuzz/corpus/<name>/, run again with every `./dev test`.
#pragma once

#include <string_view>
#include <vector>

namespace stepwell::fuzz {

void run_yaml(std::string_view bytes);      // The text of a workflow: diagnostics, or a program.
void run_json(std::string_view bytes);      // Read, written, read again.
void run_jsonpath(std::string_view bytes);  // Paths and intrinsic calls on a few documents.
void run_jsonata(std::string_view bytes);   // Parsed, and evaluated within small limits.
void run_patterns(std::string_view bytes);  // Regular expressions of both languages.
void run_shared(std::string_view bytes);    // Expressions over values that hold themselves often.
void run_pictures(std::string_view bytes);  // Pictures of numbers, integers and dates.
void run_http(std::string_view bytes);      // A client of the HTTP server, in memory.
void run_step(std::string_view bytes);      // Facts of any kind to one of a dozen programs.

struct Target {
  const char* name;
  void (*run)(std::string_view bytes);
};
const std::vector<Target>& targets();

}  // namespace stepwell::fuzz
