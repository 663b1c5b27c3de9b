#include "net/http/answer.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "base/check.h"
#include "net/http/rules.h"

namespace stepwell::http {
namespace {

constexpr std::size_t kWorthPacking = 1024;    // Less fits in a packet or two as it is.
constexpr std::size_t kMostPacked = 1u << 20;  // More would hold up the loop beyond 10 ms.

const char* reason_of(int status) {
  switch (status) {
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 302: return "Found";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Status";  // 9112 4: clients look at the number only.
  }
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Calls `take` with each element of a list until it says true.
template <class Take>
bool any_element(std::string_view list, Take take) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    if (take(trim(list.substr(0, end)))) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

const std::string* find(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (is_same_word(key, name)) return &value;
  }
  return nullptr;
}

bool is_sendable(const Headers& headers) {
  constexpr std::string_view kOurs[] = {"content-length", "transfer-encoding", "connection",
                                        "date"};
  for (const auto& [name, value] : headers) {
    for (const std::string_view ours : kOurs) {
      if (is_same_word(name, ours)) return false;
    }
    const auto is_control = [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 127; };
    if (name.empty() || std::any_of(value.begin(), value.end(), is_control)) return false;
    if (!std::all_of(name.begin(), name.end(), [](char c) {
          return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                 c == '-' || c == '_';
        })) {
      return false;
    }
  }
  return true;
}

bool is_text(std::string_view type) {
  type = trim(type.substr(0, type.find(';')));
  return type.substr(0, 5) == "text/" || type == "application/json" ||
         type == "application/javascript" || type == "image/svg+xml" ||
         (type.size() > 5 && type.substr(type.size() - 5) == "+json");
}

void make_not_modified(Response& response) {
  constexpr std::string_view kKept[] = {"etag", "cache-control", "vary", "expires",
                                        "content-location"};  // 9110 15.4.5
  std::erase_if(response.headers, [&](const auto& header) {
    return std::none_of(std::begin(kKept), std::end(kKept),
                        [&](std::string_view kept) { return is_same_word(header.first, kept); });
  });
  response.status = 304;
  response.body.clear();
}

bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

void append_number(std::string& out, std::uint64_t number, int base) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr;
  out.append(digits.data(), end);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

Asked asked_by(const Request& request, int minor_version, bool keeps_alive) {
  Asked asked;
  asked.is_get = request.method == "GET";
  asked.is_head = request.is_head;
  asked.minor_version = minor_version;
  asked.keeps_alive = keeps_alive;
  for (const auto& [name, value] : request.headers) {
    if (name == "accept-encoding") asked.takes_gzip = asked.takes_gzip || accepts_gzip(value);
    if (name == "if-none-match")
      asked.if_none_match += (asked.if_none_match.empty() ? "" : ",") + value;
  }
  return asked;
}

bool accepts_gzip(std::string_view accept_encoding) {
  bool by_name = false, is_named = false, by_star = false;
  any_element(accept_encoding, [&](std::string_view element) {
    const std::size_t end = std::min(element.find(';'), element.size());
    const std::string_view coding = trim(element.substr(0, end));
    std::string_view weight = trim(element.substr(std::min(end + 1, element.size())));
    if (weight.substr(0, 2) == "q=" || weight.substr(0, 2) == "Q=") weight.remove_prefix(2);
    // "0", "0.", "0.000" refuse it; no weight is 1.
    const bool is_wanted = weight.empty() || weight.find_first_not_of("0.") != weight.npos;
    if (is_same_word(coding, "gzip")) by_name = is_wanted, is_named = true;
    if (coding == "*") by_star = is_wanted;
    return false;
  });
  return is_named ? by_name : by_star;
}

bool has_etag(std::string_view if_none_match, std::string_view etag) {
  const auto opaque = [](std::string_view tag) {
    return tag.substr(0, 2) == "W/" ? tag.substr(2) : tag;
  };
  if (trim(if_none_match) == "*") return true;
  return any_element(if_none_match,
                     [&](std::string_view tag) { return opaque(tag) == opaque(etag); });
}

struct Gzip::Zlib {
  z_stream stream{};
};

Gzip::Gzip() : zlib_(std::make_unique<Zlib>()) {}
Gzip::~Gzip() {
  if (zlib_->stream.state != nullptr) deflateEnd(&zlib_->stream);
}

std::string Gzip::pack(std::string_view text) {
  z_stream& stream = zlib_->stream;
  constexpr int kWindow = 15 + 16;  // The greatest window, and a gzip header.
  if (stream.state == nullptr) {    // Level 1: three times as quick as 6, for a tenth more bytes.
    CHECK(deflateInit2(&stream, 1, Z_DEFLATED, kWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK,
          "zlib has no memory");
  } else {
    deflateReset(&stream);
  }
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END, "deflateBound() is a bound");
  packed.resize(packed.size() - stream.avail_out);
  return packed;
}

void finish_response(Response& response, const Asked& asked, Gzip& gzip) {
  if (!is_sendable(response.headers)) {
    response = refusal(500, "internal", "the answer has a header that cannot be sent", "");
  }
  const std::string* etag = find(response.headers, "etag");
  if (etag != nullptr && asked.is_get && response.status == 200 && !asked.if_none_match.empty() &&
      has_etag(asked.if_none_match, *etag)) {
    return make_not_modified(response);
  }
  const std::string* type = find(response.headers, "content-type");
  const bool is_packable = response.body.size() >= kWorthPacking &&
                           response.body.size() <= kMostPacked && type != nullptr &&
                           is_text(*type) && find(response.headers, "content-encoding") == nullptr;
  if (!is_packable) return;
  const std::pair<std::string, std::string> vary{"Vary", "Accept-Encoding"};
  const auto& headers = response.headers;
  if (std::find(headers.begin(), headers.end(), vary) == headers.end()) {
    response.headers.push_back(vary);
  }
  if (!asked.takes_gzip) return;
  response.body = gzip.pack(response.body);
  response.headers.emplace_back("Content-Encoding", "gzip");
  for (auto& [name, value] :
       response.headers) {  // 9110 8.8.3: other bytes, so only weakly the same.
    if (is_same_word(name, "etag") && value.substr(0, 2) != "W/") value.insert(0, "W/");
  }
}

bool sends_body(const Response& response, const Asked& asked) {
  return !asked.is_head && !has_no_body(response.status);
}

void write_head(std::string& out, const Response& response, const Asked& asked, Framing framing,
                bool is_last, std::string_view date) {
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(response.status), 10);
  out.append(" ").append(reason_of(response.status)).append("\r\n");
  append_field(out, "Date", date);
  for (const auto& [name, value] : response.headers) append_field(out, name, value);
  if (framing == Framing::kLength && !has_no_body(response.status)) {
    out.append("Content-Length: ");
    append_number(out, response.body.size(), 10);
    out.append("\r\n");
  }
  if (framing == Framing::kChunked) append_field(out, "Transfer-Encoding", "chunked");
  if (framing == Framing::kUpgrade) {
    append_field(out, "Connection", "Upgrade");
  } else if (is_last) {
    append_field(out, "Connection", "close");
  } else if (asked.minor_version == 0) {
    append_field(out, "Connection", "keep-alive");
  }
  out.append("\r\n");
}

void write_chunk(std::string& out, std::string_view piece) {
  append_number(out, piece.size(), 16);
  out.append("\r\n").append(piece).append("\r\n");
}

std::string http_date(std::int64_t unix_seconds) {
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::chrono::sys_seconds at{std::chrono::seconds(unix_seconds)};
  const auto midnight = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(midnight);
  const std::chrono::hh_mm_ss time(at - midnight);
  const auto two = [](auto number) {
    const auto n = static_cast<unsigned>(number);
    return std::string{static_cast<char>('0' + n / 10), static_cast<char>('0' + n % 10)};
  };
  return std::string(kDays[std::chrono::weekday(midnight).c_encoding()]) + ", " +
         two(static_cast<unsigned>(date.day())) + " " +
         kMonths[static_cast<unsigned>(date.month()) - 1] + " " +
         std::to_string(static_cast<int>(date.year())) + " " + two(time.hours().count()) + ":" +
         two(time.minutes().count()) + ":" + two(time.seconds().count()) + " GMT";
}

}  // namespace stepwell::http
