#include "providers/host/broker/exchange.h"

#include <algorithm>
#include <set>

#include "providers/host/frames.h"

namespace stepwell::host {
namespace {

constexpr Millis kLongestGateWait{1'000};
constexpr int kMaxRepeats = 2;
constexpr int kMaxRedirects = 3;
constexpr double kDefaultTimeout = 30, kLongestTimeout = 60;

bool is_token(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

// Is a part of the path "..", in whatever spelling?  It would lead out of the path of base_url.
bool has_dots(std::string_view path) {
  path = path.substr(0, path.find_first_of("?#"));
  std::string plain;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const bool is_dot = path.substr(i, 3) == "%2e" || path.substr(i, 3) == "%2E";
    plain += is_dot ? '.' : path[i] == '\\' ? '/' : path[i];
    i += is_dot ? 2 : 0;
  }
  return (plain + "/").find("/../") != std::string::npos;
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

const ProviderOverride* override_of(const HostOptions& options, const Manifest& manifest) {
  const auto found = options.overrides.find(manifest.id);
  return found == options.overrides.end() ? nullptr : &found->second;
}

bool host_matches(const std::string& pattern, const std::string& host) {
  if (pattern.rfind("*.", 0) != 0) return pattern == host;
  const std::string suffix = pattern.substr(1);
  return host.size() > suffix.size() &&
         host.compare(host.size() - suffix.size(), suffix.size(), suffix) == 0;
}

class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(BrokerShared& shared, FolderRef folder, std::string connection, Millis time_left,
           AnswerDone done)
      : shared_(shared),
        alive_(shared.alive),
        folder_(std::move(folder)),
        connection_(std::move(connection)),
        deadline_(now() + time_left),
        done_(std::move(done)) {}

  void start(const Value& body) {
    const std::string problem = read(body);
    if (!problem.empty()) return tell(fail("BadRequest", problem));
    if (!is_allowed_url(shared_.options, folder_->manifest, request_.url)) {
      return tell(not_allowed(request_.url));
    }
    pass_gate();
  }

 private:
  using Outcome = HttpReply::Failure;

  Millis now() const { return Millis(shared_.loop.monotonic_ms()); }
  Failure not_allowed(const std::string& url) const {
    Failure failure = fail("Forbidden", folder_->manifest.id + " may not be sent to " +
                                            host_of(url) + ": it is not among its hosts");
    failure.reason = "policy";
    return failure;
  }

  // Fills request_; the text says what is wrong.
  std::string read(const Value& body) {
    request_.method = text_of(body, "method");
    static const std::set<std::string> kMethods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
    if (kMethods.count(request_.method) == 0) return "there is no method " + request_.method;
    path_ = text_of(body, "path");
    if (path_.empty() || has_control(path_) || path_.find(' ') != std::string::npos ||
        has_dots(path_)) {
      return "the path " + json_quote(path_) + " is malformed";
    }
    request_.url = url_of(path_);
    if (request_.url.empty()) return "the path " + json_quote(path_) + " must begin with /";
    if (const std::string query = text_of(body, "query"); !query.empty()) {
      request_.url += (request_.url.find('?') == std::string::npos ? "?" : "&") + query;
    }
    request_.body = bytes_of(body, "body");
    request_.is_repeatable = is_repeatable(body);
    request_.max_bytes = static_cast<std::size_t>(folder_->manifest.limits.response_bytes);
    const Value* timeout = body.find("timeout");
    timeout_ = timeout != nullptr && timeout->is_number() ? timeout->as_double() : kDefaultTimeout;
    timeout_ = std::min(std::max(timeout_, 0.001), kLongestTimeout);
    const std::string auth = text_of(body, "auth", "user");
    if (auth != "user" && auth != "none") return "there is no auth " + json_quote(auth);
    wants_token_ = auth == "user" && folder_->manifest.auth_type != "none";
    if (const Value* accept = body.find("accept"); accept != nullptr && accept->is_array()) {
      for (const Value& status : accept->as_array()) {
        if (status.is_int()) accepted_.insert(static_cast<int>(status.as_int()));
      }
    }
    return read_headers(body);
  }

  std::string url_of(const std::string& path) const {
    if (path.rfind("https://", 0) == 0 || path.rfind("http://", 0) == 0) return path;
    if (path[0] != '/') return "";
    const ProviderOverride* there = override_of(shared_.options, folder_->manifest);
    return (there == nullptr ? folder_->manifest.base_url : there->base_url) + path;
  }

  std::string read_headers(const Value& body) {
    static const std::set<std::string> kOurs = {
        "authorization", "cookie", "host",    "content-length", "transfer-encoding", "connection",
        "upgrade",       "te",     "trailer", "expect",         "keep-alive"};
    const Value* headers = body.find("headers");
    if (headers == nullptr || !headers->is_object()) return "";
    for (const auto& [name, value] : headers->as_object()) {
      const std::string known = lower(name);
      const bool is_ours = kOurs.count(known) != 0 || known.rfind("proxy-", 0) == 0 ||
                           known == lower(folder_->manifest.auth_header);
      if (!is_token(name) || is_ours || !value.is_string() || has_control(value.as_string())) {
        return "the header " + json_quote(name) + " cannot be set";
      }
      plain_headers_.emplace_back(name, value.as_string());
    }
    return "";
  }

  void pass_gate() {
    const auto wait =
        shared_.options.gates->wait_for(folder_->manifest, request_.method, connection_, now());
    if (wait.left.count() <= 0) return attach_token();
    if (wait.left > kLongestGateWait || now() + wait.left > deadline_) {
      return tell(rate_limited(wait));
    }
    shared_.loop.after(wait.left + Millis(1), [self = shared_from_this()] {
      if (*self->alive_) self->pass_gate();
    });
  }

  void attach_token() {
    if (!wants_token_) return send();
    shared_.keeper.access(folder_, connection_, refused_generation_,
                          [self = shared_from_this()](std::variant<OpenRef, Failure> found) {
                            if (const auto* failure = std::get_if<Failure>(&found)) {
                              return self->tell(*failure);
                            }
                            self->open_ = std::get<OpenRef>(found);
                            if (self->open_->tokens.access_token.empty()) return self->no_token();
                            self->send();
                          });
  }

  void no_token() {
    Failure failure = fail("Unauthorized", "the connection " + connection_ + " has no token");
    failure.reason = "invalid";
    tell(std::move(failure));
  }

  void send() {
    request_.headers = plain_headers_;
    request_.headers.emplace_back("Accept", "application/json, */*");
    const bool is_same_host = first_host_.empty() || first_host_ == host_of(request_.url);
    if (first_host_.empty()) first_host_ = host_of(request_.url);
    if (wants_token_ && is_same_host) {
      std::string value = folder_->manifest.auth_format;
      const std::size_t place = value.find("{token}");
      value.replace(place, 7, open_->tokens.access_token);
      request_.headers.emplace_back(folder_->manifest.auth_header, value);
    }
    const Millis left = deadline_ - now();
    request_.timeout =
        std::max(Millis(1), std::min(left, Millis(static_cast<std::int64_t>(timeout_ * 1000))));
    HttpClient& client =
        override_of(shared_.options, folder_->manifest) != nullptr ? shared_.open : shared_.guarded;
    client.send(request_, [self = shared_from_this()](const HttpReply& reply) {
      if (*self->alive_) self->receive(reply);
    });
  }

  void receive(const HttpReply& reply) {
    if (reply.failure != Outcome::kNone) return tell(failure_of(reply));
    if (reply.status == 401 && wants_token_ && !refused_generation_) {
      refused_generation_ = open_->row.generation;
      return attach_token();
    }
    if (reply.status == 429) return refused(reply);
    shared_.options.gates->passed(folder_->manifest, request_.method, connection_);
    const bool is_read = request_.method == "GET" || request_.method == "HEAD";
    if (reply.status >= 300 && reply.status < 400 && is_read && follow(reply)) return;
    answer(reply, reply.status >= 400 ? std::optional(failure_of_status(reply)) : std::nullopt);
  }

  // A request that was refused was not carried out: it may be sent again, whatever it is.
  void refused(const HttpReply& reply) {
    const auto wait = shared_.options.gates->refused(folder_->manifest, request_.method,
                                                     connection_, reply, now(), clock_now());
    if (accepted_.count(429) != 0) return answer(reply, std::nullopt);
    if (wait.left <= kLongestGateWait && ++repeats_ <= kMaxRepeats) return pass_gate();
    answer(reply, rate_limited(wait));
  }

  bool follow(const HttpReply& reply) {
    const auto location = reply.headers.find("location");
    if (location == reply.headers.end()) return false;
    const std::string url = resolve_url(request_.url, location->second);
    if (++redirects_ > kMaxRedirects) {
      tell(fail("BadRequest", "more than three redirects"));
    } else if (url.empty() || !is_allowed_url(shared_.options, folder_->manifest, url)) {
      tell(not_allowed(url));
    } else {
      request_.url = url;
      send();
    }
    return true;
  }

  Failure rate_limited(const RateGates::Wait& wait) const {
    Failure failure = fail("RateLimited", folder_->manifest.id + " limits its rate");
    failure.retry_after = static_cast<double>(wait.left.count()) / 1000;
    failure.bucket = wait.bucket;
    failure.status = 429;
    return failure;
  }

  std::string what() const { return request_.method + " " + path_; }

  Failure failure_of(const HttpReply& reply) const {
    const std::string message = what() + ": " + reply.problem;
    if (reply.failure == Outcome::kBlocked) {
      Failure failure = fail("Forbidden", message);
      failure.reason = "policy";
      return failure;
    }
    if (reply.failure == Outcome::kTooLarge) return fail("TooLarge", message);
    if (reply.failure == Outcome::kNoConnection) return fail("Transient", message);
    if (reply.failure == Outcome::kConnectTimeout) {
      Failure failure = fail("Timeout", message);
      failure.reason = "connect";
      return failure;
    }
    if (!request_.is_repeatable) return fail("Ambiguous", message);
    if (reply.failure == Outcome::kBroken) return fail("Transient", message);
    Failure failure = fail("Timeout", message);
    failure.reason = "read";
    return failure;
  }

  Failure failure_of_status(const HttpReply& reply) const {
    const int status = reply.status;
    const char* name = status == 401            ? "Unauthorized"
                       : status == 403          ? "Forbidden"
                       : status == 404          ? "NotFound"
                       : status == 410          ? "Gone"
                       : status == 413          ? "TooLarge"
                       : status < 500           ? "BadRequest"
                       : request_.is_repeatable ? "Transient"
                                                : "Ambiguous";
    Failure failure = fail(name, what() + " answered " + std::to_string(status));
    failure.status = status;
    if (status == 401) failure.reason = "invalid";
    if (status == 403) failure.reason = "policy";
    if (status >= 500) {
      if (const auto wait = retry_after_of(reply, clock_now())) {
        failure.retry_after = static_cast<double>(wait->count()) / 1000;
      }
    }
    return failure;
  }

  void answer(const HttpReply& reply, const std::optional<Failure>& failure) {
    std::deque<std::string> secrets;
    if (open_ != nullptr) secrets = {open_->tokens.access_token, open_->tokens.refresh_token};
    Object headers;
    for (const auto& [name, value] : reply.headers) {
      if (name == "set-cookie") continue;
      // Header bytes are whatever the provider sent; Lua gets text.
      if (is_utf8(value) && is_utf8(name) && !has_control(value)) {
        headers.set(name, Secrets::scrub(value, secrets));
      }
    }
    Object value{{"status", reply.status}, {"headers", Value(std::move(headers))}};
    set_bytes(value, "body", Secrets::scrub(reply.body, secrets));
    if (failure) value.set("error", failure->to_value());
    Value whole(std::move(value));
    if (whole.json_size() + 1024 > kMaxFrameBytes) {
      return tell(fail("TooLarge", what() + ": the answer is too large"));
    }
    finish(Object{{"value", std::move(whole)}});
  }

  void tell(Failure failure) {
    failure.message = shared_.secrets.scrub(failure.message);
    finish(Object{{"error", failure.to_value()}});
  }

  void finish(Object members) {
    const AnswerDone done = std::move(done_);
    done_ = nullptr;
    if (done) done(std::move(members));
  }

  BrokerShared& shared_;
  std::shared_ptr<bool> alive_;
  FolderRef folder_;
  std::string connection_;
  Millis deadline_;
  AnswerDone done_;

  HttpRequest request_;
  std::string path_, first_host_;
  std::vector<std::pair<std::string, std::string>> plain_headers_;
  std::set<int> accepted_;
  double timeout_ = kDefaultTimeout;
  bool wants_token_ = false;
  OpenRef open_;
  std::optional<std::uint64_t> refused_generation_;
  int repeats_ = 0, redirects_ = 0;
};

}  // namespace

bool is_repeatable(const Value& body) {
  const std::string method = text_of(body, "method");
  const bool by_method =
      method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE";
  return flag_of(body, "repeatable", by_method);
}

bool is_allowed_url(const HostOptions& options, const Manifest& manifest, const std::string& url) {
  const std::string origin = origin_of(url), host = host_of(url);
  if (origin.empty()) return false;
  for (const std::string& extra : options.extra_hosts) {
    if (origin == "https://" + extra + ":443" || origin == "https://" + extra) return true;
  }
  const ProviderOverride* there = override_of(options, manifest);
  if (there != nullptr) return origin == origin_of(there->base_url);
  if (origin != "https://" + host + ":443") return false;
  return std::any_of(manifest.hosts.begin(), manifest.hosts.end(),
                     [&](const std::string& pattern) { return host_matches(pattern, host); });
}

void exchange(BrokerShared& shared, FolderRef folder, const std::string& connection,
              const Value& body, Millis time_left, AnswerDone done) {
  std::make_shared<Exchange>(shared, std::move(folder), connection, time_left, std::move(done))
      ->start(body);
}

}  // namespace stepwell::host
