// Lines in, lines out.
#include "tools/conformance/modes.h"

namespace stepwell::conformance {

bool next_line(std::istream& in, Line& line) {
  line.text.clear();
  line.too_long = false;
  line.head.clear();
  std::streambuf* buffer = in.rdbuf();
  bool any = false;
  for (int c = buffer->sbumpc(); c != std::char_traits<char>::eof(); c = buffer->sbumpc()) {
    any = true;
    if (c == '\n') return true;
    if (line.too_long) continue;
    if (line.text.size() == kMaxLineBytes) {
      line.too_long = true;
      line.head = line.text.substr(0, kHeadBytes);
      line.text.clear();
      continue;
    }
    line.text += static_cast<char>(c);
  }
  return any;
}

Result<Value> parse_case(const Line& line) {
  if (line.too_long) {
    return Error{ErrorCode::kTooLarge,
                 "the line is longer than " + std::to_string(kMaxLineBytes) + " bytes"};
  }
  Value parsed = TRY(parse_json(line.text));
  if (!parsed.is_object()) return Error{ErrorCode::kInvalid, "the line is not a JSON object"};
  return parsed;
}

void write_line(std::ostream& out, const Value& result) { out << result.to_json() << '\n'; }

}  // namespace stepwell::conformance
