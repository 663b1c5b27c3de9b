// From YAML to JSON and back.
#include "authoring/convert/convert.h"
#include "authoring/convert/rewrite.h"
#include "dsl/dsl.h"

namespace stepwell::dsl {

namespace {

using source::Entry;
using source::Remark;
using source::Tree;
using Form = source::Tree::Form;

Result<Value> value_in(std::string_view text, const std::string& file) {
  Parsed parsed = parse_document(text, file);
  if (!parsed.diagnostics.empty()) {
    return Error{ErrorCode::kInvalid, parsed.diagnostics.front().message};
  }
  return std::move(parsed.value);
}

// "# why", "# and how" -> "why and how"
std::string sentence_of(const std::vector<Remark>& remarks, std::size_t& used) {
  std::string sentence;
  for (const Remark& remark : remarks) {
    const std::size_t first = remark.text.find_first_not_of("# \t");
    if (first == std::string::npos) continue;
    if (remark.text.starts_with("# yaml-language-server")) continue;
    sentence += (sentence.empty() ? "" : " ") + remark.text.substr(first);
    ++used;
  }
  return sentence;
}

// Puts `comment` in as the first member, where a reader of JSON looks for it.
Value with_comment(const Value& object, std::string comment) {
  Object fresh{{"Comment", std::move(comment)}};
  for (const auto& [key, value] : object.as_object()) fresh.set(key, value);
  return fresh;
}

std::size_t comments_in(const Tree& tree);

std::size_t comments_in(const std::vector<Remark>& remarks) {
  std::size_t count = 0;
  for (const Remark& remark : remarks) count += remark.text.empty() ? 0 : 1;
  return count;
}
std::size_t comments_in(const Tree& tree) {
  std::size_t count = comments_in(tree.after);
  for (const Entry& entry : tree.entries) {
    count += comments_in(entry.before) + (entry.remark.empty() ? 0 : 1) +
             (entry.remark_after_key.empty() ? 0 : 1) + comments_in(entry.value);
  }
  return count;
}

// Makes the comments before states their Comment, in all machines.
Value commented(const Tree& tree, const Value& value, std::size_t& used) {
  if (value.is_array() && tree.form == Form::kSequence && tree.entries.size() == value.size()) {
    Value::Array items;
    for (std::size_t i = 0; i < value.size(); ++i) {
      items.push_back(commented(tree.entries[i].value, value.as_array()[i], used));
    }
    return items;
  }
  if (!value.is_object() || tree.form != Form::kMapping) return value;
  Object fresh;
  for (const auto& [key, member] : value.as_object()) {
    const Entry* entry = tree.find(key);
    Value changed = entry == nullptr ? member : commented(entry->value, member, used);
    if (key != "States" || entry == nullptr || !changed.is_object()) {
      fresh.set(key, std::move(changed));
      continue;
    }
    Object states;
    for (const auto& [name, state] : changed.as_object()) {
      const Entry* of_state = entry->value.find(name);
      const bool can = of_state != nullptr && state.is_object() && state.find("Comment") == nullptr;
      const std::string sentence = can ? sentence_of(of_state->before, used) : "";
      states.set(name, sentence.empty() ? state : with_comment(state, sentence));
    }
    fresh.set(key, std::move(states));
  }
  return fresh;
}

}  // namespace

Result<Rewritten> to_yaml_text(std::string_view text, const std::string& file) {
  const Value value = TRY(value_in(text, file));
  const auto tree = source::read_tree(text);
  if (tree.ok() && !tree->root.is_flow) {
    auto tidy = source::format_text(text, file);
    if (tidy.ok()) return Rewritten{std::move(*tidy), 0};
  }
  return Rewritten{yaml_of(value), 0};
}

Result<Rewritten> to_json_text(std::string_view text, const std::string& file) {
  Value value = TRY(value_in(text, file));
  const auto tree = source::read_tree(text);
  if (!tree.ok()) return Rewritten{json_of(value), 0};
  std::size_t all = comments_in(tree->root) + comments_in(tree->head) + comments_in(tree->tail);
  std::size_t used = 0;
  value = commented(tree->root, value, used);
  const auto& top = !tree->head.empty() || tree->root.entries.empty()
                        ? tree->head
                        : tree->root.entries.front().before;
  if (value.is_object() && value.find("Comment") == nullptr) {
    const std::string sentence = sentence_of(top, used);
    if (!sentence.empty()) value = with_comment(value, sentence);
  }
  return Rewritten{json_of(value), all - used};
}

}  // namespace stepwell::dsl
