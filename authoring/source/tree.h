// source — the text of a workflow as its author wrote it: order, comments, anchors, quotes.
//
//   text ── read_tree ──> Tree ── print_yaml ──> the same text, tidy
//
// A Document (dsl/yaml) knows what a text means and forgets how it was written; a Tree is the other
// way round: scalars are kept as text, nothing is resolved.  It reads what people write in
// workflows, not all of YAML: keys of several lines, `? key`, directives and the like are refused
// with a message.  Code that prints a changed Tree must compare the values of both texts.
// Pure, no state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stepwell::dsl::source {

// A comment on a line of its own ("# why"), or a blank line (no text).
struct Remark {
  std::string text;
  std::size_t column = 0;  // From 0.
};

struct Entry;

// One value.
struct Tree {
  enum class Form : std::uint8_t {
    kEmpty,   // Nothing is written, which means null.
    kScalar,  // `text`: plain, quoted, or an alias; on one line.
    kLines,   // A plain or quoted scalar over several `lines`.
    kBlock,   // A block scalar: `text` is its header ("|-"), `lines` its contents.
    kMapping,
    kSequence,
  };
  Form form = Form::kEmpty;
  bool is_flow = false;       // { } or [ ]
  bool is_stretched = false;  // Flow over several lines.
  bool has_braces = true;     // False for the pair in [a: b].
  std::string props;          // Anchor and tag: "&hiccups".
  std::string text;
  std::vector<std::string> lines;
  std::vector<Entry> entries;
  std::vector<Remark> after;  // Comments behind the last entry.

  const Entry* find(std::string_view key) const;
};

// A member of a mapping or an item of a sequence.
struct Entry {
  std::vector<Remark> before;
  std::string key_props, key;    // As written; empty for an item.
  std::string remark_after_key;  // After "key:" or "-", when the value begins in a later line.
  Tree value;
  std::string remark;  // After the value, in its line.

  std::string name() const;  // The key without quotes and escapes.
};

struct Text {
  std::vector<Remark> head;  // Comments before `---`, or before a root in brackets.
  bool has_marker = false;   // `---`
  Tree root;
  std::vector<Remark> tail;  // Comments after a root in brackets.
};

// kInvalid, with the line, for a text that a Tree cannot hold as it is written.
Result<Text> read_tree(std::string_view text);

// The text with two spaces a level, and comments where they were.  JSON stays JSON.
std::string print_tree(const Text& text);

// The text, tidied; its value and its comments are compared before it is returned.  kInvalid: not a
// document, or one that read_tree refuses.  kInternal: the comparison failed, which is our mistake.
Result<std::string> format_text(std::string_view text, const std::string& file);

}  // namespace stepwell::dsl::source
