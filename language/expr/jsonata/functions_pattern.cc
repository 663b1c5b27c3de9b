// $match, $contains, $replace, $split.  The pattern is a string, a regular expression, or a
// function that returns matches as a regular expression does.
#include <cmath>
#include <limits>

#include "language/expr/jsonata/functions.h"
#include "language/expr/jsonata/text.h"

namespace stepwell::expr::jsonata {

namespace {

// One match, read from the object that a matching function returned.
struct Found {
  std::string match;
  std::size_t start = 0, end = 0;  // In UTF-16 units, as matchers count.
  Value groups;
  Item next;
};

// Nothing when there is no match, or no further one.
std::optional<Found> read_match(Evaluator& evaluator, const Item& object) {
  evaluator.work();
  if (object.is_undefined()) return std::nullopt;
  const Item start = evaluator.lookup(object, "start"), end = evaluator.lookup(object, "end");
  Found found;
  found.next = evaluator.lookup(object, "next");
  const Item groups = evaluator.lookup(object, "groups");
  if (!object.is_object() || !start.is_number() || !end.is_number() || !groups.is_array() ||
      !found.next.is_function()) {
    Error error;
    error.code = "T1010";
    raise(std::move(error));
  }
  const Item match = evaluator.lookup(object, "match");
  found.match = match.is_string() ? match.string() : "";
  found.start = static_cast<std::size_t>(std::max(0.0, start.number()));
  found.end = static_cast<std::size_t>(std::max(0.0, end.number()));
  found.groups = groups.value();
  return found;
}

std::optional<Found> first_match(Evaluator& evaluator, const Item& matcher, const Item& subject) {
  return read_match(evaluator, evaluator.apply(matcher, {subject}, Value()));
}
std::optional<Found> next_match(Evaluator& evaluator, const Found& found) {
  return read_match(evaluator, evaluator.apply(found.next, {}, Value()));
}

// Converts places in UTF-16 units to bytes; each call must ask for a later place.
class Places {
 public:
  explicit Places(std::string_view text) : text_(text) {}
  std::size_t byte_of(std::size_t unit) {
    if (unit < units_) {
      units_ = 0;
      byte_ = 0;
    }
    while (units_ < unit && byte_ < text_.size()) {
      units_ += next_character(text_, byte_) > 0xFFFF ? 2 : 1;
    }
    return byte_;
  }

 private:
  std::string_view text_;
  std::size_t units_ = 0, byte_ = 0;
};

// How many matches the caller wants.  Throws `code` for a negative number.
double limit_of(const Item& item, const char* code) {
  if (!item.is_number()) return std::numeric_limits<double>::infinity();
  if (item.number() < 0) {
    Error error;
    error.code = code;
    error.value = item.value().to_json();
    raise(std::move(error));
  }
  return item.number();
}

Item run_match(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_undefined()) return Item();
  const double limit = limit_of(arg(args, 2), "D3040");
  Value::Array out;
  if (limit > 0) {
    auto found = first_match(evaluator, args[1], args[0]);
    while (found && static_cast<double>(out.size()) < limit) {
      out.push_back(Object{{"match", found->match},
                           {"index", static_cast<std::int64_t>(found->start)},
                           {"groups", found->groups}});
      evaluator.room(found->match.size() + 200);
      found = next_match(evaluator, *found);
    }
  }
  return Item::sequence(std::move(out));
}

Item run_contains(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_undefined() || arg(args, 1).is_undefined()) return Item();
  if (args[1].is_string()) {
    evaluator.scan(args[0].string().size());
    return Value(find_text(args[0].string(), args[1].string(), 0) != std::string::npos);
  }
  return Value(first_match(evaluator, args[1], args[0]).has_value());
}

int digits_at(std::string_view text, std::size_t at, std::size_t most, std::size_t& used) {
  int number = -1;
  for (used = 0; used < most && at + used < text.size(); ++used) {
    const char c = text[at + used];
    if (c < '0' || c > '9') break;
    number = (number < 0 ? 0 : number * 10) + (c - '0');
  }
  return number;
}

// The replacement `with` its $1 and $$ filled in from the match.
std::string substituted(const Evaluator& evaluator, std::string_view with, const Found& found) {
  const auto& groups = found.groups.as_array();
  std::size_t most = 1;
  for (std::size_t n = groups.size(); n >= 10; n /= 10) ++most;
  std::string out;
  std::size_t at = 0;
  while (at < with.size()) {
    const std::size_t dollar = with.find('$', at);
    out += with.substr(at, dollar - at);
    if (dollar == std::string_view::npos) break;
    at = dollar + 1;
    if (at < with.size() && with[at] == '$') {
      out += '$';
      ++at;
    } else if (at < with.size() && with[at] == '0') {
      out += found.match;
      ++at;
    } else {
      std::size_t used = 0;
      int index = digits_at(with, at, most, used);
      if (most > 1 && index > static_cast<int>(groups.size())) {
        index = digits_at(with, at, most - 1, used);
      }
      if (index < 0) {
        out += '$';
        continue;
      }
      if (index >= 1 && index <= static_cast<int>(groups.size())) {
        const Value& group = groups[static_cast<std::size_t>(index - 1)];
        if (group.is_string()) out += group.as_string();
      }
      at += std::to_string(index).size();
    }
    evaluator.must_fit(out.size());
  }
  return out;
}

std::string replacement_for(Evaluator& evaluator, const Item& with, const Item& match_object,
                            const Found& found) {
  if (with.is_string()) return substituted(evaluator, with.string(), found);
  const Item got = evaluator.apply(with, {match_object}, Value());
  if (!got.is_string()) {
    Error error;
    error.code = "D3012";
    error.value = evaluator.show(got);
    raise(std::move(error));
  }
  return got.string();
}

std::string replaced_text(Evaluator& evaluator, const std::string& subject,
                          const std::string& pattern, const Item& with, double limit) {
  std::string out;
  std::size_t position = 0;
  double count = 0;
  evaluator.scan(subject.size());
  for (std::size_t at = find_text(subject, pattern, 0); at != std::string::npos && count < limit;
       at = find_text(subject, pattern, position)) {
    evaluator.work();
    out.append(subject, position, at - position);
    out += with.is_string() ? with.string() : "";
    position = at + pattern.size();
    ++count;
    evaluator.room(with.is_string() ? with.string().size() : 0);
  }
  return out.append(subject, position);
}

Item run_replace(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_undefined()) return Item();
  const std::string& subject = args[0].string();
  const Item &pattern = arg(args, 1), &with = arg(args, 2);
  if (pattern.is_string() && pattern.string().empty()) {
    Error error;
    error.code = "D3010";
    raise(std::move(error));
  }
  const double limit = limit_of(arg(args, 3), "D3011");
  if (!(limit > 0) || pattern.is_undefined()) return args[0];
  std::string out;
  if (pattern.is_string()) {
    out = replaced_text(evaluator, subject, pattern.string(), with, limit);
    evaluator.room(out.size());
    return Value(std::move(out));
  }
  Places places(subject);
  std::size_t position = 0;
  Item object = evaluator.apply(pattern, {args[0]}, Value());
  for (double count = 0; count < limit; ++count) {
    const auto found = read_match(evaluator, object);
    if (!found) break;
    const std::size_t start = places.byte_of(found->start);
    if (start > position) out.append(subject, position, start - position);
    const std::string by = replacement_for(evaluator, with, object, *found);
    evaluator.room(by.size());
    out += by;
    position = std::min(start + found->match.size(), subject.size());
    object = evaluator.apply(found->next, {}, Value());
  }
  out.append(subject, position);
  evaluator.room(out.size());
  return Value(std::move(out));
}

Item split_at_text(Evaluator& evaluator, const std::string& subject, const std::string& separator,
                   double limit) {
  Value::Array out;
  std::size_t position = 0;
  const auto push = [&](std::string_view piece) {
    if (static_cast<double>(out.size()) >= limit) return false;
    evaluator.work();
    evaluator.room(piece.size() + sizeof(Value));
    out.push_back(Value(piece));
    return true;
  };
  if (separator.empty()) {
    while (position < subject.size()) {
      const std::size_t from = position;
      next_character(subject, position);
      if (!push(std::string_view(subject).substr(from, position - from))) break;
    }
    return Value(std::move(out));
  }
  evaluator.scan(subject.size());
  while (true) {
    const std::size_t at = find_text(subject, separator, position);
    if (!push(std::string_view(subject).substr(position, at - position))) break;
    if (at == std::string::npos) break;
    position = at + separator.size();
  }
  return Value(std::move(out));
}

Item run_split(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_undefined()) return Item();
  const std::string& subject = args[0].string();
  const double limit = std::floor(limit_of(arg(args, 2), "D3020"));
  if (!(limit > 0)) return Value(Value::Array{});
  const Item& separator = arg(args, 1);
  if (separator.is_undefined()) return Value(Value::Array{args[0].value()});
  if (separator.is_string()) {
    return split_at_text(evaluator, subject, separator.string(), limit);
  }
  Value::Array out;
  Places places(subject);
  std::size_t position = 0;
  auto found = first_match(evaluator, separator, args[0]);
  while (found && static_cast<double>(out.size()) < limit) {
    const std::size_t start = places.byte_of(found->start);
    out.push_back(Value(subject.substr(position, std::max(start, position) - position)));
    position = places.byte_of(found->end);
    evaluator.room(sizeof(Value) + 32);
    found = next_match(evaluator, *found);
  }
  if (static_cast<double>(out.size()) < limit) out.push_back(Value(subject.substr(position)));
  evaluator.room(subject.size());
  return Value(std::move(out));
}

}  // namespace

void add_pattern_functions(Builtins& table) {
  table.push_back({"match", "<s-f<s:o>n?:a<o>>", 3, run_match});
  table.push_back({"contains", "<s-(sf):b>", 2, run_contains});
  table.push_back({"replace", "<s-(sf)(sf)n?:s>", 4, run_replace});
  table.push_back({"split", "<s-(sf)n?:a<s>>", 3, run_split});
}

}  // namespace stepwell::expr::jsonata
