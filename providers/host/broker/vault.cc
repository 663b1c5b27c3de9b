#include "providers/host/broker/vault.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "base/hash.h"
#include "providers/host/frames.h"

namespace stepwell::host {
namespace {

constexpr std::size_t kKeyBytes = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr char kFormat = 1;
constexpr std::size_t kKeyIdBytes = 4;
constexpr std::size_t kHeadBytes = 1 + kKeyIdBytes + kNonceBytes;

const unsigned char* raw(const std::string& bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

Result<std::string> read_key(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 && errno == ENOENT) return Error{ErrorCode::kNotFound, "no " + path};
  std::array<char, 256> bytes{};
  const ssize_t got = descriptor < 0 ? -1 : ::read(descriptor, bytes.data(), bytes.size());
  const int error = errno;
  if (descriptor >= 0) close(descriptor);
  if (got < 0) {
    return Error{ErrorCode::kDenied,
                 "cannot read the key file " + path + ": " + std::strerror(error)};
  }
  std::istringstream text(std::string(bytes.data(), static_cast<std::size_t>(got)));
  std::string key;
  if (text >> key) return key;
  return Error{ErrorCode::kInvalid, "the key file " + path +
                                        " is empty; remove it to have a new key made (the tokens "
                                        "that the lost one sealed stay lost)"};
}

// Written beside it and then linked: a crash leaves a whole file or none.  An existing file stays.
Status write_key(const std::string& path, const std::string& key) {
  std::string beside = path + ".XXXXXX";
  const int descriptor = ::mkostemp(beside.data(), O_CLOEXEC);  // Mode 0600.
  const std::string line = key + "\n";
  bool is_done =
      descriptor >= 0 &&
      ::write(descriptor, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
      ::fsync(descriptor) == 0;
  is_done = is_done && (::link(beside.c_str(), path.c_str()) == 0 || errno == EEXIST);
  const int error = errno;
  if (descriptor >= 0) {
    close(descriptor);
    ::unlink(beside.c_str());
  }
  if (is_done) return ok_status();
  return Error{ErrorCode::kUnavailable,
               "cannot make the key file " + path + ": " + std::strerror(error)};
}

}  // namespace

struct Vault::Key {
  std::array<unsigned char, kKeyBytes> bytes{};
  std::string id;  // Names the key in what it sealed.
  ~Key() { sodium_memzero(bytes.data(), bytes.size()); }
};

Result<Vault> Vault::open(const std::string& key) {
  if (sodium_init() < 0) return Error{ErrorCode::kInternal, "libsodium does not start"};
  auto made = std::make_shared<Key>();
  std::size_t length = 0;
  const char* end = nullptr;
  if (sodium_hex2bin(made->bytes.data(), kKeyBytes, key.data(), key.size(), nullptr, &length,
                     &end) != 0 ||
      length != kKeyBytes || end != key.data() + key.size()) {
    return Error{ErrorCode::kInvalid, "the vault key must be 64 hex digits"};
  }
  std::array<unsigned char, crypto_generichash_BYTES_MIN> digest{};
  crypto_generichash(digest.data(), digest.size(), made->bytes.data(), kKeyBytes, nullptr, 0);
  made->id.assign(reinterpret_cast<const char*>(digest.data()), kKeyIdBytes);
  Vault vault;
  vault.key_ = std::move(made);
  return vault;
}

std::string Vault::make_key() {
  CHECK(sodium_init() >= 0, "libsodium does not start");
  std::string bytes(kKeyBytes, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return hex_encode(bytes);
}

Result<std::string> Vault::key_of_file(const std::string& path) {
  auto known = read_key(path);
  if (known.ok() || known.error().code != ErrorCode::kNotFound) return known;
  TRY(write_key(path, make_key()));
  return read_key(path);
}

std::string Vault::seal(const Tokens& tokens, const std::string& connection) const {
  const std::string plain =
      Value(Object{{"access_token", tokens.access_token}, {"refresh_token", tokens.refresh_token}})
          .to_json();
  std::string sealed(kHeadBytes + plain.size() + kTagBytes, '\0');
  sealed[0] = kFormat;
  sealed.replace(1, kKeyIdBytes, key_->id);
  auto* bytes = reinterpret_cast<unsigned char*>(sealed.data());
  unsigned char* nonce = bytes + 1 + kKeyIdBytes;
  randombytes_buf(nonce, kNonceBytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(bytes + kHeadBytes, nullptr, raw(plain), plain.size(),
                                             raw(connection), connection.size(), nullptr, nonce,
                                             key_->bytes.data());
  return base64_encode(sealed);
}

Result<Tokens> Vault::unseal(const std::string& sealed, const std::string& connection) const {
  const auto bytes = base64_decode(sealed);
  if (!bytes || bytes->size() < kHeadBytes + kTagBytes || (*bytes)[0] != kFormat) {
    return Error{ErrorCode::kInvalid, "the tokens of " + connection + " are not sealed text"};
  }
  if (bytes->compare(1, kKeyIdBytes, key_->id) != 0) {
    return Error{ErrorCode::kDenied, "the tokens of " + connection +
                                         " were sealed with another key than the one configured"};
  }
  std::string plain(bytes->size() - kHeadBytes - kTagBytes, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          reinterpret_cast<unsigned char*>(plain.data()), nullptr, nullptr,
          raw(*bytes) + kHeadBytes, bytes->size() - kHeadBytes, raw(connection), connection.size(),
          raw(*bytes) + 1 + kKeyIdBytes, key_->bytes.data()) != 0) {
    return Error{ErrorCode::kDenied, "the tokens of " + connection + " were tampered with"};
  }
  const Value value = TRY(parse_json(plain));
  sodium_memzero(plain.data(), plain.size());
  return Tokens{text_of(value, "access_token"), text_of(value, "refresh_token")};
}

store::Connection make_connection(const Vault& vault, const ConnectionFacts& facts) {
  store::Connection connection;
  connection.id = facts.id;
  connection.provider = facts.provider;
  connection.account = facts.account;
  connection.sealed = vault.seal(facts.tokens, facts.id);
  connection.generation = 1;
  connection.expires_at = facts.expires_at;
  connection.settings = facts.settings.to_json();
  return connection;
}

}  // namespace stepwell::host
