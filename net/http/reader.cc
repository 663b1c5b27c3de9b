#include "net/http/reader.h"

#include <algorithm>

namespace stepwell::http {

Reader::Found Reader::refuse(Refusal refusal) {
  refusal_ = std::move(refusal);
  return Found::kRefused;
}

Reader::Found Reader::read(std::string_view& bytes) {
  // 9112 2.2: an empty line before a request is skipped: old clients send one behind a body.
  if (!has_begun_ && !has_skipped_ && !bytes.empty() && bytes.front() == '\r') {
    if (bytes.size() < 2) return Found::kMore;
    if (bytes[1] == '\n') {
      bytes.remove_prefix(2);
      has_skipped_ = true;
    }
  }
  if (bytes.empty()) return Found::kMore;
  has_begun_ = true;
  return parser_ ? read_body(bytes) : read_head(bytes);
}

Reader::Found Reader::read_head(std::string_view& bytes) {
  // What is broken is refused before the rest has come: with wrong line ends it might never end.
  if (!scan_) scan_.emplace(limits_.max_head_bytes);
  switch (scan_->scan(bytes)) {
    case HeadScan::Found::kMore: return Found::kMore;
    case HeadScan::Found::kRefused: return refuse(scan_->refusal());
    case HeadScan::Found::kWhole: break;
  }
  parser_.emplace(request_, limits_);
  Refusal broken = parser_->take_head(bytes.substr(0, scan_->length()));
  bytes.remove_prefix(scan_->length());
  head_bytes_ = scan_->length();
  scan_.reset();
  if (broken.status == 0) {
    broken = check_head(request_, parser_->minor_version(), names_, limits_);
  }
  if (broken.status != 0) return refuse(std::move(broken));
  understand_target();
  request_.is_head = request_.method == "HEAD";
  if (request_.is_head) request_.method = "GET";
  if (parser_->is_upgrade() && parser_->minor_version() > 0) {
    request_.upgrade = request_.header("upgrade");
  }
  if (!parser_->has_body()) return Found::kRequest;
  expects_continue_ = parser_->minor_version() > 0 && !request_.header("expect").empty();
  return Found::kHead;
}

Reader::Found Reader::read_body(std::string_view& bytes) {
  Parser::Taken taken = parser_->take_body(bytes);
  bytes.remove_prefix(taken.count);
  if (taken.refusal.status != 0) return refuse(std::move(taken.refusal));
  if (taken.is_whole) return Found::kRequest;
  // The parser waits for the end of a chunk's line or of the trailers, which it holds to the bound
  // itself, to the byte; here it is only that it need not wait for ever.
  constexpr std::size_t kSlack = 64;
  if (bytes.size() > limits_.max_framing_bytes + kSlack) return refuse(framing_is_too_long());
  return Found::kMore;
}

void Reader::understand_target() {
  const std::string_view target = request_.target;
  const std::size_t question = std::min(target.find('?'), target.size());
  request_.path = url_decode(target.substr(0, question), false);
  std::string_view rest = target.substr(std::min(question + 1, target.size()));
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = equals < pair.size() ? pair.substr(equals + 1) : "";
    if (!pair.empty()) {
      request_.query.emplace_back(url_decode(pair.substr(0, equals), true),
                                  url_decode(value, true));
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

}  // namespace stepwell::http
