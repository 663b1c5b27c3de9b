// Prints a Tree.
#include <algorithm>

#include "authoring/source/scalars.h"
#include "authoring/source/tree.h"
#include "dsl/dsl.h"

namespace stepwell::dsl::source {

namespace {

constexpr std::size_t kMostColumns = 100;

using Form = Tree::Form;

bool has_remarks(const Tree& tree) {
  if (!tree.after.empty()) return true;
  return std::any_of(tree.entries.begin(), tree.entries.end(), [](const Entry& entry) {
    const bool is_remarked = std::any_of(entry.before.begin(), entry.before.end(),
                                         [](const Remark& remark) { return !remark.text.empty(); });
    return is_remarked || !entry.remark.empty() || !entry.remark_after_key.empty() ||
           has_remarks(entry.value);
  });
}

class TreePrinter {
 public:
  std::string print(const Text& text) {
    const Tree& root = text.root;
    is_json_ = root.is_flow;
    print_remarks(text.head, 0, true);
    if (text.has_marker) out_ += "---\n";
    if (root.is_flow) {
      print_flow(root, 0);
      out_ += "\n";
    } else if (root.form == Form::kMapping || root.form == Form::kSequence) {
      if (!root.props.empty()) out_ += root.props + "\n";
      print_entries(root, 0, false);
    } else if (root.form != Form::kEmpty || !root.props.empty()) {
      print_value(root, 0, "", "", true);
    }
    print_remarks(text.tail, 0, false);
    return std::move(out_);
  }

 private:
  std::string scalar(const std::string& text) const { return is_json_ ? text : tidy_quotes(text); }
  void start_line(std::size_t indent) { out_.append(indent, ' '); }
  static std::string behind(const std::string& remark) {
    return remark.empty() ? "" : "  " + remark;
  }

  // Blank lines: at most one, none where a block begins or ends.
  void print_remarks(const std::vector<Remark>& remarks, std::size_t indent, bool is_first) {
    bool has_any = !is_first;
    for (std::size_t i = 0; i < remarks.size(); ++i) {
      if (!remarks[i].text.empty()) {
        start_line(indent);
        out_ += remarks[i].text + "\n";
        has_any = true;
      } else if (has_any) {
        out_ += "\n";
      }
    }
  }

  // `is_begun`: the first entry continues the line that was begun ("- a: 1").
  void print_entries(const Tree& tree, std::size_t indent, bool is_begun) {
    for (std::size_t i = 0; i < tree.entries.size(); ++i) {
      if (!is_begun || i > 0) {
        print_remarks(tree.entries[i].before, indent, i == 0);
        start_line(indent);
      }
      print_entry(tree.entries[i], indent, tree.form == Form::kMapping);
    }
    print_remarks(tree.after, indent, false);
  }

  void print_entry(const Entry& entry, std::size_t indent, bool is_member) {
    if (is_member) {
      if (!entry.key_props.empty()) out_ += entry.key_props + " ";
      out_ += scalar(entry.key) + ":";
    } else {
      out_ += "-";
    }
    print_value(entry.value, indent, entry.remark_after_key, entry.remark, false, !is_member);
  }

  // Prints a value after "key:", after "-" or at the root, to the end of its last line.
  void print_value(const Tree& tree, std::size_t indent, const std::string& remark_after_key,
                   const std::string& remark, bool is_root, bool is_item = false) {
    if (!tree.props.empty()) out_ += (is_root ? "" : " ") + tree.props;
    const std::string gap = is_root && tree.props.empty() ? "" : " ";
    switch (tree.form) {
      case Form::kEmpty: out_ += behind(remark) + "\n"; return;
      case Form::kScalar:
        out_ += (remark_after_key.empty() ? "" : behind(remark_after_key) + "\n");
        if (!remark_after_key.empty()) start_line(indent + 1);
        out_ += gap + scalar(tree.text) + behind(remark) + "\n";
        return;
      case Form::kLines:
      case Form::kBlock: print_lines(tree, indent, remark_after_key, remark, gap); return;
      case Form::kMapping:
      case Form::kSequence: break;
    }
    if (tree.is_flow && (tree.entries.empty() ? tree.after.empty() : fits(tree))) {
      out_ += gap + in_one_line_without_props(tree) + behind(remark) + "\n";
      return;
    }
    if (tree.entries.empty()) return print_empty_flow(tree, indent, remark, gap);
    const bool is_compact = is_item && tree.props.empty() && remark_after_key.empty() &&
                            (!tree.is_flow || remark.empty()) && !begins_with_remark(tree);
    if (is_compact) {
      out_ += " ";
      return print_entries(tree, indent + 2, true);
    }
    out_ += behind(remark_after_key) + behind(tree.is_flow ? remark : "") + "\n";
    print_entries(tree, indent + 2, false);
  }

  static bool begins_with_remark(const Tree& tree) {
    const auto& before = tree.entries.front().before;
    return std::any_of(before.begin(), before.end(),
                       [](const Remark& remark) { return !remark.text.empty(); });
  }

  std::string in_one_line_without_props(const Tree& tree) const {
    const std::string text = in_one_line(tree);
    return tree.props.empty() ? text : text.substr(tree.props.size() + 1);
  }

  // Can it be printed in the rest of this line?
  bool fits(const Tree& tree) const {
    if (tree.is_stretched || has_remarks(tree)) return false;
    const std::size_t newline = out_.rfind('\n');
    const std::size_t used = newline == std::string::npos ? out_.size() : out_.size() - newline - 1;
    return used + 1 + count_characters(in_one_line_without_props(tree)) <= kMostColumns;
  }
  // Prints { } or [ ] with nothing but comments in it.
  void print_empty_flow(const Tree& tree, std::size_t indent, const std::string& remark,
                        const std::string& gap) {
    out_ += gap + (tree.form == Form::kMapping ? "{" : "[") + "\n";
    print_remarks(tree.after, indent + 2, true);
    start_line(indent + 2);
    out_ += (tree.form == Form::kMapping ? "}" : "]") + behind(remark) + "\n";
  }

  void print_lines(const Tree& tree, std::size_t indent, const std::string& remark_after_key,
                   const std::string& remark, const std::string& gap) {
    const bool is_block = tree.form == Form::kBlock;
    if (!remark_after_key.empty()) {
      out_ += behind(remark_after_key) + "\n";
      start_line(indent + 1);
    }
    out_ += gap + (is_block ? tree.text + "\n" : tree.lines[0] + "\n");
    for (std::size_t i = is_block ? 0 : 1; i < tree.lines.size(); ++i) {
      if (!tree.lines[i].empty()) start_line(indent + 2);
      const bool is_last = !is_block && i + 1 == tree.lines.size();
      out_ += tree.lines[i] + (is_last ? behind(remark) : "") + "\n";
    }
  }

  // Prints a value in brackets over several lines, as in JSON.
  void print_flow(const Tree& tree, std::size_t indent) {
    const bool is_mapping = tree.form == Form::kMapping;
    const bool is_scalar = !is_mapping && tree.form != Form::kSequence;
    const bool is_empty = tree.entries.empty() && tree.after.empty();
    if (is_scalar || is_empty || !tree.has_braces || fits(tree)) {
      out_ += in_one_line(tree);
      return;
    }
    out_ += tree.props.empty() ? "" : tree.props + " ";
    out_ += is_mapping ? "{\n" : "[\n";
    for (const Entry& entry : tree.entries) {
      print_remarks(entry.before, indent + 2, &entry == &tree.entries.front());
      start_line(indent + 2);
      if (is_mapping) {
        out_ += (entry.key_props.empty() ? "" : entry.key_props + " ") + entry.key + ": ";
      }
      print_flow(entry.value, indent + 2);
      const bool is_last = &entry == &tree.entries.back();
      out_ += (is_last ? "" : ",") + behind(entry.remark) + "\n";
    }
    print_remarks(tree.after, indent + 2, tree.entries.empty());
    start_line(indent);
    out_ += is_mapping ? "}" : "]";
  }

  // "{a: 1, b: [2, 3]}"
  std::string in_one_line(const Tree& tree) const {
    const std::string props = tree.props.empty() ? "" : tree.props + " ";
    if (tree.form == Form::kEmpty) return tree.props;
    if (tree.form == Form::kScalar) return props + scalar(tree.text);
    const bool is_mapping = tree.form == Form::kMapping;
    std::string text = props + (!tree.has_braces ? "" : is_mapping ? "{" : "[");
    for (const Entry& entry : tree.entries) {
      if (&entry != &tree.entries.front()) text += ", ";
      const std::string value = in_one_line(entry.value);
      if (is_mapping) {
        if (!entry.key_props.empty()) text += entry.key_props + " ";
        text += scalar(entry.key) + (value.empty() ? ":" : ": ");
      }
      text += value;
    }
    return text + (!tree.has_braces ? "" : is_mapping ? "}" : "]");
  }

  std::string out_;
  bool is_json_ = false;  // The root is in brackets: every text stays as it is.
};

}  // namespace

std::string print_tree(const Text& text) { return TreePrinter().print(text); }

namespace {

void count_remarks(const std::vector<Remark>& remarks, std::vector<std::string>& all) {
  for (const Remark& remark : remarks) {
    if (!remark.text.empty()) all.push_back(remark.text);
  }
}

void collect_remarks(const Tree& tree, std::vector<std::string>& all) {
  for (const Entry& entry : tree.entries) {
    count_remarks(entry.before, all);
    if (!entry.remark_after_key.empty()) all.push_back(entry.remark_after_key);
    collect_remarks(entry.value, all);
    if (!entry.remark.empty()) all.push_back(entry.remark);
  }
  count_remarks(tree.after, all);
}

// All comments, in no particular order.
std::vector<std::string> remarks_of(const Text& text) {
  std::vector<std::string> all;
  count_remarks(text.head, all);
  collect_remarks(text.root, all);
  count_remarks(text.tail, all);
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

Result<std::string> format_text(std::string_view text, const std::string& file) {
  const Parsed before = parse_document(text, file);
  if (!before.diagnostics.empty()) {
    return Error{ErrorCode::kInvalid, before.diagnostics.front().message};
  }
  const Text tree = TRY(read_tree(text));
  std::string printed = print_tree(tree);
  const Parsed after = parse_document(printed, file);
  const auto again = read_tree(printed);
  const bool is_same = after.diagnostics.empty() &&
                       after.value.to_json() == before.value.to_json() && again.ok() &&
                       remarks_of(*again) == remarks_of(tree);
  if (is_same) return printed;
  return Error{ErrorCode::kInternal,
               "it holds YAML that cannot be kept as it is: the tidy text would not mean the same"};
}

}  // namespace stepwell::dsl::source
