#include "bench/http_side.h"

#include <string_view>
#include <utility>

#include "net/client/http_client.h"
#include "net/http/http.h"

namespace stepwell::bench {
namespace {

constexpr std::size_t kMostBytes = 256u << 20;  // Of a page.

// The token of the next page; empty: this is the last.  Not by parsing the page: the readers stand
// for other machines, and have to live on the cores that are measured.
std::string next_of(const std::string& page) {
  constexpr std::string_view kKey = R"("next":")";
  const std::size_t at = page.rfind(kKey);
  if (at == std::string::npos) return "";
  const std::size_t from = at + kKey.size();
  return page.substr(from, page.find('"', from) - from);
}

}  // namespace

Result<std::unique_ptr<HttpSide>> HttpSide::serve(runtime::AsyncEngine& engine) {
  auto side = std::unique_ptr<HttpSide>(new HttpSide);
  side->api_ = TRY(server::Api::serve(side->loop_, engine, {}));
  side->url_ = side->api_->url();
  side->port_ = side->api_->port();
  side->thread_ = std::thread([loop = &side->loop_] { loop->run(); });
  return side;
}

HttpSide::~HttpSide() {
  if (!thread_.joinable()) return;
  loop_.post([this] {
    api_.reset();
    loop_.stop();
  });
  thread_.join();
}

PageReaders::PageReaders(std::string history_url, unsigned readers) : url_(std::move(history_url)) {
  for (unsigned i = 0; i < readers; ++i) threads_.emplace_back([this] { read(); });
}

std::uint64_t PageReaders::stop() {
  is_over_ = true;
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  return pages_;
}

void PageReaders::read() {
  std::string next;
  while (!is_over_) {
    host::HttpRequest request;
    request.url = url_ + (next.empty() ? "" : "?next=" + http::url_encode(next));
    request.max_bytes = kMostBytes;
    const host::HttpReply reply =
        host::HttpClient::send_blocking(std::move(request), host::Reach::kAnyAddress);
    next.clear();
    if (reply.status != 200) {
      ++refused_;
      continue;
    }
    ++pages_;
    next = next_of(reply.body);
  }
}

}  // namespace stepwell::bench
