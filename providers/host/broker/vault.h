// Vault — tokens at rest: XChaCha20-Poly1305 with the operator's key, bound to the connection's id,
// so that a sealed text cannot be moved to another row. Thread-safe: constant after construction.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/value.h"
#include "providers/ledger/ledger.h"

namespace stepwell::host {

struct Tokens {
  std::string access_token, refresh_token;
};

class Vault {
 public:
  // 64 hex digits.
  static Result<Vault> open(const std::string& key);
  // Fresh random key, as `open` takes it.
  static std::string make_key();
  // The key in that file; made there (mode 0600) when there is none.
  static Result<std::string> key_of_file(const std::string& path);

  std::string seal(const Tokens& tokens, const std::string& connection) const;
  Result<Tokens> unseal(const std::string& sealed, const std::string& connection) const;

 private:
  Vault() = default;
  struct Key;
  std::shared_ptr<const Key> key_;
};

// What the command line and tests store for a user who has consented.
struct ConnectionFacts {
  std::string id, provider, account;
  Tokens tokens;
  std::optional<Time> expires_at;
  Value settings = Value(Object());  // {scopes, profile, settings}
};
store::Connection make_connection(const Vault& vault, const ConnectionFacts& facts);

}  // namespace stepwell::host
