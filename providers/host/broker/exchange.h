// Exchange — one sw.http request, from what Lua asked to what Lua is told.
//
//   check -> rate gate -> token -> send -> 401: refresh once -> 429: wait a little, or tell ->
//   redirect inside the allowed hosts -> answer
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/client/http_client.h"
#include "providers/host/broker/failure.h"
#include "providers/host/broker/folder.h"
#include "providers/host/broker/rate_gates.h"
#include "providers/host/broker/secrets.h"
#include "providers/host/broker/tokens.h"

namespace stepwell::host {

// What the exchanges of one lane share; outlives them.
struct BrokerShared {
  BrokerShared(loop::Loop& on, const HostOptions& with, Vault vault)
      : loop(on),
        options(with),
        keeper(on, with, std::move(vault), secrets),
        guarded(on, Reach::kPublicOnly),
        open(on, Reach::kAnyAddress) {}

  loop::Loop& loop;
  const HostOptions& options;
  Secrets secrets;
  TokenKeeper keeper;
  HttpClient guarded, open;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);

  ~BrokerShared() { *alive = false; }
};

// {"value": {status, headers, body, error?}} or {"error": {class, ...}}: members of an answer
// frame.
using AnswerDone = std::function<void(Object answer)>;

// `body` is the request's frame body; `done` is called once, perhaps at once.
void exchange(BrokerShared& shared, FolderRef folder, const std::string& connection,
              const Value& body, Millis time_left, AnswerDone done);

// May this request be repeated without harm?
bool is_repeatable(const Value& body);

// Is the URL one that this provider may be sent to?
bool is_allowed_url(const HostOptions& options, const Manifest& manifest, const std::string& url);

}  // namespace stepwell::host
