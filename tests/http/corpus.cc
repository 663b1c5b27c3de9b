#include "tests/http/corpus.h"

#include <fstream>

#include "base/check.h"
#include "base/value.h"

namespace stepwell::http {
namespace {

// "é" is the byte E9, and "Ā" stands for the byte 0, which our JSON does not take: the file is
// text, the requests need not be.
std::string as_bytes(const std::string& utf8) {
  std::string bytes;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto c = static_cast<unsigned char>(utf8[i]);
    if (c < 0x80) {
      bytes.push_back(utf8[i]);
    } else {
      CHECK(i + 1 < utf8.size() && c < 0xC5, "a character beyond a byte");
      const auto low = static_cast<unsigned char>(utf8[++i]);
      bytes.push_back(static_cast<char>((c & 3) << 6 | (low & 0x3F)));
    }
  }
  return bytes;
}

std::string text_of(const Value& part) {
  if (part.is_string()) return as_bytes(part.as_string());
  const std::string once = as_bytes(part.find("text")->as_string());
  std::string all;
  for (std::int64_t i = 0; i < part.find("times")->as_int(); ++i) all += once;
  return all;
}

std::string joined(const Value& parts) {
  std::string all;
  for (const Value& part : parts.as_array()) all += text_of(part);
  return all;
}

BrokenRequest read_line(const std::string& line) {
  const auto value = parse_json(line);
  CHECK(value.ok(), "requests.jsonl: " + line.substr(0, 80));
  BrokenRequest one;
  const auto is_true = [&](const char* name) {
    const Value* found = value->find(name);
    return found != nullptr && found->as_bool();
  };
  one.name = value->find("name")->as_string();
  one.rule = value->find("rule")->as_string();
  one.bytes = joined(*value->find("send"));
  if (const Value* then = value->find("then")) one.then = as_bytes(then->as_string());
  if (const Value* status = value->find("refuses")) {
    one.refuses = static_cast<int>(status->as_int());
  }
  for (const Value& request : value->find("accepts")->as_array()) {
    if (request.is_object()) {  // The same so many times.
      const auto times = static_cast<std::size_t>(request.find("times")->as_int());
      one.accepts.insert(one.accepts.end(), times, request.find("text")->as_string());
    } else {
      one.accepts.push_back(request.is_array() ? joined(request) : text_of(request));
    }
  }
  one.ends = is_true("ends");
  one.closes = is_true("closes");
  one.continues = is_true("continues");
  return one;
}

}  // namespace

std::vector<BrokenRequest> read_corpus() {
  std::ifstream file("tests/http/requests.jsonl");
  CHECK(file.is_open(), "tests run from the root of the tree");
  std::vector<BrokenRequest> all;
  for (std::string line; std::getline(file, line);) all.push_back(read_line(line));
  return all;
}

}  // namespace stepwell::http
