// The table of functions, and those that the evaluator itself needs: $string, $boolean, $append.
#include "language/expr/jsonata/functions.h"

#include <algorithm>
#include <cmath>

#include "language/expr/jsonata/number_text.h"

namespace stepwell::expr::jsonata {

namespace {

Builtins make_table() {
  Builtins table;
  add_string_functions(table);
  add_pattern_functions(table);
  add_number_functions(table);
  add_array_functions(table);
  add_object_functions(table);
  add_time_functions(table);
  add_aws_functions(table);
  for (Builtin& builtin : table) {
    if (!builtin.signature_text.empty()) {
      builtin.signature = Signature::parse(builtin.signature_text);
    }
  }
  std::sort(table.begin(), table.end(),
            [](const Builtin& a, const Builtin& b) { return a.name < b.name; });
  return table;
}

// Writes JSON as $string does: numbers with 15 digits, functions as "".
class Writer {
 public:
  Writer(Evaluator& evaluator, bool pretty) : evaluator_(evaluator), pretty_(pretty) {}
  std::string out;

  void write(const Value& value) {
    evaluator_.work();
    evaluator_.must_fit(out.size() + (value.is_string() ? value.as_string().size() : 0));
    const Item item = evaluator_.item_of(value);
    if (item.is_function()) {
      out += "\"\"";
    } else if (value.is_double()) {
      evaluator_.is_numeric(item);
      out += number_text(to_15_digits(value.as_double()));
    } else if (value.is_array()) {
      open('[', value.size());
      for (std::size_t i = 0; i < value.size(); ++i) {
        separate(i);
        write(value.as_array()[i]);
      }
      close(']', value.size());
    } else if (value.is_object()) {
      open('{', value.size());
      std::size_t i = 0;
      for (const auto& [key, member] : value.as_object()) {
        separate(i++);
        out += json_quote(key);
        out += pretty_ ? ": " : ":";
        write(member);
      }
      close('}', value.size());
    } else {
      value.append_json(out);
    }
  }

 private:
  void open(char bracket, std::size_t size) {
    out += bracket;
    if (size > 0) ++depth_;
  }
  void separate(std::size_t index) {
    if (index > 0) out += ',';
    line();
  }
  void close(char bracket, std::size_t size) {
    if (size > 0) {
      --depth_;
      line();
    }
    out += bracket;
  }
  void line() {
    if (pretty_) out += "\n" + std::string(2 * depth_, ' ');
  }

  Evaluator& evaluator_;
  bool pretty_;
  std::size_t depth_ = 0;
};

}  // namespace

const Builtin* builtin_named(std::string_view name) {
  static const Builtins kTable = make_table();
  const auto found = std::lower_bound(
      kTable.begin(), kTable.end(), name,
      [](const Builtin& one, std::string_view wanted) { return one.name < wanted; });
  return found != kTable.end() && found->name == name ? &*found : nullptr;
}

std::string Evaluator::to_text(const Item& item, bool pretty) {
  if (item.is_string()) return item.string();
  if (!item.is_value()) return "";
  if (item.is_number() && !std::isfinite(item.number())) {
    Error error;
    error.code = "D3001";
    raise(std::move(error));
  }
  Writer writer(*this, pretty);
  const Value value = item.has(Item::kOuterWrapper) ? item.array()[0] : item.value();
  writer.write(value);
  return std::move(writer.out);
}

std::string Evaluator::show(const Item& item) {
  constexpr std::size_t kLongest = 1000;
  if (item.is_undefined()) return "";
  if (item.is_function()) return "\"\"";
  std::string text = item.value().json_beginning(kLongest);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  return text;
}

bool Evaluator::truth(const Item& item) {
  if (!item.is_value()) return false;
  const Value& value = item.value();
  switch (value.kind()) {
    case Value::Kind::kNull: return false;
    case Value::Kind::kBool: return value.as_bool();
    case Value::Kind::kInt: return value.as_int() != 0;
    case Value::Kind::kDouble: return is_numeric(item) && value.as_double() != 0;
    case Value::Kind::kString: return !value.as_string().empty();
    case Value::Kind::kObject: return value.size() > 0;
    case Value::Kind::kArray: break;
  }
  work(value.size());
  for (const Value& one : value.as_array()) {
    if (truth(item_of(one))) return true;
  }
  return false;
}

Item Evaluator::append(Item left, const Item& right) {
  if (left.is_undefined()) return right;
  if (right.is_undefined()) return left;
  Value::Array items;
  if (left.is_array()) {
    items = std::move(left).take_value().take_array();
  } else {
    items.push_back(value_of(left));
  }
  if (right.is_array()) {
    items.insert(items.end(), right.array().begin(), right.array().end());
  } else {
    items.push_back(value_of(right));
  }
  work(items.size() / 8 + 1);
  room(items.size() * sizeof(Value));
  return Value(std::move(items));
}

}  // namespace stepwell::expr::jsonata
