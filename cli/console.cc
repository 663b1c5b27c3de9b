#include "cli/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cli/command.h"

namespace stepwell::cli {
namespace {

constexpr std::size_t kUsualWidth = 80;
constexpr std::size_t kNarrowestCell = 8;  // Below this a cell says nothing any more.
constexpr const char* kGap = "  ";

// 0, or errno.
int write_line(std::FILE* stream, std::string_view line) {
  errno = 0;
  std::fwrite(line.data(), 1, line.size(), stream);
  std::fputc('\n', stream);
  return std::fflush(stream) == 0 && std::ferror(stream) == 0 ? 0 : errno;
}

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

// The length of the escape sequence at `at`, or 0.
std::size_t escape_at(std::string_view text, std::size_t at) {
  if (text.substr(at, 2) != "\033[") return 0;
  const std::size_t end = text.find('m', at);
  return end == std::string_view::npos ? 0 : end - at + 1;
}

// How many bytes of a control character begin at `at`, or 0: those of ASCII, and those from U+0080
// on, which some terminals obey as well.
std::size_t control_at(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte == '\n' || byte == '\t') return 0;
  if (byte < 0x20 || byte == 0x7f) return 1;
  const bool is_c1 =
      byte == 0xc2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xa0;
  return is_c1 ? 2 : 0;
}

// Is the escape sequence a colour, "\033[1;32m"?
bool is_colour(std::string_view escape) {
  return escape.size() > 2 &&
         escape.substr(2).find_first_not_of("0123456789;") == escape.size() - 3;
}

}  // namespace

std::string for_terminal(std::string_view text) {
  constexpr const char* kHex = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t escape = escape_at(text, i);
    const std::size_t control = control_at(text, i);
    if (escape > 0 && is_colour(text.substr(i, escape))) {
      out += text.substr(i, escape);
      i += escape;
    } else if (control > 0) {
      const auto code = static_cast<unsigned char>(text[i + control - 1]);
      out += std::string("\\x") + kHex[code >> 4] + kHex[code & 15];
      i += control;
    } else {
      out += text[i++];
    }
  }
  return out;
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (const std::size_t escape = escape_at(text, i)) {
      i += escape;
    } else {
      columns += begins_character(text[i++]) ? 1 : 0;
    }
  }
  return columns;
}

std::string cut_to(std::string_view text, std::size_t columns) {
  if (columns_of(text) <= columns) return std::string(text);
  std::string out;
  std::size_t used = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (const std::size_t escape = escape_at(text, i)) {
      out += text.substr(i, escape);
      i += escape;
      continue;
    }
    if (begins_character(text[i])) {
      if (used + 1 >= columns) break;
      ++used;
    }
    out += text[i++];
  }
  if (columns > 0) out += "…";
  return out;
}

Console::Console() {
  is_terminal_ = ::isatty(STDERR_FILENO) == 1;
  out_is_terminal_ = ::isatty(STDOUT_FILENO) == 1;
  const char* term = std::getenv("TERM");
  const bool is_dumb = term != nullptr && std::string_view(term) == "dumb";
  has_colour_ = out_is_terminal_ && is_terminal_ && !is_dumb && std::getenv("NO_COLOR") == nullptr;
}

void Console::print(std::string_view line) {
  end_live();
  const int error = write_line(stdout, out_is_terminal_ ? for_terminal(line) : std::string(line));
  if (error_ == 0) error_ = error;
}

void Console::say(std::string_view line) {
  end_live();
  write_line(stderr, is_terminal_ ? for_terminal(line) : std::string(line));
}

int Console::finish(Exit exit) {
  if (std::fflush(stdout) != 0 && error_ == 0) error_ = errno;  // What was not written by print().
  if (error_ != 0 && error_ != EPIPE) {
    const std::string why = std::strerror(error_);
    const Exit denied = fail(Exit::kDenied, "cannot write standard output: " + why);
    if (exit == Exit::kOk) exit = denied;
  }
  return static_cast<int>(exit);
}

Exit Console::fail(Exit exit, std::string_view what, std::string_view hint) {
  say((has_colour_ ? "\033[31merror:\033[0m " : "error: ") + std::string(what));
  if (!hint.empty()) say("hint: " + std::string(hint));
  return exit;
}

Exit Console::fail(Code code, std::string_view what) {
  switch (code) {
    case Code::kInvalid: return fail(Exit::kUsage, what);
    case Code::kNotFound:
      return fail(Exit::kNotFound, what, "`stepwell exec list` shows what there is");
    case Code::kConflict: return fail(Exit::kConflict, what);
    case Code::kUnavailable:
      return fail(Exit::kUnavailable, what,
                  "is it running, and is the URL right? `stepwell dev` brings its own");
    case Code::kTooLarge: return fail(Exit::kUsage, what);
    case Code::kDenied: return fail(Exit::kDenied, what);
    case Code::kTimeout: return fail(Exit::kStillRunning, what);
    case Code::kOk:
    case Code::kInternal: return fail(Exit::kInternal, what);
  }
  return Exit::kInternal;
}

Exit Console::fail(const Error& error) {
  return fail(error.code == ErrorCode::kNotFound ? Exit::kNotFound : Exit::kDenied, error.message);
}

std::size_t Console::width() const {
  winsize size{};
  for (const int fd : {STDERR_FILENO, STDOUT_FILENO}) {
    if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  }
  return kUsualWidth;
}

void Console::table(const std::vector<std::string>& head,
                    const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < head.size(); ++c) {
    std::size_t widest = columns_of(head[c]);
    for (const auto& row : rows) widest = std::max(widest, columns_of(row[c]));
    widths.push_back(widest);
  }
  std::size_t total = 2 * (head.size() - 1);
  for (const std::size_t width : widths) total += width;
  // The first column is what one copies (an id): it is cut last.
  while (out_is_terminal_ && total > width() && widths.size() > 1) {
    auto widest = std::max_element(widths.begin() + 1, widths.end());
    if (*widest <= kNarrowestCell) break;
    --*widest;
    --total;
  }
  const auto line_of = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const std::string cell = cut_to(cells[c], widths[c]);
      line += cell;
      if (c + 1 == cells.size()) break;
      line += std::string(widths[c] - columns_of(cell), ' ') + kGap;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
  };
  print(dim(line_of(head)));
  for (const auto& row : rows) print(line_of(row));
}

void Console::live(std::string_view line) {
  if (!is_terminal_) return;
  // One less than the width: a full line would wrap and not be written over.
  const std::string text = "\r\033[K" + cut_to(for_terminal(line), width() - 1);
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
  is_live_ = true;
}

void Console::end_live() {
  if (!is_live_) return;
  std::fputs("\r\033[K", stderr);
  is_live_ = false;
}

std::string Console::bold(std::string_view text) const {
  return has_colour_ ? "\033[1m" + std::string(text) + "\033[0m" : std::string(text);
}

std::string Console::dim(std::string_view text) const {
  return has_colour_ ? "\033[2m" + std::string(text) + "\033[0m" : std::string(text);
}

std::string Console::status_color(std::string_view status) const {
  if (!has_colour_) return std::string(status);
  const char* colour = status == "SUCCEEDED" ? "32" : status == "RUNNING" ? "34" : "31";
  return "\033[" + std::string(colour) + "m" + std::string(status) + "\033[0m";
}

}  // namespace stepwell::cli
