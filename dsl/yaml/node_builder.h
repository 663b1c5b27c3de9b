// NodeBuilder — makes the nodes of a document from what a reader comes across, within the limits.
//
// A reader calls it in the order of the text: open, key, scalar, alias, close.  Each call returns
// false when reading must stop; the reason is then in the findings.  Not thread-safe: one per text.
#pragma once

#include <string>

#include "dsl/yaml/document.h"

namespace stepwell::dsl {

class NodeBuilder {
 public:
  NodeBuilder(Document& document, Findings& findings) : document_(document), findings_(findings) {}

  // Are we in an object, at the place of a key?
  bool expects_key() const { return !stack_.empty() && stack_.back().is_object && !has_key(); }
  bool in_object() const { return !stack_.empty() && stack_.back().is_object; }
  bool is_complete() const { return stack_.empty() && document_.root != nullptr; }

  bool key(std::string name, const Place& place);
  bool scalar(Value value, const Place& place, bool is_quoted);
  // The number that comes next is `text`, and its value another; the key that comes next is "<<".
  void note_rounded(const Place& place, std::string_view text);
  void note_merge_key(const Place& place);
  bool open(bool is_object, const Place& place);
  bool close();
  // The same node in a second place.
  bool alias(const Node& node, const Place& place);

  // The node that was opened or finished last.
  const Node* latest() const { return latest_; }
  // The place of the key whose value comes next: what to point at when there is no value.
  Place pending_key_place() const;
  // The JSON pointer of the value that comes next.
  std::string pointer() const;
  bool fail(std::string code, const Place& place, std::string message, std::string hint = {});

 private:
  struct Open {
    Node* node;
    bool is_object;
    Object object;
    Value::Array array;
    std::string key;
    Place key_place;
    bool has_key = false, is_duplicate = false;
  };
  bool has_key() const { return stack_.back().has_key; }
  bool count(std::size_t weight, std::size_t bytes, const Place& place);
  void attach(const Node& node);

  Document& document_;
  Findings& findings_;
  std::vector<Open> stack_;
  const Node* latest_ = nullptr;
  std::size_t weight_ = 0, bytes_ = 0;
};

// Appends "/" and `token`, escaped, to a JSON pointer.
std::string below(const std::string& pointer, std::string_view token);

}  // namespace stepwell::dsl
