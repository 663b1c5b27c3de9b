// Manifest — the facts of a provider: provider.yaml, read and checked, never executed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/value.h"

namespace stepwell::host {

// The headers of an answer, in lower case, that tell how much of a limit is used; empty: none does.
struct RateHeaders {
  std::string limit, used, remaining;
  std::size_t index = 0;  // Of the number in them, where they have several between commas.
};

struct RateLimit {
  std::string id;
  bool is_app_wide = false;  // Else per connection.
  Millis per{0};
  bool is_aligned = false;           // Refills at the border of the window, not gradually.
  std::vector<std::string> methods;  // Empty: all.
  RateHeaders headers = {};
};

struct CallLimits {
  std::int64_t memory_bytes = 32 << 20;
  std::int64_t cpu_ms = 500;
  std::int64_t requests = 50;
  Millis deadline{60'000};
  std::int64_t response_bytes = 16 << 20;
};

struct Manifest {
  std::string id, version, name;
  bool is_library = false;
  std::string base_url;
  std::vector<std::string> hosts;  // "api.example.com" or "*.example.com"
  std::string auth_type = "none";
  std::string token_url;
  bool is_client_in_header = false;  // client_auth: basic
  std::string auth_header = "authorization", auth_format = "Bearer {token}";
  Millis refresh_ahead{600'000};
  std::vector<RateLimit> rate_limits;
  CallLimits limits;
  std::vector<std::string> functions;  // What it serves, sorted.
  Value document;                      // All of it.
};

// The error's message lists every problem, one per line, as "<file>: <pointer>: <what>".
Result<Manifest> read_manifest(std::string_view text, const std::string& file);

// "90s", "5m", "6h", "7d"; nothing when it is not a valid span.
std::optional<Millis> parse_span(std::string_view text);

}  // namespace stepwell::host
