// TLS with a certificate that the test makes itself.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "tests/http/served.h"
#include "tests/server/http_client.h"

namespace stepwell::http {
namespace {

// A folder with the key and certificate of "localhost", signed by itself.
class Certificate {
 public:
  Certificate() : folder_("/tmp/stepwell-tls-XXXXXX") {
    folder_ = ::mkdtemp(folder_.data());
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3'600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3'600);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_set_pubkey(certificate, key);
    EXPECT_GT(X509_sign(certificate, key, EVP_sha256()), 0);
    std::FILE* file = std::fopen(key_file().c_str(), "w");
    EXPECT_EQ(PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr), 1);
    std::fclose(file);
    file = std::fopen(certificate_file().c_str(), "w");
    EXPECT_EQ(PEM_write_X509(file, certificate), 1);
    std::fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  ~Certificate() { std::filesystem::remove_all(folder_); }
  std::string key_file() const { return folder_ + "/key.pem"; }
  std::string certificate_file() const { return folder_ + "/certificate.pem"; }
  Endpoint endpoint() const {
    Endpoint endpoint;
    endpoint.certificate_file = certificate_file();
    endpoint.key_file = key_file();
    return endpoint;
  }

 private:
  std::string folder_;
};

// A blocking TLS client that trusts that certificate only.
class TlsClient {
 public:
  TlsClient(int port, const Certificate& trusted)
      : context_(SSL_CTX_new(TLS_client_method())),
        fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    EXPECT_EQ(SSL_CTX_load_verify_locations(context_, trusted.certificate_file().c_str(), nullptr),
              1);
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
    const timeval patience{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, fd_);
    EXPECT_EQ(SSL_connect(ssl_), 1);
  }
  ~TlsClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    ::close(fd_);
  }
  void send(const std::string& bytes) {
    EXPECT_EQ(SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())),
              static_cast<int>(bytes.size()));
  }
  void finish_sending() { SSL_shutdown(ssl_); }
  // Until the server has said that it is over; what stands here is whether it did.
  std::string receive_all(bool& is_closed_well) {
    std::string all;
    char buffer[16384];
    int n = 0;
    while ((n = SSL_read(ssl_, buffer, sizeof buffer)) > 0) {
      all.append(buffer, static_cast<std::size_t>(n));
    }
    is_closed_well = SSL_get_error(ssl_, n) == SSL_ERROR_ZERO_RETURN;
    return all;
  }
  std::string version() const { return SSL_get_version(ssl_); }

 private:
  SSL_CTX* context_;
  int fd_;
  SSL* ssl_ = nullptr;
};

void echo(const Request& request, const Reply& reply) {
  reply(Response::text(200, request.target + " " + request.body));
}

TEST(Tls, CarriesRequestsAndAnswers) {
  const Certificate certificate;
  Served served(&echo, certificate.endpoint());
  EXPECT_EQ(served.url(), "https://127.0.0.1:" + std::to_string(served.port()));
  TlsClient client(served.port(), certificate);
  EXPECT_EQ(client.version(), "TLSv1.3");
  const std::string body(1'000'000, 'x');
  client.send("GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.send(
      "POST https://localhost/2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
      "Content-Length: " +
      std::to_string(body.size()) + "\r\n\r\n");
  client.send(body);
  bool is_closed_well = false;
  const std::string received = client.receive_all(is_closed_well);
  EXPECT_TRUE(is_closed_well) << "TLS says that this was all";
  EXPECT_NE(received.find("\r\n\r\n/1 HTTP/1.1 200 OK"), std::string::npos);
  EXPECT_EQ(received.substr(received.size() - body.size() - 3), "/2 " + body);
}

TEST(Tls, AnswersAClientThatHasOnlyFinishedSending) {
  const Certificate certificate;
  std::promise<bool> end;
  Served served(
      [&](const Request&, const Reply& reply) {
        reply.on_end([&](bool is_delivered) { end.set_value(is_delivered); });
        reply(Response::text(200, "for you"));
      },
      certificate.endpoint());
  TlsClient client(served.port(), certificate);
  client.send("GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.finish_sending();
  bool is_closed_well = false;
  const std::string received = client.receive_all(is_closed_well);
  EXPECT_EQ(received.substr(received.size() - 7), "for you");
  EXPECT_TRUE(end.get_future().get());
}

TEST(Tls, HangsUpOnWhoDoesNotSpeakIt) {
  const Certificate certificate;
  Served served(&echo, certificate.endpoint());
  server::HttpClient plain(served.port());
  plain.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  plain.receive_bytes(1'000);  // An alert, perhaps.
  EXPECT_TRUE(plain.is_closed());
  TlsClient client(served.port(), certificate);
  client.send("GET /still/here HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  bool is_closed_well = false;
  EXPECT_NE(client.receive_all(is_closed_well).find("/still/here"), std::string::npos);
}

TEST(Tls, RefusesAMoreThanItCanTakeBeforeTheHandshakeIsOver) {
  const Certificate certificate;
  Limits limits;
  limits.max_connections = 1;
  std::promise<Reply> held;
  Served served([&](const Request&, const Reply& reply) { held.set_value(reply); },
                certificate.endpoint(), limits);
  TlsClient busy(served.port(), certificate);
  busy.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const Reply reply = held.get_future().get();
  TlsClient more(served.port(), certificate);
  bool is_closed_well = false;
  EXPECT_NE(more.receive_all(is_closed_well).find("HTTP/1.1 503 "), std::string::npos);
  EXPECT_TRUE(is_closed_well);
  reply(Response::text(200, ""));
}

TEST(Tls, NamesTheFileThatCannotBeUsed) {
  const Certificate certificate, other;
  loop::UvLoop loop;
  Endpoint endpoint = certificate.endpoint();
  endpoint.key_file = other.key_file();
  const auto wrong = Server::listen(loop, endpoint, &echo);
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(wrong.error().message.substr(0, wrong.error().message.find(": ")),
            "cannot use the key " + other.key_file() + " for the certificate " +
                certificate.certificate_file());
  endpoint.certificate_file = "/nowhere/certificate.pem";
  const auto missing = Server::listen(loop, endpoint, &echo);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().message.substr(0, missing.error().message.find(": ")),
            "cannot use the certificate /nowhere/certificate.pem");
}

}  // namespace
}  // namespace stepwell::http
