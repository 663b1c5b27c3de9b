// CHECK — the channel for "we are wrong": a broken invariant, never bad input.
//
// A failed CHECK throws InvariantBroken.  step() catches it and quarantines that one execution;
// everywhere else it stops the engine instance.  It is never caught to go on as if nothing was.
#pragma once

#include <stdexcept>
#include <string>

namespace stepwell {

class InvariantBroken : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] void check_failed(const char* condition, const char* file, int line,
                               const std::string& why);

}  // namespace stepwell

#define CHECK(condition, why)                                                          \
  do {                                                                                 \
    if (!(condition)) ::stepwell::check_failed(#condition, __FILE__, __LINE__, (why)); \
  } while (false)
