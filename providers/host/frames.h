// Frames — what the broker (in the lane) and a plugin process say to each other.
//
// A frame is four bytes of length, least significant first, and that many bytes of JSON: an object
// with "f", the kind of frame.  A reader ignores members it does not know, and frames of a kind it
// does not know, so that either side may grow first; the broker trusts no frame of a plugin.
//
//   broker -> plugin
//     load     {provider, version, library, files: {path: text}, maps: {name: text}, limits}
//              Once per version, before its first call.  Text only: the plugin process compiles it.
//     call     {call, version, function, ctx, args, seed}
//     answer   {call, n, value} | {call, n, error}      to request n of that call
//     cancel   {call}
//   plugin -> broker
//     request  {call, n, kind, body}    The call is suspended until the answer; n counts from 1.
//              kinds of a provider: http
//              kinds of a library: call, ledger_read, ledger_write, ledger_chunk, ledger_chunks,
//              notify, provider, connection, clock
//     log      {call, level, text, fields}
//     result   {call, value}
//     error    {call, error}
//     overrun  {call, reason}           The last words of a process: this call brought it down.
//   error: {class, message, retry_after?, status?, reason?, bucket?, remote_id?}
//   bytes that are not UTF-8 travel base64-encoded under a name ending in _b64.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/value.h"

namespace stepwell::host {

// A page of 16 MiB, escaped, still fits.
inline constexpr std::size_t kMaxFrameBytes = 48u << 20;
// What an error says is stored in the journal: each of its texts is cut to so many.
inline constexpr std::size_t kMaxErrorBytes = 4000;

// Appends the frame to `out`.
void append_frame(std::string& out, const Value& frame);

// Cuts a stream of bytes into frames.  Not thread-safe; one per direction.
class FrameReader {
 public:
  void feed(std::string_view bytes) { buffer_.append(bytes); }
  // The next whole frame, nothing when there is none yet, kInvalid when the other side is broken.
  Result<std::optional<Value>> next();

 private:
  std::string buffer_;
  std::size_t taken_ = 0;
};

// Members of a frame, with a default for what is absent or of another kind.
std::string text_of(const Value& object, std::string_view key, std::string_view otherwise = {});
std::int64_t int_of(const Value& object, std::string_view key, std::int64_t otherwise = 0);
bool flag_of(const Value& object, std::string_view key, bool otherwise = false);

// What must be in no header.
bool has_control(std::string_view text);

// Sets `key` to the text, or `key`_b64 when JSON cannot hold it as text.
void set_bytes(Object& object, std::string_view key, std::string_view bytes);
// At most `most` bytes of `bytes`, cut between characters; "(not text)" when JSON cannot hold them.
std::string as_text(std::string_view bytes, std::size_t most);
// The reverse of set_bytes; empty when neither is there.
std::string bytes_of(const Value& object, std::string_view key);

}  // namespace stepwell::host
