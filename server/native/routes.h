// route() — one request to the native API, answered.  All routes are in the table in routes.cc.
#pragma once

#include <stepwell/engine.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "engine/runtime/async_engine.h"
#include "net/http/http.h"

namespace stepwell::server {

using http::Request;
using http::Response;
using OnResponse = std::function<void(Response)>;

// Never blocks.  `reply` is called once: at once where nothing must be asked, else on a thread of
// the engine's (see AsyncEngine), which renders the answer too.
void route(runtime::AsyncEngine& engine, Request request, OnResponse reply);

// The answers to a request that has waited so long for the database, and to one that still waits
// when the server stops.  `is_read`: it asked for no change.
Response too_late(Millis waited, bool is_read);
Response stopping(bool is_read);

// The meaning of the API's word for an error ("not_found"); nothing when it has no such word.
std::optional<Code> code_named(std::string_view word);

// An execution as the API shows it: one JSON object.  The CLI's `-o json` prints the same.
std::string execution_json(const ExecutionView& view);

}  // namespace stepwell::server
