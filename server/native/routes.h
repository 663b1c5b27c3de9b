// route() — one request to the native API, answered.  All routes are in the table in routes.cc.
#pragma once

#include <stepwell/engine.h>

#include "net/http/http.h"

namespace stepwell::server {

using http::Request;
using http::Response;

// False: it is answered from what is known here, so it may be asked for on a loop.
bool may_block(const Request& request);

// Blocks as long as the engine does.  May be called from many threads at once.
Response route(Engine& engine, const Request& request);

// What a request hears that has waited so long for the database.
Response too_late(Millis waited);

// An execution as the API shows it: one JSON object.  The CLI's `-o json` prints the same.
std::string execution_json(const ExecutionView& view);

}  // namespace stepwell::server
