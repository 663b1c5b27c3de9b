#include "providers/host/broker/manifest.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "dsl/dsl.h"
#include "providers/host/frames.h"

namespace stepwell::host {
namespace {

// A shape is "key kind, key! kind, ...": ! = required.  Kinds: text, int, bool, span, url, any,
// texts (a list), a|b|c (one of these words), @shape, [shape] (a list of them), {shape} (a map to
// them).
const std::map<std::string, std::string_view>& shapes() {
  static const std::map<std::string, std::string_view> kShapes = {
      {"provider",
       "apiVersion! stepwell.dev/provider/v1, id! text, version! text, name! text, kind provider, "
       "description text, homepage url, status stable|beta|deprecated|retired, sunset text, "
       "requires any, base_url url, hosts! texts, auth! @auth, rate_limits [rate_limit], "
       "webhooks @webhooks, settings any, limits @limits, data_types! {data_type}, functions "
       "texts"},
      {"library",
       "apiVersion! stepwell.dev/provider/v1, kind! library, id! text, version! text, name! text, "
       "description text, homepage url, status stable|beta|deprecated|retired, requires any, "
       "settings any, limits @limits, functions! texts"},
      {"auth",
       "type! oauth2_code|oauth2_client|oauth1|api_key|basic|device_upload|custom|none, "
       "authorize_url url, token_url url, revoke_url url, client_auth body|basic, pkce none|S256, "
       "scope_separator text, scopes any, authorize_params any, token_params any, attach @attach, "
       "access_ttl span, code_ttl span, refresh @refresh, account_id text"},
      {"attach", "header text, format text"},
      {"refresh", "rotates bool, reuse_window span, ttl span, ahead span, keep_alive span"},
      {"rate_limit",
       "id! text, scope! app|user|connection, limit! int, per! span, window! "
       "sliding|fixed|aligned, "
       "match @match, cost int, headers @rate_headers"},
      {"match", "methods texts, paths texts"},
      {"rate_headers", "limit text, remaining text, used text, reset text, index int"},
      {"webhooks",
       "scope! app|user, delivery! ping|payload|upload, register! api|manual, one_per_app bool, "
       "signed! always|optional|never, ack_deadline! span, ack_status int, retries text, "
       "expires span, types texts"},
      {"limits", "memory text, cpu_ms int, requests int, deadline span, response_bytes text"},
      {"data_type", "read @read, write @write"},
      {"read",
       "modes! texts, metadata_fields texts, hydrate_cost int, hydrate_batch int, "
       "cursor! event_time|modified_time|token|none, granularity second|day, order asc|desc|none, "
       "lookback span, max_window span, page_size int, history text, updates! webhook|poll|none, "
       "deletes! webhook|poll|none, preflight cheap|list|none, count exact|estimate|none, "
       "backfill! pull|request|device|none, scopes texts"},
      {"write",
       "ops! texts, owned_only bool, batch int, async bool, "
       "idempotency! client_id|detects_duplicates|natural_key|none, lookup bool, settle span, "
       "required_fields texts, lossy_fields texts, formats texts, min_duration span, scopes "
       "texts"}};
  return kShapes;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t to = std::min(text.find(at, from), text.size());
    parts.emplace_back(trim(text.substr(from, to - from)));
    from = to + 1;
  }
  return parts;
}

struct Field {
  std::string kind;
  bool is_required = false;
};

std::map<std::string, Field> fields_of(const std::string& shape) {
  std::map<std::string, Field> fields;
  for (const std::string& entry : split(shapes().at(shape), ',')) {
    const std::size_t space = entry.find(' ');
    std::string name = entry.substr(0, space);
    const bool is_required = name.back() == '!';
    if (is_required) name.pop_back();
    fields[name] = {entry.substr(space + 1), is_required};
  }
  return fields;
}

class Checker {
 public:
  explicit Checker(std::string file) : file_(std::move(file)) {}

  void shape(const std::string& name, const Value& value, const std::string& pointer) {
    if (!value.is_object()) return say(pointer, "must be a map");
    const auto fields = fields_of(name);
    for (const auto& [key, member] : value.as_object()) {
      const auto field = fields.find(key);
      if (field != fields.end()) {
        kind(field->second.kind, member, pointer + "/" + key);
      } else if (key.rfind("x-", 0) != 0) {
        unknown(pointer, key, fields);
      }
    }
    for (const auto& [key, field] : fields) {
      if (field.is_required && value.find(key) == nullptr) say(pointer, "lacks " + key);
    }
  }

  void say(const std::string& pointer, const std::string& what) {
    problems_ += (problems_.empty() ? "" : "\n") + file_ + ": " +
                 (pointer.empty() ? "/" : pointer) + ": " + what;
  }
  const std::string& problems() const { return problems_; }

 private:
  void unknown(const std::string& pointer, const std::string& key,
               const std::map<std::string, Field>& fields) {
    std::vector<std::string> names;
    for (const auto& [name, field] : fields) names.push_back(name);
    const std::string near = dsl::nearest(key, names);
    say(pointer, "does not know " + key + (near.empty() ? "" : "; did you mean " + near + "?"));
  }

  void kind(const std::string& kind, const Value& value, const std::string& pointer) {
    if (kind == "any") return;
    if (kind == "int") return require(value.is_int(), pointer, "must be a whole number");
    if (kind == "bool") return require(value.is_bool(), pointer, "must be true or false");
    if (kind == "texts") return texts(value, pointer);
    if (kind.front() == '@') return shape(kind.substr(1), value, pointer);
    if (kind.front() == '[') return list(kind.substr(1, kind.size() - 2), value, pointer);
    if (kind.front() == '{') return map(kind.substr(1, kind.size() - 2), value, pointer);
    if (!value.is_string()) return say(pointer, "must be text");
    const std::string& text = value.as_string();
    if (kind == "text") return require(!text.empty(), pointer, "is empty");
    if (kind == "span") {
      return require(parse_span(text).has_value(), pointer,
                     "must be a span of time such as 90s, 5m, 6h or 7d, not " + json_quote(text));
    }
    if (kind == "url") {
      return require(text.rfind("https://", 0) == 0 || text.rfind("http://127.0.0.1", 0) == 0,
                     pointer, "must be an https URL");
    }
    const auto words = split(kind, '|');
    require(std::find(words.begin(), words.end(), text) != words.end(), pointer,
            "is " + json_quote(text) + "; it must be " + kind);
  }

  void texts(const Value& value, const std::string& pointer) {
    bool is_good = value.is_array() && value.size() > 0;
    if (is_good) {
      for (const Value& item : value.as_array()) is_good = is_good && item.is_string();
    }
    require(is_good, pointer, "must be a list of texts");
  }

  void list(const std::string& of, const Value& value, const std::string& pointer) {
    if (!value.is_array()) return say(pointer, "must be a list");
    std::size_t i = 0;
    for (const Value& item : value.as_array()) shape(of, item, pointer + "/" + std::to_string(i++));
  }

  void map(const std::string& of, const Value& value, const std::string& pointer) {
    if (!value.is_object() || value.size() == 0) return say(pointer, "must be a map");
    for (const auto& [key, item] : value.as_object()) shape(of, item, pointer + "/" + key);
  }

  void require(bool condition, const std::string& pointer, const std::string& what) {
    if (!condition) say(pointer, what);
  }

  std::string file_, problems_;
};

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > 41 || text[0] < 'a' || text[0] > 'z') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::vector<std::string> texts_of(const Value& object, std::string_view key) {
  std::vector<std::string> texts;
  const Value* list = object.find(key);
  if (list == nullptr || !list->is_array()) return texts;
  for (const Value& item : list->as_array()) {
    if (item.is_string()) texts.push_back(item.as_string());
  }
  return texts;
}

Millis span_of(const Value& object, std::string_view key, Millis otherwise) {
  return parse_span(text_of(object, key)).value_or(otherwise);
}

// "32MiB"
std::optional<std::int64_t> parse_bytes(std::string_view text) {
  std::int64_t number = 0;
  std::size_t at = 0;
  while (at < text.size() && at < 9 && text[at] >= '0' && text[at] <= '9') {
    number = number * 10 + (text[at++] - '0');
  }
  const std::string_view unit = text.substr(at);
  if (at == 0 || number == 0) return std::nullopt;
  if (unit == "KiB") return number << 10;
  if (unit == "MiB") return number << 20;
  if (unit == "B") return number;
  return std::nullopt;
}

// The functions that the capabilities ask for; docs/providers/sw.md has the table.
std::set<std::string> functions_of(const Value& document) {
  std::set<std::string> names;
  for (const std::string& name : texts_of(document, "functions")) names.insert(name);
  const Value* auth = document.find("auth");
  if (auth != nullptr && text_of(*auth, "account_id") == "identify") names.insert("identify");
  const Value* types = document.find("data_types");
  if (types == nullptr || !types->is_object()) return names;
  for (const auto& [type, facts] : types->as_object()) {
    if (const Value* read = facts.find("read")) {
      names.insert("fetch");
      const auto modes = texts_of(*read, "modes");
      const bool has_metadata = std::find(modes.begin(), modes.end(), "metadata") != modes.end();
      if (has_metadata || int_of(*read, "hydrate_cost") > 0) names.insert("fetch_payloads");
      if (text_of(*read, "preflight") == "cheap") names.insert("has_new_data");
      if (text_of(*read, "count", "none") != "none") names.insert("count");
      if (text_of(*read, "backfill") == "request") names.insert("request_backfill");
    }
    if (const Value* write = facts.find("write")) {
      names.insert("push");
      if (flag_of(*write, "async")) names.insert("push_status");
      if (flag_of(*write, "lookup")) names.insert("lookup");
    }
  }
  return names;
}

void read_limits(const Value& document, Manifest& manifest, Checker& checker) {
  CallLimits& limits = manifest.limits;
  if (manifest.is_library) {
    limits = {64 << 20, 2000, 20'000, Millis(600'000), 16 << 20};
  }
  const Value* given = document.find("limits");
  if (given == nullptr) return;
  const auto lower = [&](const char* key, std::int64_t& limit, std::optional<std::int64_t> to) {
    if (given->find(key) == nullptr) return;
    if (!to || *to < 1) return checker.say(std::string("/limits/") + key, "is not a valid limit");
    if (*to > limit) {
      return checker.say(std::string("/limits/") + key, "may only lower the engine's limit");
    }
    limit = *to;
  };
  lower("memory", limits.memory_bytes, parse_bytes(text_of(*given, "memory")));
  lower("cpu_ms", limits.cpu_ms, int_of(*given, "cpu_ms"));
  lower("requests", limits.requests, int_of(*given, "requests"));
  lower("response_bytes", limits.response_bytes, parse_bytes(text_of(*given, "response_bytes")));
  std::int64_t deadline = limits.deadline.count();
  lower("deadline", deadline, span_of(*given, "deadline", Millis(0)).count());
  limits.deadline = Millis(deadline);
}

RateHeaders rate_headers_of(const Value& headers) {
  const auto name = [&](const char* key) {
    std::string text = text_of(headers, key);
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return text;
  };
  const std::int64_t index = std::clamp<std::int64_t>(int_of(headers, "index"), 0, 100);
  return {name("limit"), name("used"), name("remaining"), static_cast<std::size_t>(index)};
}

void read_rate_limits(const Value& document, Manifest& manifest) {
  const Value* list = document.find("rate_limits");
  if (list == nullptr || !list->is_array()) return;
  for (const Value& item : list->as_array()) {
    RateLimit limit;
    limit.id = text_of(item, "id");
    limit.is_app_wide = text_of(item, "scope") == "app";
    limit.per = span_of(item, "per", Millis(60'000));
    limit.is_aligned = text_of(item, "window") == "aligned";
    if (const Value* match = item.find("match")) limit.methods = texts_of(*match, "methods");
    if (const Value* headers = item.find("headers")) limit.headers = rate_headers_of(*headers);
    manifest.rate_limits.push_back(std::move(limit));
  }
}

void read_auth(const Value& document, Manifest& manifest, Checker& checker) {
  const Value* auth = document.find("auth");
  if (auth == nullptr) return;
  manifest.auth_type = text_of(*auth, "type", "none");
  manifest.token_url = text_of(*auth, "token_url");
  manifest.is_client_in_header = text_of(*auth, "client_auth") == "basic";
  if (const Value* attach = auth->find("attach")) {
    manifest.auth_header = text_of(*attach, "header", manifest.auth_header);
    manifest.auth_format = text_of(*attach, "format", manifest.auth_format);
  }
  if (manifest.auth_format.find("{token}") == std::string::npos) {
    checker.say("/auth/attach/format", "must hold {token}");
  }
  if (const Value* refresh = auth->find("refresh")) {
    manifest.refresh_ahead = span_of(*refresh, "ahead", manifest.refresh_ahead);
  }
  if (manifest.auth_type.rfind("oauth2", 0) == 0 && manifest.token_url.empty()) {
    checker.say("/auth", "lacks token_url");
  }
}

}  // namespace

std::optional<Millis> parse_span(std::string_view text) {
  if (text.size() < 2 || text.size() > 8) return std::nullopt;
  std::int64_t number = 0;
  for (const char c : text.substr(0, text.size() - 1)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  switch (text.back()) {
    case 's': return Millis(number * 1000);
    case 'm': return Millis(number * 60'000);
    case 'h': return Millis(number * 3'600'000);
    case 'd': return Millis(number * 86'400'000);
    default: return std::nullopt;
  }
}

Result<Manifest> read_manifest(std::string_view text, const std::string& file) {
  dsl::Parsed parsed = dsl::parse_document(text, file);
  std::string broken;
  for (const dsl::Diagnostic& problem : parsed.diagnostics) {
    if (problem.severity == dsl::Severity::kError) broken += dsl::render(problem, text);
  }
  if (!broken.empty()) return Error{ErrorCode::kInvalid, broken};
  Checker checker(file);
  Manifest manifest;
  const Value& document = parsed.value;
  manifest.is_library = text_of(document, "kind") == "library";
  checker.shape(manifest.is_library ? "library" : "provider", document, "");
  manifest.id = text_of(document, "id");
  manifest.version = text_of(document, "version");
  manifest.name = text_of(document, "name");
  manifest.base_url = text_of(document, "base_url");
  while (!manifest.base_url.empty() && manifest.base_url.back() == '/')
    manifest.base_url.pop_back();
  manifest.hosts = texts_of(document, "hosts");
  if (!is_name(manifest.id)) checker.say("/id", "must be lower-case letters, digits and _");
  read_auth(document, manifest, checker);
  read_limits(document, manifest, checker);
  read_rate_limits(document, manifest);
  for (const std::string& name : functions_of(document)) {
    if (!is_name(name)) {
      checker.say("/functions", json_quote(name) + " is not a valid function name");
    }
    manifest.functions.push_back(name);
  }
  if (!checker.problems().empty()) return Error{ErrorCode::kInvalid, checker.problems()};
  manifest.document = document;
  return manifest;
}

}  // namespace stepwell::host
