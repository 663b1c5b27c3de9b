// Document — the text of a workflow as a tree of nodes, each with the place it came from.
//
// YAML 1.2 with JSON's scalars: plain `true`, `false`, `null`, `~` and JSON's numbers are what they
// look like; every other plain scalar (`yes`, `on`, a date, 007) is a string.  Numbers keep their
// form.  Duplicate keys, keys that are not scalars, tags other than JSON's types and a second
// document are refused. Texts that begin with { or [ are read as JSON first, by a reader that keeps
// positions too.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "dsl/diagnostics/findings.h"
#include "dsl/yaml/limits.h"

namespace stepwell::dsl {

struct Node;

struct Member {
  std::string key;
  Place key_place;
  const Node* node;
};

struct Node {
  Value value;                     // The whole value, with everything below it.
  Place place;                     // Of the value itself, after its anchor and tag.
  bool is_quoted = false;          // A scalar in quotes or in a block.
  std::vector<Member> members;     // Of an object, in the order of the text.
  std::vector<const Node*> items;  // Of an array.
  // What this node costs wherever an alias repeats it: values and levels below, aliases expanded.
  std::uint32_t weight = 1, height = 0;
  std::size_t bytes = 0;

  const Member* find(std::string_view key) const;
};

// Owns its nodes; `text` belongs to the caller.  An alias is the same node in a second place.
struct Document {
  std::string_view text;
  std::deque<Node> nodes;
  const Node* root = nullptr;  // Null when the text could not be read.
  // What a new text may not have, though programs that earlier releases took have it: whole numbers
  // of which the value is not exactly what the text says, and merge keys.
  struct Outdated {
    Place place;
    std::string pointer, text;
    bool is_merge_key;
  };
  std::vector<Outdated> outdated;

  // A string scalar in pieces that stand in the text byte by byte, each byte a column, in order;
  // empty where the text writes it in another way (escapes that are not looked into).
  struct Stretch {
    std::size_t at;  // Byte of the value.
    Place begin;
  };
  std::vector<Stretch> stretches(const Node& scalar) const;
  // The place of byte `at` of a string scalar; the scalar's beginning where that is not known.
  Place within(const Node& scalar, std::size_t at) const;
};

// Bounded by kMaxBytes, kMaxDepth and kMaxNodes.  root is null when the text could not be read to
// its end; then `findings` has an error.
Document read_document(std::string_view text, std::string_view file, Findings& findings);

// For everyone who takes a text in; not when a stored program is built again.
void refuse_outdated(const Document& document, Findings& findings);

}  // namespace stepwell::dsl
