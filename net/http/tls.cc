#include "net/http/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <utility>

#include "base/check.h"

namespace stepwell::http {
namespace {

std::string last_error() {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_peek_last_error(), text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

class TlsSocket final : public loop::Socket, private loop::Socket::Events {
 public:
  TlsSocket(loop::Loop& loop, SSL_CTX* keys, std::unique_ptr<loop::Socket> below)
      : loop_(loop), below_(std::move(below)), ssl_(SSL_new(keys)) {
    CHECK(ssl_ != nullptr, "OpenSSL has no memory");
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), in_, out_);  // They are the SSL's now.
    SSL_set_accept_state(ssl_.get());
  }

  void start(loop::Socket::Events& events) override {
    events_ = &events;
    below_->start(*this);
  }

  void set_reading(bool is_wanted) override {
    if (is_wanted == is_reading_) return;
    is_reading_ = is_wanted;
    below_->set_reading(is_wanted);
    if (!is_wanted) return;
    // What was decrypted late: told from the loop, as everything.
    loop_.post([this, alive = std::weak_ptr<bool>(alive_)] {
      if (!alive.expired()) pump();
    });
  }

  void write(std::string_view first, std::string second) override {
    if (!SSL_is_init_finished(ssl_.get())) {  // A refusal before the handshake is over.
      waiting_.append(first).append(second);
      return;
    }
    seal(first);
    seal(second);
    send();
  }

  std::size_t unsent() const override { return waiting_.size() + below_->unsent(); }
  std::uint64_t sent() const override { return below_->sent(); }

  void finish() override {
    is_finishing_ = true;
    if (!waiting_.empty()) return;
    SSL_shutdown(ssl_.get());
    send();
    below_->finish();
  }

  Receipt receipt() const override { return below_->receipt(); }
  bool has_unread() const override {
    return BIO_ctrl_pending(in_) > 0 || SSL_pending(ssl_.get()) > 0 || below_->has_unread();
  }

 private:
  void on_bytes(std::string_view bytes) override {
    BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
    pump();
  }
  void on_end() override { end(); }  // Without TLS's own end: whoever counts bytes sees it.
  void on_broken() override {
    if (std::exchange(is_over_, true)) return;
    events_->on_broken();
  }
  void on_drained() override {
    if (waiting_.empty()) events_->on_drained();
  }

  void end() {
    if (std::exchange(is_over_, true)) return;
    events_->on_end();
  }

  void pump() {
    std::array<char, 16u << 10> plain;  // One record.
    while (is_reading_ && !is_over_) {
      ERR_clear_error();
      const int n = SSL_read(ssl_.get(), plain.data(), static_cast<int>(plain.size()));
      const int why = n > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), n);
      send();  // The handshake's part, or an alert.
      if (SSL_is_init_finished(ssl_.get()) && !waiting_.empty()) send_waiting();
      if (n > 0) {
        events_->on_bytes({plain.data(), static_cast<std::size_t>(n)});
      } else if (why == SSL_ERROR_WANT_READ) {
        return;
      } else if (why == SSL_ERROR_ZERO_RETURN) {
        return end();
      } else {
        return on_broken();
      }
    }
  }

  void send_waiting() {
    const std::string plain = std::exchange(waiting_, {});
    seal(plain);
    send();
    if (is_finishing_) finish();
    if (unsent() == 0) events_->on_drained();
  }

  void seal(std::string_view plain) {
    // A memory BIO takes everything; it fails only when the connection is broken, which the socket
    // below tells.
    if (!plain.empty()) (void)SSL_write(ssl_.get(), plain.data(), static_cast<int>(plain.size()));
  }

  void send() {
    const char* sealed = nullptr;
    const long size = BIO_get_mem_data(out_, &sealed);
    if (size <= 0) return;
    below_->write({sealed, static_cast<std::size_t>(size)}, {});
    (void)BIO_reset(out_);
  }

  loop::Loop& loop_;
  std::unique_ptr<loop::Socket> below_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  BIO* in_ = nullptr;
  BIO* out_ = nullptr;
  loop::Socket::Events* events_ = nullptr;
  std::string waiting_;  // Written before the handshake was over.
  bool is_reading_ = true;
  bool is_finishing_ = false;
  bool is_over_ = false;  // The last event was told.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

struct Tls::Keys {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  ~Keys() { SSL_CTX_free(context); }
};

Tls::Tls(std::unique_ptr<Keys> keys) : keys_(std::move(keys)) {}
Tls::~Tls() = default;

Result<std::unique_ptr<Tls>> Tls::open(const std::string& certificate_file,
                                       const std::string& key_file) {
  auto keys = std::make_unique<Keys>();
  SSL_CTX* const context = keys->context;
  CHECK(context != nullptr, "OpenSSL has no memory");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // An idle connection gives its buffers back.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1) {
    return Error{ErrorCode::kInvalid,
                 "cannot use the certificate " + certificate_file + ": " + last_error()};
  }
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return Error{ErrorCode::kInvalid, "cannot use the key " + key_file + " for the certificate " +
                                          certificate_file + ": " + last_error()};
  }
  return std::unique_ptr<Tls>(new Tls(std::move(keys)));
}

std::unique_ptr<loop::Socket> Tls::wrap(loop::Loop& loop, std::unique_ptr<loop::Socket> socket) {
  return std::make_unique<TlsSocket>(loop, keys_->context, std::move(socket));
}

}  // namespace stepwell::http
