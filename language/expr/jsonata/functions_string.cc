// Functions of strings.
#include <cmath>

#include "base/hash.h"
#include "language/expr/base64.h"
#include "language/expr/jsonata/functions.h"
#include "language/expr/jsonata/text.h"

namespace stepwell::expr::jsonata {

namespace {

Item text(Evaluator& evaluator, std::string out) {
  evaluator.room(out.size());
  return Value(std::move(out));
}

Item run_string(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_undefined()) return Item();
  return text(evaluator, evaluator.to_text(args[0], evaluator.truth(arg(args, 1))));
}

// An index as JavaScript's Array.slice takes it: a negative one counts from the end.
std::size_t slice_index(double index, std::size_t size) {
  index = std::trunc(index);
  if (std::isnan(index)) index = 0;
  if (index < 0) index = std::max(0.0, static_cast<double>(size) + index);
  return static_cast<std::size_t>(std::min(index, static_cast<double>(size)));
}

Item run_substring(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_undefined()) return Item();
  const std::string& whole = args[0].string();
  evaluator.work(1 + whole.size() / 64);
  const std::size_t size = count_characters(whole);
  double start = arg(args, 1).is_number() ? args[1].number() : 0;
  if (static_cast<double>(size) + start < 0) start = 0;
  double end = static_cast<double>(size);
  if (arg(args, 2).is_number()) {
    const double length = args[2].number();
    if (length <= 0 || !arg(args, 1).is_number()) return Value("");
    end = start >= 0 ? start + length : static_cast<double>(size) + start + length;
  }
  const std::size_t first = slice_index(start, size), last = slice_index(end, size);
  if (first >= last) return Value("");
  const std::size_t from = offset_of(whole, first);
  return text(evaluator, whole.substr(from, offset_of(whole, last) - from));
}

Item run_substring_before(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_undefined()) return Item();
  if (!arg(args, 1).is_string()) return args[0];
  evaluator.scan(args[0].string().size());
  const std::size_t found = find_text(args[0].string(), args[1].string(), 0);
  return text(evaluator, args[0].string().substr(0, found));
}

Item run_substring_after(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_undefined()) return Item();
  if (!arg(args, 1).is_string()) return args[0];
  evaluator.scan(args[0].string().size());
  const std::size_t found = find_text(args[0].string(), args[1].string(), 0);
  if (found == std::string::npos) return args[0];
  return text(evaluator, args[0].string().substr(found + args[1].string().size()));
}

Item run_lowercase(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_undefined()) return Item();
  evaluator.scan(args[0].string().size());
  return text(evaluator, lower_case(args[0].string()));
}

Item run_uppercase(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_undefined()) return Item();
  evaluator.scan(args[0].string().size());
  return text(evaluator, upper_case(args[0].string()));
}

Item run_length(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_undefined()) return Item();
  evaluator.scan(args[0].string().size());
  return Value(static_cast<std::int64_t>(count_characters(args[0].string())));
}

Item run_trim(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_undefined()) return Item();
  evaluator.scan(args[0].string().size());
  std::string out;
  for (const char c : args[0].string()) {
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return text(evaluator, std::move(out));
}

Item run_pad(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_undefined()) return Item();
  const std::string& whole = args[0].string();
  evaluator.scan(whole.size());
  const double width = arg(args, 1).is_number() ? std::trunc(args[1].number()) : 0;
  const std::string with =
      arg(args, 2).is_string() && !args[2].string().empty() ? args[2].string() : " ";
  const double missing = std::abs(width) - static_cast<double>(count_characters(whole));
  if (!(missing > 0)) return args[0];
  evaluator.room(static_cast<std::size_t>(std::min(missing, 1e15)));
  const std::size_t unit = count_characters(with);
  const auto count = static_cast<std::size_t>(missing);
  std::string padding;
  for (std::size_t i = 0; i < count / unit; ++i) padding += with;
  padding += with.substr(0, offset_of(with, count % unit));
  return text(evaluator, width > 0 ? whole + padding : padding + whole);
}

Item run_join(Evaluator& evaluator, Items& args) {
  if (!arg(args, 0).is_array()) return Item();
  const std::string separator = arg(args, 1).is_string() ? args[1].string() : "";
  std::string out;
  bool is_first = true;
  for (const Value& one : args[0].array()) {
    evaluator.work();
    if (!is_first) out += separator;
    is_first = false;
    out += one.is_string() ? one.as_string() : "";
    evaluator.must_fit(out.size());
  }
  return text(evaluator, std::move(out));
}

// The text as bytes, one for each character, as JavaScript's btoa wants it.
std::string to_latin1(std::string_view utf8) {
  std::string out;
  for (std::size_t at = 0; at < utf8.size();) {
    out += static_cast<char>(next_character(utf8, at) & 0xFF);
  }
  return out;
}

std::string from_latin1(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) append_character(out, static_cast<unsigned char>(c));
  return out;
}

Item run_base64encode(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_undefined()) return Item();
  return text(evaluator, base64_encode(to_latin1(args[0].string())));
}

// As the first edition reads it, and Node's Buffer: characters outside of the alphabet are skipped.
std::string decode_leniently(const std::string& text) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    const std::size_t value = kAlphabet.find(c == '-' ? '+' : c == '_' ? '/' : c);
    if (value == std::string_view::npos) continue;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>((bits >> count) & 0xFF);
  }
  return bytes;
}

Item run_base64decode(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_undefined()) return Item();
  if (evaluator.scope().edition == Edition::kFirst) {
    return text(evaluator, from_latin1(decode_leniently(args[0].string())));
  }
  const auto bytes = decode_base64(args[0].string());
  if (!bytes) raise(kInternalError, "$base64decode: the text is not Base64");
  return text(evaluator, from_latin1(*bytes));
}

// ---- URLs ----

constexpr std::string_view kUnreserved = "-_.!~*'()";
constexpr std::string_view kReserved = ";/?:@&=+$,#";

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

[[noreturn]] void malformed(const char* function, const std::string& url) {
  Error error;
  error.code = "D3140";
  error.type = function;
  error.value = is_utf8(url) ? json_quote(url) : "\"\"";
  raise(std::move(error));
}

std::string encoded(const std::string& url, std::string_view kept, const char* function) {
  if (!is_utf8(url)) malformed(function, url);
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : url) {
    if (is_alphanumeric(c) || kUnreserved.find(c) != std::string_view::npos ||
        kept.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += '%';
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 15];
    }
  }
  return out;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string decoded(const std::string& url, std::string_view kept, const char* function) {
  std::string out;
  for (std::size_t i = 0; i < url.size(); ++i) {
    if (url[i] != '%') {
      out += url[i];
      continue;
    }
    const int high = i + 2 < url.size() ? hex_value(url[i + 1]) : -1;
    const int low = i + 2 < url.size() ? hex_value(url[i + 2]) : -1;
    if (high < 0 || low < 0) malformed(function, url);
    const char c = static_cast<char>(high * 16 + low);
    if (kept.find(c) != std::string_view::npos) {
      out += url.substr(i, 3);
    } else {
      out += c;
    }
    i += 2;
  }
  if (!is_utf8(out)) malformed(function, url);
  return out;
}

Item run_encode_component(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_undefined()) return Item();
  return text(evaluator, encoded(args[0].string(), "", "encodeUrlComponent"));
}
Item run_encode_url(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_undefined()) return Item();
  return text(evaluator, encoded(args[0].string(), kReserved, "encodeUrl"));
}
Item run_decode_component(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_undefined()) return Item();
  // decoded() refuses a string that ends inside of an escape.
  return text(evaluator, decoded(args[0].string(), "", "decodeUrlComponent"));
}
Item run_decode_url(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_undefined()) return Item();
  return text(evaluator, decoded(args[0].string(), kReserved, "decodeUrl"));
}

}  // namespace

void add_string_functions(Builtins& table) {
  table.push_back({"string", "<x-b?:s>", 1, run_string});
  table.push_back({"substring", "<s-nn?:s>", 3, run_substring});
  table.push_back({"substringBefore", "<s-s:s>", 2, run_substring_before});
  table.push_back({"substringAfter", "<s-s:s>", 2, run_substring_after});
  table.push_back({"lowercase", "<s-:s>", 1, run_lowercase});
  table.push_back({"uppercase", "<s-:s>", 1, run_uppercase});
  table.push_back({"length", "<s-:n>", 1, run_length});
  table.push_back({"trim", "<s-:s>", 1, run_trim});
  table.push_back({"pad", "<s-ns?:s>", 3, run_pad});
  table.push_back({"join", "<a<s>s?:s>", 2, run_join});
  table.push_back({"base64encode", "<s-:s>", 1, run_base64encode});
  table.push_back({"base64decode", "<s-:s>", 1, run_base64decode});
  table.push_back({"encodeUrlComponent", "<s-:s>", 1, run_encode_component});
  table.push_back({"encodeUrl", "<s-:s>", 1, run_encode_url});
  table.push_back({"decodeUrlComponent", "<s-:s>", 1, run_decode_component});
  table.push_back({"decodeUrl", "<s-:s>", 1, run_decode_url});
}

}  // namespace stepwell::expr::jsonata
