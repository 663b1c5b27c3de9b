#include "authoring/convert/rewrite.h"

#include <algorithm>
#include <functional>

#include "authoring/source/scalars.h"
#include "dsl/dsl.h"

namespace stepwell::dsl {

namespace {

using source::Entry;
using source::Remark;
using source::Text;
using source::Tree;
using Form = source::Tree::Form;

bool is_scalar(const Value& value) { return !value.is_array() && !value.is_object(); }

bool holds_scalars(const Value& value) {
  if (value.is_array()) {
    return std::all_of(value.as_array().begin(), value.as_array().end(), is_scalar);
  }
  if (!value.is_object()) return true;
  const Object& object = value.as_object();
  return std::all_of(object.begin(), object.end(),
                     [](const auto& member) { return is_scalar(member.second); });
}

// Is the text better written as a block than with \n in quotes?
bool wants_block(const std::string& text) {
  if (text.find('\n') == std::string::npos || text.front() == '\n' || text.front() == ' ') {
    return false;
  }
  const bool has_odd = std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n') || byte >= 0x7f;
  });
  return !has_odd && text.find(" \n") == std::string::npos && !text.ends_with("\n\n") &&
         text != "\n";
}

bool holds_blocks(const Value& value) {
  if (!value.is_array()) return false;
  const Value::Array& items = value.as_array();
  return std::any_of(items.begin(), items.end(), [](const Value& item) {
    return item.is_string() && wants_block(item.as_string());
  });
}

Tree block_of(const std::string& text) {
  Tree tree;
  tree.form = Form::kBlock;
  tree.text = text.ends_with('\n') ? "|" : "|-";
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    tree.lines.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return tree;
}

// Where a new tree is to stand.
enum class Within : std::uint8_t {
  kNothing,   // It is the root.
  kBlock,     // In lines of its own, or behind a key.
  kBrackets,  // In [ ] or { } that are not JSON's.
};

Tree make_tree(const Value& value, bool is_json, Within within) {
  const bool in_flow = within == Within::kBrackets;
  Tree tree;
  if (is_scalar(value)) {
    const bool may_be_block = !is_json && !in_flow && value.is_string();
    if (may_be_block && wants_block(value.as_string())) return block_of(value.as_string());
    tree.form = Form::kScalar;
    tree.text = is_json ? value.to_json() : source::yaml_scalar(value, in_flow);
    return tree;
  }
  tree.form = value.is_array() ? Form::kSequence : Form::kMapping;
  const bool is_short =
      holds_scalars(value) && within != Within::kNothing && (is_json || !holds_blocks(value));
  tree.is_flow = is_json || in_flow || value.size() == 0 || (value.is_array() && is_short);
  tree.is_stretched = is_json && !is_short;
  const Within inside = tree.is_flow ? Within::kBrackets : Within::kBlock;
  if (value.is_array()) {
    for (const Value& item : value.as_array()) {
      Entry entry;
      entry.value = make_tree(item, is_json, inside);
      tree.entries.push_back(std::move(entry));
    }
    return tree;
  }
  for (const auto& [key, member] : value.as_object()) {
    Entry entry;
    entry.key = is_json ? json_quote(key) : source::yaml_string(key, tree.is_flow);
    entry.value = make_tree(member, is_json, inside);
    tree.entries.push_back(std::move(entry));
  }
  return tree;
}

void collect(const Tree& tree, std::vector<Remark>& remarks);

void collect(const Entry& entry, std::vector<Remark>& remarks) {
  const auto add = [&](const std::string& text) {
    if (!text.empty()) remarks.push_back({text, 0});
  };
  for (const Remark& remark : entry.before) add(remark.text);
  add(entry.remark_after_key);
  add(entry.remark);
  collect(entry.value, remarks);
}
void collect(const Tree& tree, std::vector<Remark>& remarks) {
  for (const Entry& entry : tree.entries) collect(entry, remarks);
  for (const Remark& remark : tree.after) {
    if (!remark.text.empty()) remarks.push_back(remark);
  }
}

class Rewriter {
 public:
  explicit Rewriter(bool is_json) : is_json_(is_json) {}

  Tree rewrite(const Tree& tree, const Value& before, const Value& after, Within within) {
    if (before.to_json() == after.to_json()) return tree;
    if (can_carry(tree, after)) return carry(tree, after, within);
    const bool is_mapping = tree.form == Form::kMapping && before.is_object() && after.is_object();
    if (is_mapping && tree.entries.size() == before.size()) {
      return rewrite_mapping(tree, before, after);
    }
    const bool is_list = tree.form == Form::kSequence && before.is_array() && after.is_array();
    if (is_list && before.size() == after.size() && tree.entries.size() == before.size()) {
      return rewrite_list(tree, before, after);
    }
    Tree fresh = make_tree(after, is_json_, within);
    if (!fresh.entries.empty()) collect(tree, fresh.after);
    return fresh;
  }

 private:
  static Within inside(const Tree& tree) {
    return tree.is_flow ? Within::kBrackets : Within::kBlock;
  }
  std::string key_text(const std::string& key, const Tree& tree) const {
    return is_json_ ? json_quote(key) : source::yaml_string(key, tree.is_flow);
  }

  Tree rewrite_list(const Tree& tree, const Value& before, const Value& after) {
    Tree fresh = tree;
    for (std::size_t i = 0; i < fresh.entries.size(); ++i) {
      fresh.entries[i].value =
          rewrite(tree.entries[i].value, before.as_array()[i], after.as_array()[i], inside(tree));
    }
    return fresh;
  }

  // Has the payload the same fields, apart from `.$`?  Then each keeps its line and its comments.
  bool can_carry(const Tree& tree, const Value& value) const {
    if (tree.form == Form::kScalar) return is_scalar(value) && !tree.text.starts_with("*");
    const bool is_mapping = tree.form == Form::kMapping && value.is_object();
    const bool is_list = tree.form == Form::kSequence && value.is_array();
    if ((!is_mapping && !is_list) || tree.entries.size() != value.size()) return false;
    if (!tree.props.empty()) return false;
    for (std::size_t i = 0; i < value.size(); ++i) {
      const Entry& entry = tree.entries[i];
      if (is_list && !can_carry(entry.value, value.as_array()[i])) return false;
      if (is_list) continue;
      const auto& [key, member] = value.as_object()[i];
      const std::string name = entry.name();
      const bool is_same = name == key || name == key + ".$";
      if (!is_same || !can_carry(entry.value, member)) return false;
    }
    return true;
  }
  Tree carry(const Tree& tree, const Value& value, Within within) const {
    if (tree.form == Form::kScalar) {
      const Parsed old = parse_document("[" + tree.text + "]", "text.yaml");
      const bool is_same = old.diagnostics.empty() && old.value.size() == 1 &&
                           old.value.as_array()[0].to_json() == value.to_json();
      return is_same ? tree : make_tree(value, is_json_, within);
    }
    Tree fresh = tree;
    for (std::size_t i = 0; i < value.size(); ++i) {
      Entry& entry = fresh.entries[i];
      const bool is_list = value.is_array();
      entry.value = carry(entry.value, is_list ? value.as_array()[i] : value.as_object()[i].second,
                          inside(tree));
      if (is_list || entry.name() == value.as_object()[i].first) continue;
      entry.key = key_text(value.as_object()[i].first, tree);
    }
    return fresh;
  }

  // The removed field whose payload the new field `key` has; nullptr when there is none.
  const Entry* ancestor_of(const Tree& tree, const Value& after, const std::string& key,
                           const Value& value) const {
    if (key != "Arguments" && key != "Output" && key != "ItemSelector") return nullptr;
    if (is_scalar(value)) return nullptr;
    for (const char* name : {"Parameters", "ResultSelector", "Result", "BatchInput"}) {
      const Entry* entry = tree.find(name);
      const bool is_gone = entry != nullptr && after.find(name) == nullptr;
      if (is_gone && can_carry(entry->value, value)) return entry;
    }
    return nullptr;
  }

  // Comments of removed fields are put before the first new field.
  Tree rewrite_mapping(const Tree& tree, const Value& before, const Value& after) {
    Tree fresh = tree;
    fresh.entries.clear();
    std::vector<const Entry*> ancestors;
    for (const auto& [key, value] : after.as_object()) {
      const bool is_new = tree.find(key) == nullptr;
      ancestors.push_back(is_new ? ancestor_of(tree, after, key, value) : nullptr);
    }
    std::vector<Remark> orphans;
    for (const Entry& entry : tree.entries) {
      const bool lives_on =
          std::find(ancestors.begin(), ancestors.end(), &entry) != ancestors.end();
      if (after.find(entry.name()) == nullptr && !lives_on) collect(entry, orphans);
    }
    std::size_t position = 0;
    for (const auto& [key, value] : after.as_object()) {
      const Entry* ancestor = ancestors[position++];
      const Entry* old = tree.find(key);
      Entry entry;
      if (old != nullptr) {
        entry = *old;
        entry.value = rewrite(old->value, *before.find(key), value, inside(tree));
      } else if (ancestor != nullptr) {
        entry = *ancestor;
        entry.key = key_text(key, tree);
        entry.value = carry(ancestor->value, value, inside(tree));
      } else {
        entry.key = key_text(key, tree);
        entry.value = make_tree(value, is_json_, inside(tree));
      }
      if (old == nullptr) {
        entry.before.insert(entry.before.begin(), orphans.begin(), orphans.end());
        orphans.clear();
      }
      fresh.entries.push_back(std::move(entry));
    }
    fresh.after.insert(fresh.after.begin(), orphans.begin(), orphans.end());
    return fresh;
  }

  const bool is_json_;
};

std::size_t count_comments(const Text& text) {
  std::vector<Remark> all;
  collect(text.root, all);
  const auto count = [](const std::vector<Remark>& remarks) {
    return static_cast<std::size_t>(std::count_if(
        remarks.begin(), remarks.end(), [](const Remark& remark) { return !remark.text.empty(); }));
  };
  return all.size() + count(text.head) + count(text.tail);
}

}  // namespace

std::string yaml_of(const Value& value) {
  Text text;
  text.root = make_tree(value, false, Within::kNothing);
  std::string yaml = print_tree(text);
  // JSON is YAML too, and better than another value.
  const Parsed again = parse_document(yaml, "text.yaml");
  const bool is_same = again.diagnostics.empty() && again.value.to_json() == value.to_json();
  return is_same ? yaml : json_of(value);
}

std::string json_of(const Value& value) {
  Text text;
  text.root = make_tree(value, true, Within::kNothing);
  return print_tree(text);
}

Rewritten rewrite(std::string_view text, const std::string& file, const Value& before,
                  const Value& after, bool is_json) {
  Rewritten rewritten;
  const auto tree = source::read_tree(text);
  if (tree.ok()) {
    Text changed = *tree;
    changed.root = Rewriter(is_json).rewrite(tree->root, before, after, Within::kNothing);
    rewritten.text = print_tree(changed);
    const Parsed again = parse_document(rewritten.text, file);
    const auto kept = source::read_tree(rewritten.text);
    if (again.diagnostics.empty() && again.value.to_json() == after.to_json() && kept.ok()) {
      const std::size_t had = count_comments(*tree), has = count_comments(*kept);
      rewritten.comments_lost = had > has ? had - has : 0;
      return rewritten;
    }
  }
  // The text cannot be kept (an anchor is used elsewhere, or read_tree refuses it): it is written
  // anew from the value.
  rewritten.text = is_json ? json_of(after) : yaml_of(after);
  rewritten.comments_lost = tree.ok() ? count_comments(*tree) : 0;
  return rewritten;
}

}  // namespace stepwell::dsl
