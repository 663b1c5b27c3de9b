#include "net/http/parser.h"

// One of Beast's assertions does not hold for "0\r\n\r", the beginning of an empty body in chunks:
// it would let any client end the process.  What the parser may be given is tried without them,
// under the sanitizers (./dev fuzz http).
#define BOOST_DISABLE_ASSERTS

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

namespace stepwell::http {
namespace {

namespace beast = boost::beast::http;
using boost::system::error_code;

std::string_view as_std(boost::beast::string_view text) { return {text.data(), text.size()}; }

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

}  // namespace

class Parser::Beast final : public beast::basic_parser<true> {
 public:
  Beast(Request& into, const Limits& limits) : into_(into), limits_(limits) {
    eager(true);
    header_limit(static_cast<std::uint32_t>(limits.max_head_bytes));
    body_limit(limits.max_body_bytes);
  }

  Taken take(std::string_view bytes) {
    Taken taken;
    line_ = bytes.data();
    end_ = bytes.data() + bytes.size();
    while (taken.count < bytes.size() && !is_done() && taken.refusal.status == 0) {
      error_code error;
      const auto rest = bytes.substr(taken.count);
      taken.count += put(boost::asio::const_buffer(rest.data(), rest.size()), error);
      if (error == beast::error::need_more) break;
      if (error) taken.refusal = refusal_ ? *refusal_ : refusal_of(error);
    }
    taken.is_whole = is_done();
    return taken;
  }

  int minor_version = 1;
  bool keeps_alive = false;
  bool is_upgrade = false;

 private:
  Refusal refusal_of(error_code error) const {
    if (error == beast::error::body_limit) {
      return {413, "the body is larger than " + std::to_string(limits_.max_body_bytes) + " bytes",
              "send less"};
    }
    if (error == beast::error::header_limit) return {431, "the header fields are too long", ""};
    const char* const where = is_header_done() ? "the body's framing" : "the request's head";
    return {400, std::string(where) + " is malformed: " + error.message(), ""};
  }

  void on_request_impl(beast::verb, boost::beast::string_view method,
                       boost::beast::string_view target, int version, error_code&) override {
    into_.method = as_std(method);
    into_.target = as_std(target);
    minor_version = version % 10;
  }
  void on_response_impl(int, boost::beast::string_view, int, error_code&) override {}

  void on_field_impl(beast::field, boost::beast::string_view name, boost::beast::string_view value,
                     error_code&) override {
    // Trailers are read and dropped: 9110 6.5.1 wants them merged only where that is known safe.
    if (!is_header_done()) into_.headers.emplace_back(lower_case(as_std(name)), as_std(value));
  }

  void on_header_impl(error_code&) override {
    keeps_alive = keep_alive();  // Before trailers, which must not change it.
    is_upgrade = upgrade();
  }

  void on_body_init_impl(boost::optional<std::uint64_t> const& length, error_code&) override {
    // What is promised is not given yet: a large body's room grows as it comes.
    constexpr std::uint64_t kAtOnce = 64u << 10;
    if (length) into_.body.reserve(static_cast<std::size_t>(std::min(*length, kAtOnce)));
  }
  std::size_t on_body_impl(boost::beast::string_view piece, error_code&) override {
    into_.body.append(piece.data(), piece.size());
    return piece.size();
  }
  std::size_t on_chunk_body_impl(std::uint64_t, boost::beast::string_view piece,
                                 error_code&) override {
    into_.body.append(piece.data(), piece.size());
    line_ = piece.data() + piece.size();
    return piece.size();
  }

  // 9112 7.1.1: extensions are ignored, and bounded in sum; the trailers behind the last chunk
  // (size 0) are held to the rules for the head.
  void on_chunk_header_impl(std::uint64_t size, boost::beast::string_view extension,
                            error_code& error) override {
    constexpr std::size_t kPlain = 20;  // CRLF, sixteen digits, CRLF: any number of those is fine.
    const char* const lines = extension.data() + extension.size() + 2;
    const auto length = static_cast<std::size_t>(lines - line_);
    framing_ += length > kPlain ? length - kPlain : 0;
    if (size == 0) {
      HeadScan scan(limits_.max_framing_bytes, HeadScan::Of::kTrailers);
      const auto found = scan.scan({lines, static_cast<std::size_t>(end_ - lines)});
      framing_ += scan.length();
      if (found == HeadScan::Found::kRefused) refuse(scan.refusal(), error);
    }
    if (framing_ > limits_.max_framing_bytes) refuse(framing_is_too_long(), error);
  }
  void on_finish_impl(error_code&) override {}

  void refuse(Refusal refusal, error_code& error) {
    refusal_ = std::move(refusal);
    error = beast::error::bad_chunk;
  }

  Request& into_;
  const Limits& limits_;
  const char* end_ = nullptr;   // Of the bytes that are being taken.
  const char* line_ = nullptr;  // Where the line of the next chunk begins.
  std::size_t framing_ = 0;     // Bytes of extensions and trailers so far.
  boost::optional<Refusal> refusal_;
};

Parser::Parser(Request& into, const Limits& limits)
    : beast_(std::make_unique<Beast>(into, limits)) {}
Parser::~Parser() = default;

Refusal Parser::take_head(std::string_view head) {
  Taken taken = beast_->take(head);
  if (taken.refusal.status == 0 && !beast_->is_header_done()) {
    return {400, "the request's head is malformed", ""};
  }
  return std::move(taken.refusal);
}

bool Parser::has_body() const { return !beast_->is_done(); }
int Parser::minor_version() const { return beast_->minor_version; }
bool Parser::keeps_alive() const { return beast_->keeps_alive; }
bool Parser::is_upgrade() const { return beast_->is_upgrade; }
Parser::Taken Parser::take_body(std::string_view bytes) { return beast_->take(bytes); }

}  // namespace stepwell::http
