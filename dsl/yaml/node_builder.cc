#include "dsl/yaml/node_builder.h"

#include <algorithm>

namespace stepwell::dsl {

std::string below(const std::string& pointer, std::string_view token) {
  std::string longer = pointer + "/";
  for (const char c : token) {
    if (c == '~') {
      longer += "~0";
    } else if (c == '/') {
      longer += "~1";
    } else {
      longer += c;
    }
  }
  return longer;
}

bool NodeBuilder::fail(std::string code, const Place& place, std::string message,
                       std::string hint) {
  findings_.error(std::move(code), place, pointer(), std::move(message), std::move(hint));
  return false;
}

std::string NodeBuilder::pointer() const {
  std::string text;
  for (const Open& open : stack_) {
    if (!open.is_object) {
      text = below(text, std::to_string(open.array.size()));
    } else if (open.has_key) {
      text = below(text, open.key);
    }
  }
  return text;
}

Place NodeBuilder::pending_key_place() const {
  return stack_.empty() ? Place{} : stack_.back().key_place;
}

bool NodeBuilder::count(std::size_t weight, std::size_t bytes, const Place& place) {
  weight_ += weight;
  bytes_ += bytes;
  if (weight_ > kMaxNodes) {
    return fail(
        "too-large", place,
        "the document has more than " + std::to_string(kMaxNodes) + " values, aliases expanded");
  }
  if (bytes_ > kMaxBytes) {
    return fail("too-large", place,
                "the document has more than " + std::to_string(kMaxBytes) +
                    " bytes of text, aliases expanded");
  }
  return true;
}

bool NodeBuilder::key(std::string name, const Place& place) {
  Open& open = stack_.back();
  if (name.find('\0') != std::string::npos) {
    return fail("nul-character", place, "a key holds the character NUL");
  }
  if (!count(0, name.size(), place)) return false;
  open.is_duplicate = open.object.contains(name);
  if (open.is_duplicate && !findings_.is_full()) {
    const Member* first = open.node->find(name);
    findings_.error("duplicate-key", place, below(pointer(), name),
                    "the key " + json_quote(name) +
                        " stands here a second time; the first is in line " +
                        std::to_string(first->key_place.line),
                    "rename or remove one of them");
  }
  open.key = std::move(name);
  open.key_place = place;
  open.has_key = true;
  return true;
}

void NodeBuilder::attach(const Node& node) {
  latest_ = &node;
  if (stack_.empty()) {
    document_.root = &node;
    return;
  }
  Open& open = stack_.back();
  if (open.is_object) {
    open.has_key = false;
    if (open.is_duplicate) return;
    open.object.set(open.key, node.value);
    open.node->members.push_back({open.key, open.key_place, &node});
    open.node->bytes += open.key.size();
  } else {
    open.array.push_back(node.value);
    open.node->items.push_back(&node);
  }
  open.node->weight += node.weight;
  open.node->bytes += node.bytes;
  open.node->height = std::max(open.node->height, node.height + 1);
}

bool NodeBuilder::scalar(Value value, const Place& place, bool is_quoted) {
  const std::size_t bytes = value.is_string() ? value.as_string().size() : 8;
  if (value.is_string() && value.as_string().find('\0') != std::string::npos) {
    return fail("nul-character", place, "a string holds the character NUL");
  }
  if (!count(1, bytes, place)) return false;
  Node& node = document_.nodes.emplace_back();
  node.value = std::move(value);
  node.place = place;
  node.is_quoted = is_quoted;
  node.bytes = bytes;
  attach(node);
  return true;
}

void NodeBuilder::note_rounded(const Place& place, std::string_view text) {
  if (document_.outdated.size() > Findings::kMost) return;
  document_.outdated.push_back({place, pointer(), std::string(text), false});
}

void NodeBuilder::note_merge_key(const Place& place) {
  if (document_.outdated.size() > Findings::kMost) return;
  document_.outdated.push_back({place, below(pointer(), "<<"), "<<", true});
}

bool NodeBuilder::open(bool is_object, const Place& place) {
  if (stack_.size() >= kMaxDepth) {
    return fail("too-deep", place, "nested deeper than " + std::to_string(kMaxDepth) + " levels");
  }
  if (!count(1, 0, place)) return false;
  Node& node = document_.nodes.emplace_back();
  node.place = place;
  stack_.push_back({&node, is_object, {}, {}, {}, {}, false, false});
  latest_ = &node;
  return true;
}

bool NodeBuilder::close() {
  Open open = std::move(stack_.back());
  stack_.pop_back();
  open.node->value = open.is_object ? Value(std::move(open.object)) : Value(std::move(open.array));
  open.node->height = std::max<std::uint32_t>(open.node->height, 1);
  attach(*open.node);
  return true;
}

bool NodeBuilder::alias(const Node& node, const Place& place) {
  if (!count(node.weight, node.bytes, place)) return false;
  if (stack_.size() + node.height > kMaxDepth) {
    return fail("too-deep", place,
                "with its aliases the document is nested deeper than " + std::to_string(kMaxDepth) +
                    " levels");
  }
  attach(node);
  return true;
}

}  // namespace stepwell::dsl
