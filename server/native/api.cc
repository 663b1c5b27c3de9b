#include "server/native/api.h"

#include <atomic>
#include <utility>

#include "server/native/routes.h"

namespace stepwell::server {

namespace {

using http::Reply;

// A request that asks the database: answered by a thread of the pool, or when the time is over.
struct Waiting {
  Waiting(Request the_request, Reply the_reply)
      : request(std::move(the_request)), reply(std::move(the_reply)) {}
  const Request request;
  const Reply reply;
  Response response;
  std::atomic<bool> is_late{false};
};

void answer_elsewhere(loop::Loop& loop, Engine& engine, const ApiLimits& limits, Request request,
                      Reply reply) {
  auto waiting = std::make_shared<Waiting>(std::move(request), std::move(reply));
  const loop::TimerId alarm = loop.after(limits.patience, [waiting, limits] {
    waiting->is_late = true;
    waiting->reply(too_late(limits.patience));
  });
  loop.offload(
      [&engine, waiting] {
        // Whoever has been told already is not served any more.
        if (!waiting->is_late) waiting->response = route(engine, waiting->request);
      },
      [&loop, alarm, waiting] {
        if (waiting->is_late) return;
        loop.cancel(alarm);
        waiting->reply(std::move(waiting->response));
      });
}

}  // namespace

Result<std::unique_ptr<Api>> Api::serve(loop::Loop& loop, Engine& engine,
                                        const http::Endpoint& endpoint, const ApiLimits& limits) {
  auto api = std::unique_ptr<Api>(new Api);
  http::Handler handler = [&loop, &engine, limits](Request request, Reply reply) {
    if (!may_block(request)) return reply(route(engine, request));
    answer_elsewhere(loop, engine, limits, std::move(request), std::move(reply));
  };
  api->http_ = TRY(http::Server::listen(loop, endpoint, std::move(handler)));
  return api;
}

Api::~Api() = default;
int Api::port() const { return http_->port(); }
std::string Api::url() const { return http_->url(); }

}  // namespace stepwell::server
