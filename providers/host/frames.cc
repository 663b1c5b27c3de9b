#include "providers/host/frames.h"

#include <algorithm>

#include "base/hash.h"

namespace stepwell::host {

void append_frame(std::string& out, const Value& frame) {
  const std::size_t start = out.size();
  out.append(4, '\0');
  frame.append_json(out);
  const std::size_t length = out.size() - start - 4;
  CHECK(length <= kMaxFrameBytes, "a frame of " + std::to_string(length) + " bytes");
  for (std::size_t i = 0; i < 4; ++i) out[start + i] = static_cast<char>(length >> (8 * i) & 0xff);
}

Result<std::optional<Value>> FrameReader::next() {
  const std::string_view rest = std::string_view(buffer_).substr(taken_);
  const auto wait = [this] {
    // What was taken is dropped only here, so that a burst of frames is not moved again and again.
    buffer_.erase(0, taken_);
    taken_ = 0;
    return std::optional<Value>();
  };
  if (rest.size() < 4) return wait();
  std::size_t length = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    length |= static_cast<std::size_t>(static_cast<unsigned char>(rest[i])) << (8 * i);
  }
  if (length > kMaxFrameBytes) {
    return Error{ErrorCode::kTooLarge, "a frame claims " + std::to_string(length) + " bytes"};
  }
  if (rest.size() < 4 + length) return wait();
  auto frame = parse_json(rest.substr(4, length));
  taken_ += 4 + length;
  if (!frame.ok()) return frame.error().while_doing("reading a frame");
  if (!frame->is_object()) return Error{ErrorCode::kInvalid, "a frame is not an object"};
  return std::optional<Value>(std::move(frame).value());
}

std::string text_of(const Value& object, std::string_view key, std::string_view otherwise) {
  const Value* member = object.find(key);
  return member != nullptr && member->is_string() ? member->as_string() : std::string(otherwise);
}

std::int64_t int_of(const Value& object, std::string_view key, std::int64_t otherwise) {
  const Value* member = object.find(key);
  return member != nullptr && member->is_int() ? member->as_int() : otherwise;
}

bool flag_of(const Value& object, std::string_view key, bool otherwise) {
  const Value* member = object.find(key);
  return member != nullptr && member->is_bool() ? member->as_bool() : otherwise;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

void set_bytes(Object& object, std::string_view key, std::string_view bytes) {
  if (is_utf8(bytes) && bytes.find('\0') == std::string_view::npos) {
    object.set(key, bytes);
  } else {
    object.set(std::string(key) + "_b64", base64_encode(bytes));
  }
}

std::string as_text(std::string_view bytes, std::size_t most) {
  if (!is_utf8(bytes) || bytes.find('\0') != std::string_view::npos) return "(not text)";
  if (bytes.size() <= most) return std::string(bytes);
  while (most > 0 && (static_cast<unsigned char>(bytes[most]) & 0xc0) == 0x80) --most;
  return std::string(bytes.substr(0, most));
}

std::string bytes_of(const Value& object, std::string_view key) {
  if (const Value* text = object.find(key); text != nullptr && text->is_string()) {
    return text->as_string();
  }
  return base64_decode(text_of(object, std::string(key) + "_b64")).value_or("");
}

}  // namespace stepwell::host
