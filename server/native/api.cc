#include "server/native/api.h"

#include <algorithm>
#include <utility>

#include "server/native/open_requests.h"
#include "server/native/routes.h"

namespace stepwell::server {
namespace {

constexpr Millis kForLastAnswers{1'000};  // To reach their clients, when a drain's time is over.

}  // namespace

Api::Api(loop::Loop& loop, const ApiLimits& limits)
    : loop_(loop), limits_(limits), open_(std::make_shared<OpenRequests>()) {}

Result<std::unique_ptr<Api>> Api::serve(loop::Loop& loop, runtime::AsyncEngine& engine,
                                        const http::Endpoint& endpoint, const ApiLimits& limits) {
  auto api = std::unique_ptr<Api>(new Api(loop, limits));
  http::Handler handler = [api = api.get(), &engine](Request request, http::Reply reply) {
    api->answer(engine, std::move(request), std::move(reply));
  };
  api->http_ = TRY(http::Server::listen(loop, endpoint, std::move(handler)));
  return api;
}

Api::~Api() {
  if (alarm_ != 0) loop_.cancel(alarm_);
  if (drain_alarm_ != 0) loop_.cancel(drain_alarm_);
}

void Api::answer(runtime::AsyncEngine& engine, http::Request request, http::Reply reply) {
  const std::int64_t ends_ms = loop_.monotonic_ms() + limits_.patience.count();
  const std::uint64_t ticket = open_->add({std::move(reply), request.method == "GET", ends_ms});
  if (alarm_ == 0) arm(limits_.patience);
  route(engine, std::move(request), [open = open_, ticket](Response response) {
    if (const auto waiting = open->take(ticket)) (*waiting)(std::move(response));
  });
}

void Api::arm(Millis from_now) {
  alarm_ = loop_.after(from_now, [this] { on_alarm(); });
}

void Api::on_alarm() {
  alarm_ = 0;
  const std::int64_t now_ms = loop_.monotonic_ms();
  for (const auto& late : open_->take_over(now_ms)) {
    late.reply(too_late(limits_.patience, late.is_read));
  }
  if (const auto next_ms = open_->next_ms())
    arm(Millis(std::max<std::int64_t>(1, *next_ms - now_ms)));
}

void Api::drain(Millis deadline, std::function<void()> done) {
  drain_alarm_ = loop_.after(deadline, [this] {
    drain_alarm_ = 0;
    for (const auto& late : open_->take_all()) late.reply(stopping(late.is_read));
  });
  http_->drain(deadline + kForLastAnswers, std::move(done));
}

int Api::port() const { return http_->port(); }
std::string Api::url() const { return http_->url(); }

}  // namespace stepwell::server
