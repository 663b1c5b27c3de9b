// The exception with which the parser and the evaluator of JSONata give up.  It is thrown inside of
// language/expr only: the functions of class Jsonata catch it.
#pragma once

#include <cstdint>
#include <string>

namespace stepwell::expr::jsonata {

constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

// Of what AWS words as an internal error, without a reason.
constexpr const char* kInternalError = "U1002";

struct Error {
  std::string code;           // "T2001"
  std::string message;        // Empty: the code's own text, filled in from what follows.
  std::size_t at = kNowhere;  // Byte offset in the text.
  // The values that the code's text names, as JSON; may be empty.
  std::string token, value, value2;
  std::size_t index = 0;  // Of an argument, from 1.
  std::string type;       // Of the elements of an array.
};

// Throws.
[[noreturn]] void raise(std::string code, std::string message);
[[noreturn]] void raise(Error error);
// With the code's own text; `token` and `value` as JSON.
[[noreturn]] void fail_at(const char* code, std::size_t at, std::string token = "",
                          std::string value = "");

// The error's message, or the text of its code with the names filled in.
std::string text_of(const Error& error);

}  // namespace stepwell::expr::jsonata
