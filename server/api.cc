#include "server/api.h"

#include <utility>

#include "server/routes.h"

namespace stepwell::server {

Result<std::unique_ptr<Api>> Api::serve(loop::Loop& loop, Engine& engine,
                                        const Endpoint& endpoint) {
  auto api = std::unique_ptr<Api>(new Api);
  Handler handler = [&loop, &engine](Request request, Reply reply) {
    if (!may_block(request)) return reply(route(engine, request));
    auto response = std::make_shared<Response>();
    loop.offload(
        [&engine, response, request = std::move(request)] { *response = route(engine, request); },
        [response, reply = std::move(reply)] { reply(std::move(*response)); });
  };
  api->http_ = TRY(HttpServer::listen(loop, endpoint, std::move(handler)));
  return api;
}

Api::~Api() = default;
int Api::port() const { return http_->port(); }
std::string Api::url() const { return http_->url(); }

}  // namespace stepwell::server
