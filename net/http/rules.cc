#include "net/http/rules.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/value.h"

namespace stepwell::http {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f'); }
bool is_alnum(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z'); }

// The word that programs switch on; docs/http.md has the list.
const char* code_of(int status) {
  switch (status) {
    case 408: return "timeout";
    case 413:
    case 414:
    case 431: return "too_large";
    case 421: return "denied";
    case 503: return "unavailable";
    default: return "invalid";
  }
}

// ---- behind the parser

// Fields that are not lists: a second one is another meaning for whoever takes the other.
enum Single : std::size_t {
  kHost,
  kLength,
  kCoding,
  kExpect,
  kType,
  kAuthorization,
  kOrigin,
  kKey,
  kAmzDate,
  kAmzTarget,
  kSingles
};
constexpr std::array<std::string_view, kSingles> kSingleNames = {
    "host",          "content-length", "transfer-encoding", "expect",     "content-type",
    "authorization", "origin",         "idempotency-key",   "x-amz-date", "x-amz-target"};

struct Head {
  Request& request;
  int minor_version;
  const HostNames& ours;
  const Limits& limits;
  std::array<std::size_t, kSingles> count{};
  std::array<std::string_view, kSingles> value{};
};

void note_fields(Head& head) {
  for (const auto& [name, value] : head.request.headers) {
    for (std::size_t i = 0; i < kSingles; ++i) {
      if (kSingleNames[i] != name) continue;
      ++head.count[i];
      head.value[i] = value;
      break;
    }
  }
}

// uri-host [":" port], where the host is a name, an IPv4 or an [IPv6] address.
bool is_host(std::string_view host) {
  const bool is_v6 = !host.empty() && host.front() == '[';
  const std::size_t end = is_v6 ? host.find(']') : std::min(host.find(':'), host.size());
  if (end == std::string_view::npos || end == 0) return false;
  const char* const others = is_v6 ? ":." : "-._";
  for (const char c : host.substr(is_v6 ? 1 : 0, end - (is_v6 ? 1 : 0))) {
    if (!is_alnum(c) && (c == '\0' || std::strchr(others, c) == nullptr)) return false;
  }
  const std::string_view port = host.substr(end + (is_v6 ? 1 : 0));
  if (port.empty()) return true;
  return port.front() == ':' && port.size() <= 6 &&
         std::all_of(port.begin() + 1, port.end(), is_digit);
}

// RFC 3986's characters, whole escapes; behind the escapes UTF-8 without NUL.
bool is_target_text(std::string_view target) {
  static const auto kAllowed = [] {
    std::array<bool, 256> allowed{};
    for (int c = 0; c < 128; ++c) allowed[static_cast<std::size_t>(c)] = is_alnum(char(c));
    for (const char c : std::string_view("-._~:/?[]@!$&'()*+,;=%")) {
      allowed[static_cast<unsigned char>(c)] = true;
    }
    return allowed;
  }();
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (!kAllowed[static_cast<unsigned char>(target[i])]) return false;
    if (target[i] != '%') continue;
    if (i + 2 >= target.size() || !is_hex(target[i + 1]) || !is_hex(target[i + 2])) return false;
    if (target[i + 1] == '0' && target[i + 2] == '0') return false;
  }
  return target.find('%') == std::string_view::npos || is_utf8(url_decode(target, false));
}

// 9110 9.1: what is not known is 501.  CONNECT is for proxies (9110 9.3.6).
Refusal method_is_known(Head& head) {
  constexpr std::string_view kMethods[] = {"GET",   "POST", "PUT",    "DELETE",
                                           "PATCH", "HEAD", "OPTIONS"};
  if (std::find(std::begin(kMethods), std::end(kMethods), head.request.method) !=
      std::end(kMethods)) {
    return {};
  }
  return {501, "the method is not one that is known here",
          "Use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS."};
}

// 6585 5.
Refusal fields_are_few(Head& head) {
  if (head.request.headers.size() <= head.limits.max_fields) return {};
  return {431, "there are more than " + std::to_string(head.limits.max_fields) + " header fields",
          ""};
}

// 9110 5.3: only a list may come in several fields.  9112 3.2 says it of Host, 9112 6.3 of
// Content-Length, 9112 6.1 of the coding "chunked".
Refusal singles_are_single(Head& head) {
  for (std::size_t i = 0; i < kSingles; ++i) {
    if (head.count[i] > 1) {
      return {400, "the header field " + std::string(kSingleNames[i]) + " is there twice", ""};
    }
  }
  return {};
}

// 9112 6.1, 6.3: with both, a proxy before us may have read the other one.
Refusal one_length(Head& head) {
  if (head.count[kLength] + head.count[kCoding] <= 1) return {};
  return {400, "Content-Length and Transfer-Encoding do not go together", ""};
}

// 9110 8.6: digits; a list of equal lengths may be refused, and is.
Refusal length_is_a_number(Head& head) {
  const std::string_view length = head.value[kLength];
  if (head.count[kLength] == 0) return {};
  if (!length.empty() && std::all_of(length.begin(), length.end(), is_digit)) return {};
  return {400, "Content-Length is not a number", ""};
}

// 9112 6.1: a coding that is not understood is 501; 6.3 rule 4: "chunked" is the last, and here
// the only one; 7: it takes no parameters; 6.1: HTTP/1.0 has none.
Refusal coding_is_chunked(Head& head) {
  if (head.count[kCoding] == 0) return {};
  if (head.minor_version == 0) return {400, "HTTP/1.0 has no Transfer-Encoding", ""};
  if (is_same_word(head.value[kCoding], "chunked")) return {};
  return {501, "the only Transfer-Encoding that is understood is chunked", ""};
}

// 9112 3.2: HTTP/1.1 has a Host, and it is a host.
Refusal host_is_a_host(Head& head) {
  if (head.count[kHost] == 0 && head.minor_version == 0) return {};
  if (head.count[kHost] == 1 && is_host(head.value[kHost])) return {};
  return {400, "Host is missing, or is not a host", ""};
}

// 9110 10.1.1.
Refusal expects_continue(Head& head) {
  if (head.count[kExpect] == 0 || head.minor_version == 0) return {};
  if (is_same_word(head.value[kExpect], "100-continue")) return {};
  return {417, "the only expectation that can be met is 100-continue", ""};
}

// 3986 2, 9112 3.2.
Refusal target_is_a_target(Head& head) {
  if (is_target_text(head.request.target)) return {};
  return {400, "the request's target has characters or escapes that a URI may not have",
          "Send everything but letters, digits and -._~ as %XX of its UTF-8."};
}

// The authority of an absolute target, and the target after it; false when it is not absolute.
bool split_absolute(std::string_view target, std::string_view& authority, std::string_view& rest) {
  const std::size_t colon = target.find("://");
  if (colon == std::string_view::npos) return false;
  const std::string_view scheme = target.substr(0, colon);
  if (!is_same_word(scheme, "http") && !is_same_word(scheme, "https")) return false;
  target.remove_prefix(colon + 3);
  const std::size_t end = std::min(target.find_first_of("/?"), target.size());
  authority = target.substr(0, end);
  rest = target.substr(end);
  return true;
}

// 9112 3.2: a path; or absolute, which must be taken, and whose authority is then the Host
// (3.2.2); or "*", for OPTIONS (3.2.4).  An authority alone is for CONNECT (3.2.3).
Refusal target_has_a_form(Head& head) {
  Request& request = head.request;
  if (request.target.front() == '/') return {};
  if (request.target == "*" && request.method == "OPTIONS") return {};
  std::string_view authority, rest;
  if (!split_absolute(request.target, authority, rest) || !is_host(authority)) {
    return {400, "the request's target is neither a path nor a whole URL", ""};
  }
  for (auto& [name, value] : request.headers) {
    if (name == "host") value = std::string(authority);
  }
  if (head.count[kHost] == 0) request.headers.emplace_back("host", authority);
  const bool has_path = !rest.empty() && rest.front() == '/';
  request.target = (has_path ? "" : "/") + std::string(rest);
  return {};
}

// 9110 7.4: a page that had its own name point to us asks for that name, and is not served.
Refusal host_is_ours(Head& head) {
  const std::string host = head.request.header("host");
  if (head.ours.is_any || host.empty() || head.ours.has(host)) return {};
  return {421, "this server does not answer to the host " + host,
          "Call it by the name or address that it listens on."};
}

constexpr Refusal (*kRules[])(Head&) = {method_is_known,   fields_are_few,     singles_are_single,
                                        one_length,        length_is_a_number, coding_is_chunked,
                                        host_is_a_host,    expects_continue,   target_is_a_target,
                                        target_has_a_form, host_is_ours};

}  // namespace

Response Refusal::to_response() const {
  Response response = http::refusal(status, code_of(status), message, hint);
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

Refusal framing_is_too_long() {
  return {400, "chunk extensions and trailers are too long", "Leave them out: they are ignored."};
}

// ---- before the parser

HeadScan::Found HeadScan::refuse(int status, const char* message, const char* hint) {
  refusal_ = {status, message, hint};
  return Found::kRefused;
}

// 9112 3: a method longer than any is 501, a target that is too long 414; 6585 5: the rest 431.
HeadScan::Found HeadScan::too_long() {
  if (!is_of_request_) {
    refusal_ = framing_is_too_long();
    return Found::kRefused;
  }
  if (!is_first_line_) return refuse(431, "the header fields are too long");
  if (spaces_ == 0) return refuse(501, "the method is not one that is known here");
  return refuse(414, "the request's target is too long");
}

// Tabs and bytes beyond ASCII are allowed in values (9110 5.5), not in the request line (9112 3).
bool HeadScan::is_allowed(char c) const {
  const auto byte = static_cast<unsigned char>(c);
  if (is_first_line_) return byte >= ' ' && byte < 127;
  return (byte >= ' ' || c == '\t') && byte != 127;
}

// The CR of the line that ends here is at at_ - 1, its LF at at_.
HeadScan::Found HeadScan::end_of_line(std::string_view bytes) {
  const std::string_view line = bytes.substr(line_begin_, at_ - 1 - line_begin_);
  line_begin_ = at_ + 1;
  if (!is_first_line_) return line.empty() ? Found::kWhole : Found::kMore;
  is_first_line_ = false;
  // 9112 3: more or other blanks may be taken, and are not.
  if (spaces_ != 2) return refuse(400, "the request line is not METHOD TARGET HTTP/1.1");
  // 9112 2.3: one digit each; 9110 15.6.6: we speak 1.0 and 1.1.
  const std::string_view version = line.substr(line.rfind(' ') + 1);
  const bool is_version = version.size() == 8 && version.substr(0, 5) == "HTTP/" &&
                          is_digit(version[5]) && version[6] == '.' && is_digit(version[7]);
  if (!is_version) return refuse(400, "the request line is not METHOD TARGET HTTP/1.1");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return refuse(505, "HTTP/1.1 is spoken here", "A proxy may speak HTTP/2 with clients.");
  }
  return Found::kMore;
}

HeadScan::Found HeadScan::scan(std::string_view bytes) {
  for (; at_ < bytes.size(); ++at_) {
    if (at_ >= most_) return too_long();
    const char c = bytes[at_];
    if (has_cr_) {  // 9112 2.2: a CR alone is neither a line end nor text.
      if (c != '\n') return refuse(400, "a CR stands alone");
      has_cr_ = false;
      const Found found = end_of_line(bytes);
      if (found == Found::kWhole) ++at_;
      if (found != Found::kMore) return found;
    } else if (c == '\r') {
      has_cr_ = true;
    } else if (c == '\n') {  // 9112 2.2: may be taken for a line end, and is not.
      return refuse(400, "a line ends in LF alone");
    } else if (!is_first_line_ && at_ == line_begin_ && (c == ' ' || c == '\t')) {
      return refuse(400, "a header field is folded, or begins with a blank");  // 9112 5.2, 2.2
    } else if (!is_allowed(c)) {
      return refuse(400, "there is a character that may not be in a request's head");
    } else if (is_first_line_ && c == ' ') {
      ++spaces_;
    }
  }
  return Found::kMore;
}

bool HostNames::has(std::string_view host) const {
  const bool is_v6 = !host.empty() && host.front() == '[';
  const std::string_view name =
      host.substr(0, is_v6 ? host.find(']') + 1 : std::min(host.find(':'), host.size()));
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& one) { return is_same_word(one, name); });
}

Refusal check_head(Request& request, int minor_version, const HostNames& ours,
                   const Limits& limits) {
  Head head{request, minor_version, ours, limits};
  note_fields(head);
  for (const auto rule : kRules) {
    if (Refusal refusal = rule(head); refusal.status != 0) return refusal;
  }
  return {};
}

bool is_same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace stepwell::http
