// Reads a text to a Tree.
#include <algorithm>
#include <optional>

#include "authoring/source/scalars.h"
#include "authoring/source/tree.h"

namespace stepwell::dsl::source {

namespace {

// Thrown and caught in this file: the text at this place cannot be kept as it is written.
struct Stuck {
  std::size_t at;
  std::string what;
};

constexpr int kDeepest = 200;

bool is_blank(char c) { return c == ' ' || c == '\t'; }

class TreeReader {
 public:
  explicit TreeReader(std::string_view text) : text_(text) {}

  Text read() {
    Text result;
    skip_trivia();
    if (is_marker("---")) {
      result.head = std::move(pending_);
      pending_.clear();
      result.has_marker = true;
      pos_ += 3;
      if (!is_line_end()) throw Stuck{pos_, "something stands behind ---"};
      skip_trivia();
    }
    if (peek() == '%') throw Stuck{pos_, "a directive of YAML"};
    Entry root;
    if (!is_at_end()) {
      std::string props = read_props_line();
      const bool has_entries = is_at_dash() || is_at_key();
      if (!has_entries) std::swap(result.head, pending_);
      if (result.has_marker && !has_entries && !pending_.empty()) {
        throw Stuck{pos_, "comments on both sides of ---"};
      }
      root.value = read_block(-1, column(), root, 0);
      put_in_front(props, root.value);
    }
    if (!root.remark.empty()) pending_.insert(pending_.begin(), Remark{root.remark, 0});
    skip_trivia();
    if (is_marker("...")) {
      pos_ += 3;
      skip_trivia();
    }
    if (!is_at_end()) throw Stuck{pos_, "something stands behind the end"};
    result.tail = take_pending();
    result.root = std::move(root.value);
    return result;
  }

 private:
  // ---- Characters ----------------------------------------------------------------------------
  bool is_at_end() const { return pos_ >= text_.size(); }
  char peek(std::size_t ahead = 0) const {
    return pos_ + ahead < text_.size() ? text_[pos_ + ahead] : '\0';
  }
  bool is_break(std::size_t at) const { return at >= text_.size() || text_[at] == '\n'; }
  bool is_space_or_end(std::size_t at) const { return is_break(at) || is_blank(text_[at]); }
  std::size_t column() const {
    const std::size_t newline = pos_ == 0 ? std::string_view::npos : text_.rfind('\n', pos_ - 1);
    return newline == std::string_view::npos ? pos_ : pos_ - newline - 1;
  }
  bool is_at_line_start() const { return pos_ == 0 || text_[pos_ - 1] == '\n'; }
  std::size_t line_end(std::size_t from) const {
    return std::min(text_.find('\n', from), text_.size());
  }
  void skip_blanks() {
    while (is_blank(peek())) ++pos_;
  }
  // Is the rest of this line empty, or a comment?
  bool is_line_end() {
    skip_blanks();
    return is_break(pos_) || (peek() == '#' && (pos_ == 0 || is_space_or_end(pos_ - 1)));
  }
  bool is_marker(std::string_view marker) const {
    return is_at_line_start() && text_.substr(pos_, 3) == marker && is_space_or_end(pos_ + 3);
  }
  bool is_at_dash() const { return peek() == '-' && is_space_or_end(pos_ + 1); }

  std::string trimmed(std::size_t from, std::size_t to) const {
    while (to > from && is_blank(text_[to - 1])) --to;
    return std::string(text_.substr(from, to - from));
  }
  // The comment in the rest of this line, if any.
  std::string take_remark() {
    if (!is_line_end()) {
      throw Stuck{pos_, "something that was not expected"};
    }
    const std::size_t from = pos_;
    pos_ = line_end(pos_);
    return trimmed(from, pos_);
  }
  // Goes to the next key or value; comments and blank lines on the way become pending.
  void skip_trivia() {
    for (bool is_line_start = is_at_line_start(); !is_at_end(); is_line_start = true) {
      skip_blanks();
      if (peek() == '#') {
        const std::size_t at = column();
        pending_.push_back({take_remark(), at});
      } else if (!is_break(pos_)) {
        return;
      } else if (is_line_start && (pending_.empty() || !pending_.back().text.empty())) {
        pending_.push_back({});
      }
      if (!is_at_end()) ++pos_;
    }
  }
  std::vector<Remark> take_pending() { return std::exchange(pending_, {}); }

  // Takes the pending comments that are indented at least so far: they belong to the block that
  // ends here.
  std::vector<Remark> take_pending_of(std::size_t least_column) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      if (pending_[i].text.empty()) continue;
      if (pending_[i].column < least_column) break;
      count = i + 1;
    }
    const auto end = pending_.begin() + static_cast<std::ptrdiff_t>(count);
    std::vector<Remark> taken(pending_.begin(), end);
    pending_.erase(pending_.begin(), end);
    return taken;
  }

  // ---- Anchors and tags ----------------------------------------------------------------------
  std::string read_props() {
    std::string props;
    while (peek() == '&' || peek() == '!') {
      const std::size_t from = pos_;
      while (!is_space_or_end(pos_) && !(flow_depth_ > 0 && is_flow_sign(text_[pos_]))) ++pos_;
      props += (props.empty() ? "" : " ") + std::string(text_.substr(from, pos_ - from));
      skip_blanks();
    }
    return props;
  }
  // Adds them before those that the value already has from its own line.
  static void put_in_front(const std::string& props, Tree& value) {
    const bool has_both = !props.empty() && !value.props.empty();
    value.props = props + (has_both ? " " : "") + value.props;
  }
  // Reads anchors and tags that stand alone in a line: they belong to the block that follows.
  std::string read_props_line() {
    const std::size_t begin = pos_;
    std::string props = read_props();
    if (props.empty() || is_line_end()) {
      if (!props.empty()) skip_trivia();
      return props;
    }
    pos_ = begin;
    return "";
  }

  // ---- Blocks --------------------------------------------------------------------------------
  Tree read_block(int parent, std::size_t at, Entry& owner, int depth) {
    if (depth > kDeepest) throw Stuck{pos_, "nested too deep"};
    if (is_at_dash()) {
      const bool is_beside =
          static_cast<int>(at) == parent;  // A list may be as deep as the key that it belongs to.
      return read_sequence(at, is_beside ? at + 1 : at, depth);
    }
    if (is_at_key()) return read_mapping(at, depth);
    return read_inline(parent, owner, depth);
  }

  Tree read_mapping(std::size_t at, int depth) {
    Tree tree;
    tree.form = Tree::Form::kMapping;
    while (!is_at_end() && column() == at && !is_marker("...") && is_at_key()) {
      Entry entry;
      entry.before = take_pending();
      entry.key_props = read_props();
      entry.key = read_key();
      skip_blanks();
      ++pos_;  // The colon.
      read_value(static_cast<int>(at), entry, false, depth);
      tree.entries.push_back(std::move(entry));
      skip_trivia();
    }
    tree.after = take_pending_of(at);
    return tree;
  }

  Tree read_sequence(std::size_t at, std::size_t least_column, int depth) {
    Tree tree;
    tree.form = Tree::Form::kSequence;
    while (!is_at_end() && column() == at && is_at_dash()) {
      Entry entry;
      entry.before = take_pending();
      ++pos_;
      read_value(static_cast<int>(at), entry, true, depth);
      tree.entries.push_back(std::move(entry));
      skip_trivia();
    }
    tree.after = take_pending_of(least_column);
    return tree;
  }

  // Reads what follows a colon or a dash.
  void read_value(int indent, Entry& entry, bool is_item, int depth) {
    skip_blanks();
    const std::size_t begin = pos_;
    std::string props = read_props();
    if (is_line_end()) {
      std::string remark = take_remark();
      skip_trivia();
      const int at = static_cast<int>(column());
      const bool is_below = at > indent || (at == indent && !is_item && is_at_dash());
      if (!is_at_end() && is_below && !is_marker("...")) {
        entry.remark_after_key = std::move(remark);
        if (props.empty()) props = read_props_line();
        entry.value = read_block(indent, column(), entry, depth + 1);
      } else {
        entry.remark = std::move(remark);
      }
    } else if (is_item && is_at_key_from(begin)) {
      pos_ = begin;  // Anchors before a key belong to the key.
      props.clear();
      entry.value = read_mapping(column(), depth + 1);
    } else if (is_item && is_at_dash()) {
      entry.value = read_sequence(column(), column(), depth + 1);
    } else {
      entry.value = read_inline(indent, entry, depth + 1);
    }
    put_in_front(props, entry.value);
  }

  bool is_at_key_from(std::size_t begin) {
    const std::size_t here = std::exchange(pos_, begin);
    const bool is_key = is_at_key();
    pos_ = here;
    return is_key;
  }

  // Does a key of a block mapping begin here, with a colon behind it?
  bool is_at_key() {
    const std::size_t begin = pos_;
    read_props();
    const char c = peek();
    if (c == '?' && is_space_or_end(pos_ + 1)) throw Stuck{pos_, "a key that begins with ?"};
    bool is_key = false;
    if (c == '"' || c == '\'') {
      const auto end = quoted_end(text_, pos_);
      if (end && *end <= line_end(pos_)) {
        pos_ = *end;
        skip_blanks();
        is_key = peek() == ':' && is_space_or_end(pos_ + 1);
      }
    } else if (c != '[' && c != '{' && c != '#' && c != '|' && c != '>') {
      is_key = plain_key_end().has_value();
    }
    pos_ = begin;
    return is_key;
  }
  // Where a plain key ends: at a colon with a blank behind it, in this line.
  std::optional<std::size_t> plain_key_end() const {
    for (std::size_t i = pos_; !is_break(i); ++i) {
      if (text_[i] == ':' && is_space_or_end(i + 1)) return i;
      if (text_[i] == '#' && i > pos_ && is_blank(text_[i - 1])) break;
    }
    return std::nullopt;
  }
  std::string read_key() {
    const std::size_t from = pos_;
    const bool is_quoted = peek() == '"' || peek() == '\'';
    pos_ = is_quoted ? *quoted_end(text_, pos_) : *plain_key_end();
    return trimmed(from, pos_);
  }

  // ---- Scalars -------------------------------------------------------------------------------
  Tree read_inline(int parent, Entry& owner, int depth) {
    std::string props = read_props();
    const char c = peek();
    Tree tree;
    if (c == '|' || c == '>') {
      tree = read_block_scalar(parent);
    } else {
      tree = c == '[' || c == '{'    ? read_flow(depth)
             : c == '"' || c == '\'' ? read_quoted()
                                     : read_plain(parent);
      owner.remark = take_remark();
    }
    tree.props = std::move(props);
    return tree;
  }

  Tree read_quoted() {
    const auto end = quoted_end(text_, pos_);
    if (!end) throw Stuck{pos_, "a quote that is never closed"};
    Tree tree;
    const std::string_view whole = text_.substr(pos_, *end - pos_);
    pos_ = *end;
    if (whole.find('\n') == std::string_view::npos) {
      tree.form = Tree::Form::kScalar;
      tree.text = std::string(whole);
      return tree;
    }
    tree.form = Tree::Form::kLines;
    tree.lines = folded_lines(whole);
    return tree;
  }

  // Reads the part of a plain scalar that stands in this line.
  std::string read_plain_line() {
    const std::size_t from = pos_;
    while (!is_break(pos_) && !(peek() == '#' && pos_ > from && is_blank(text_[pos_ - 1]))) ++pos_;
    std::string line = trimmed(from, pos_);
    pos_ = from + line.size();
    return line;
  }

  Tree read_plain(int parent) {
    Tree tree;
    tree.form = Tree::Form::kScalar;
    tree.text = read_plain_line();
    tree.lines.push_back(tree.text);
    while (is_break(pos_)) {
      const std::size_t here = pos_;
      std::size_t blank_lines = 0;
      while (!is_at_end() && is_break(pos_)) {
        ++pos_;
        skip_blanks();
        blank_lines += is_break(pos_) ? 1 : 0;
      }
      const bool goes_on = !is_at_end() && static_cast<int>(column()) > parent && peek() != '#' &&
                           !is_marker("---") && !is_marker("...");
      if (!goes_on) {
        pos_ = here;
        break;
      }
      tree.form = Tree::Form::kLines;
      tree.lines.resize(tree.lines.size() + blank_lines);
      tree.lines.push_back(read_plain_line());
    }
    if (tree.form == Tree::Form::kScalar) tree.lines.clear();
    return tree;
  }

  Tree read_block_scalar(int parent) {
    Tree tree;
    tree.form = Tree::Form::kBlock;
    const std::size_t header_end = line_end(pos_);
    tree.text = trimmed(pos_, header_end);
    pos_ = std::min(header_end + 1, text_.size());
    const std::string signs = tree.text.substr(0, tree.text.find(' '));
    std::size_t indent = 0;
    for (const char c : signs) {
      if (c >= '1' && c <= '9') indent = static_cast<std::size_t>(std::max(parent, 0) + c - '0');
    }
    std::size_t kept_end = pos_;
    while (!is_at_end()) {
      const std::size_t end = line_end(pos_);
      const std::string_view line = text_.substr(pos_, end - pos_);
      const std::size_t first = line.find_first_not_of(' ');
      if (first != std::string_view::npos) {
        if (indent == 0 && static_cast<int>(first) > parent)
          indent = std::max<std::size_t>(first, 1);
        if (first < indent || indent == 0) break;
      }
      tree.lines.emplace_back(line.size() > indent ? line.substr(indent) : std::string_view());
      pos_ = std::min(end + 1, text_.size());
      if (first != std::string_view::npos) kept_end = pos_;
    }
    if (signs.find('+') == std::string::npos) {
      while (!tree.lines.empty() && tree.lines.back().find_first_not_of(' ') == std::string::npos) {
        tree.lines.pop_back();
      }
      pos_ = kept_end;
    }
    tree.text = block_header(signs, tree.lines) + tree.text.substr(signs.size());
    return tree;
  }

  // ---- Flow ----------------------------------------------------------------------------------
  Tree read_flow(int depth) {
    if (depth > kDeepest) throw Stuck{pos_, "nested too deep"};
    const std::vector<Remark> outside = take_pending();
    const std::size_t begin = pos_;
    const bool is_mapping = peek() == '{';
    Tree tree;
    tree.form = is_mapping ? Tree::Form::kMapping : Tree::Form::kSequence;
    tree.is_flow = true;
    ++flow_depth_;
    ++pos_;
    const char close = is_mapping ? '}' : ']';
    // A comment behind the opening bracket is kept as one before the first entry.
    for (skip_trivia(); peek() != close; skip_trivia()) {
      if (is_at_end()) throw Stuck{begin, "a bracket that is never closed"};
      Entry entry;
      entry.before = take_pending();
      if (is_mapping) {
        read_flow_key(entry);
      } else {
        entry.value = read_flow_value(depth);
        skip_trivia();
        if (peek() == ':') entry.value = read_pair(std::move(entry.value), depth);
      }
      if (is_mapping && peek() == ':') {
        ++pos_;
        skip_trivia();
        if (peek() != ',' && peek() != close) entry.value = read_flow_value(depth);
        skip_trivia();
      }
      if (peek() == ',') {
        ++pos_;
      } else if (peek() != close) {
        throw Stuck{pos_, "something that was not expected"};
      }
      if (is_line_end()) entry.remark = take_remark();
      tree.entries.push_back(std::move(entry));
    }
    ++pos_;
    --flow_depth_;
    tree.after = take_pending_of(0);
    pending_ = outside;
    tree.is_stretched = text_.substr(begin, pos_ - begin).find('\n') != std::string_view::npos;
    return tree;
  }
  // Reads the rest of a pair in a list, [key: value], from the colon on.
  Tree read_pair(Tree key, int depth) {
    if (key.form != Tree::Form::kScalar) throw Stuck{pos_, "a key that is not a string"};
    Entry entry;
    entry.key_props = std::move(key.props);
    entry.key = std::move(key.text);
    ++pos_;
    skip_trivia();
    if (peek() != ',' && peek() != ']') entry.value = read_flow_value(depth);
    skip_trivia();
    Tree pair;
    pair.form = Tree::Form::kMapping;
    pair.is_flow = true;
    pair.has_braces = false;
    pair.entries.push_back(std::move(entry));
    return pair;
  }

  static bool is_flow_sign(char c) {
    return c == ',' || c == '[' || c == ']' || c == '{' || c == '}';
  }

  void read_flow_key(Entry& entry) {
    entry.key_props = read_props();
    if (peek() == '?' && is_space_or_end(pos_ + 1)) throw Stuck{pos_, "a key that begins with ?"};
    if (peek() == '[' || peek() == '{') throw Stuck{pos_, "a key that is not a string"};
    const Tree key = read_flow_scalar();
    if (key.form != Tree::Form::kScalar) throw Stuck{pos_, "a key over several lines"};
    entry.key = key.text;
    skip_trivia();
  }

  Tree read_flow_value(int depth) {
    std::string props = read_props();
    skip_trivia();
    Tree tree = peek() == '[' || peek() == '{' ? read_flow(depth + 1) : read_flow_scalar();
    tree.props = std::move(props);
    return tree;
  }

  Tree read_flow_scalar() {
    if (peek() == '"' || peek() == '\'') {
      const std::size_t begin = pos_;
      Tree tree = read_quoted();
      if (tree.form == Tree::Form::kLines) throw Stuck{begin, "a quoted text over several lines"};
      return tree;
    }
    const std::size_t from = pos_;
    while (!is_break(pos_) && !is_flow_sign(text_[pos_])) {
      if (peek() == '#' && pos_ > from && is_blank(text_[pos_ - 1])) break;
      const bool ends_key = peek() == ':' && (is_space_or_end(pos_ + 1) || is_flow_sign(peek(1)));
      if (ends_key) break;
      ++pos_;
    }
    Tree tree;
    tree.text = trimmed(from, pos_);
    if (!tree.text.empty()) tree.form = Tree::Form::kScalar;
    pos_ = from + tree.text.size();
    return tree;
  }

  std::string_view text_;
  std::size_t pos_ = 0;
  int flow_depth_ = 0;
  std::vector<Remark> pending_;  // Comments that were read and belong to nothing yet.
};

}  // namespace

const Entry* Tree::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.name() == key) return &entry;
  }
  return nullptr;
}

std::string Entry::name() const { return meaning_of(key); }

Result<Text> read_tree(std::string_view text) {
  while (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // One, or several.
  std::string clean;
  std::optional<std::size_t> lone_return;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    if (text[i] == '\r' && !lone_return) lone_return = clean.size();
    clean += text[i];
  }
  TreeReader reader(clean);
  try {
    if (lone_return) throw Stuck{*lone_return, "a carriage return without a line feed"};
    return reader.read();
  } catch (const Stuck& stuck) {
    const auto end = clean.begin() + static_cast<std::ptrdiff_t>(std::min(stuck.at, clean.size()));
    const auto line = 1 + std::count(clean.begin(), end, '\n');
    return Error{ErrorCode::kInvalid, "line " + std::to_string(line) + ": " + stuck.what};
  }
}

}  // namespace stepwell::dsl::source
