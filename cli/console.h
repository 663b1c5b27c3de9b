// Console — where a command writes: results to `out`, everything said to a person to `err`.
//
// Knows whether a person looks at it (colour, live lines) and how wide the terminal is; a pipe gets
// plain lines.  Thread-safety: the main thread only.
#pragma once

#include <stepwell/engine.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stepwell::cli {

enum class Exit : int;

class Console {
 public:
  Console();  // On standard output and standard error of this process.

  void print(std::string_view line);  // One line of the result.
  void say(std::string_view line);    // One line to the person.
  // What the process answers in the end: `exit`, but kDenied instead of kOk, and it has been said,
  // when a part of the result could not be written.  A reader that went away wanted no more.
  int finish(Exit exit);
  // What went wrong, where, and how to mend it.  Answers `exit` so that one can return it.
  Exit fail(Exit exit, std::string_view what, std::string_view hint = "");
  // The engine's refusal, with the exit code that belongs to it.
  Exit fail(Code code, std::string_view what);
  // A file that cannot be read: kNotFound when it is not there, kDenied when one may not.
  Exit fail(const Error& error);

  // Columns padded to their widest cell.  On a terminal the widest are cut ("…") to fit its width,
  // but never the first, and not to less than what can be read.
  void table(const std::vector<std::string>& head,
             const std::vector<std::vector<std::string>>& rows);

  // A line that is written over by the next; on a pipe nothing.
  void live(std::string_view line);
  void end_live();

  bool is_terminal() const { return is_terminal_; }  // Standard error, where live() writes.
  std::size_t width() const;                         // Of the terminal as it is now.
  std::string bold(std::string_view text) const;
  std::string dim(std::string_view text) const;
  std::string status_color(std::string_view status) const;

 private:
  bool is_terminal_ = false, out_is_terminal_ = false, has_colour_ = false;
  bool is_live_ = false;
  int error_ = 0;  // errno of the first line that could not be printed.
};

// The text as a terminal may see it: control characters as \\x1b, so that no name or cause of an
// execution can clear a screen or set a title.  Colours (which are ours), line ends and tabs stay.
std::string for_terminal(std::string_view text);
// The number of columns that `text` takes; escape sequences take none.
std::size_t columns_of(std::string_view text);
// At most `columns` columns, the last a "…" when something was cut.
std::string cut_to(std::string_view text, std::size_t columns);

}  // namespace stepwell::cli
