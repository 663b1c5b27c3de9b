// Answers as bytes: conditional, compressed, with and without a body.
#include "net/http/answer.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace stepwell::http {
namespace {

std::string unpacked(const std::string& packed) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string plain(1u << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  plain.resize(plain.size() - stream.avail_out);
  inflateEnd(&stream);
  return plain;
}

std::string header(const Response& response, const std::string& name) {
  std::string found;
  for (const auto& [key, value] : response.headers) {
    if (key == name) found += (found.empty() ? "" : "|") + value;
  }
  return found;
}

Asked get(bool takes_gzip, std::string if_none_match = {}) {
  Asked asked;
  asked.is_get = true;
  asked.takes_gzip = takes_gzip;
  asked.if_none_match = std::move(if_none_match);
  return asked;
}

TEST(AcceptEncoding, IsReadWithItsWeights) {
  const std::pair<const char*, bool> cases[] = {
      {"", false},
      {"gzip", true},
      {"GZIP", true},
      {"deflate, gzip;q=0.5, br", true},
      {"gzip;q=0", false},
      {"gzip; q=0.000", false},
      {"gzip;q=0.001", true},
      {"*", true},
      {"*;q=0", false},
      {"gzip;q=0, *", false},
      {"br, *;q=0.1", true},
      {"identity", false},
      {"gzippy", false},
      {",, gzip ,", true},
  };
  for (const auto& [text, wanted] : cases) EXPECT_EQ(accepts_gzip(text), wanted) << text;
}

TEST(IfNoneMatch, ComparesWeakly) {
  EXPECT_TRUE(has_etag("\"a\"", "\"a\""));
  EXPECT_TRUE(has_etag("W/\"a\"", "\"a\""));
  EXPECT_TRUE(has_etag("\"b\", \"a\"", "W/\"a\""));
  EXPECT_TRUE(has_etag(" * ", "\"a\""));
  EXPECT_FALSE(has_etag("\"b\"", "\"a\""));
  EXPECT_FALSE(has_etag("", "\"a\""));
}

TEST(Answer, IsCompressedForWhoAcceptsIt) {
  Gzip gzip;
  const std::string text(5'000, 'x');
  for (int i = 0; i < 2; ++i) {  // The second time with the same machine.
    Response response = Response::json(200, text + std::to_string(i));
    finish_response(response, get(true), gzip);
    EXPECT_LT(response.body.size(), 200u);
    EXPECT_EQ(unpacked(response.body), text + std::to_string(i));
    EXPECT_EQ(header(response, "Content-Encoding"), "gzip");
    EXPECT_EQ(header(response, "Vary"), "Accept-Encoding");
  }
}

TEST(Answer, IsLeftAsItIsWhereCompressionDoesNotPay) {
  Gzip gzip;
  Response small = Response::json(200, std::string(1'023, 'x'));
  Response large = Response::json(200, std::string((1u << 20) + 1, 'x'));
  Response image{200, {{"Content-Type", "image/png"}}, std::string(5'000, 'x')};
  Response packed{
      200, {{"Content-Type", "text/css"}, {"Content-Encoding", "br"}}, std::string(5'000, 'x')};
  for (Response* response : {&small, &large, &image, &packed}) {
    const std::string before = response->body;
    finish_response(*response, get(true), gzip);
    EXPECT_EQ(response->body, before);
    EXPECT_EQ(header(*response, "Vary"), "");
  }
  // Who does not accept it learns that others get other bytes.
  Response plain = Response::text(200, std::string(5'000, 'x'));
  finish_response(plain, get(false), gzip);
  EXPECT_EQ(plain.body.size(), 5'000u);
  EXPECT_EQ(header(plain, "Vary"), "Accept-Encoding");
}

// A long one is finished where it is made, and passes the loop after that.
TEST(Answer, IsFinishedOnceHoweverOftenItIsTried) {
  for (const bool takes_gzip : {true, false}) {
    for (const char* etag : {"\"v0\"", "\"v1\""}) {
      Gzip gzip;
      Response once{
          200, {{"Content-Type", "text/css"}, {"ETag", "\"v1\""}}, std::string(5'000, 'x')};
      finish_response(once, get(takes_gzip, etag), gzip);
      Response twice = once;
      finish_response(twice, get(takes_gzip, etag), gzip);
      EXPECT_EQ(twice.status, once.status);
      EXPECT_EQ(twice.headers, once.headers);
      EXPECT_EQ(twice.body, once.body);
    }
  }
}

TEST(Answer, IsNotSentToWhoHasIt) {
  Gzip gzip;
  Response response{
      200,
      {{"Content-Type", "text/css"}, {"ETag", "\"v1\""}, {"Cache-Control", "no-cache"}},
      std::string(5'000, 'x')};
  Response known = response;
  finish_response(known, get(true, "\"v0\", W/\"v1\""), gzip);
  EXPECT_EQ(known.status, 304);
  EXPECT_EQ(known.body, "");
  EXPECT_EQ(known.headers, (Headers{{"ETag", "\"v1\""}, {"Cache-Control", "no-cache"}}));

  Response other = response;
  finish_response(other, get(true, "\"v0\""), gzip);
  EXPECT_EQ(other.status, 200);
  EXPECT_EQ(header(other, "ETag"), "W/\"v1\"") << "compressed, it is not the same bytes";

  Response posted = response;
  Asked asked = get(false, "\"v1\"");
  asked.is_get = false;
  finish_response(posted, asked, gzip);
  EXPECT_EQ(posted.status, 200);

  Response missing = response;
  missing.status = 404;
  finish_response(missing, get(false, "\"v1\""), gzip);
  EXPECT_EQ(missing.status, 404);
}

TEST(Answer, IsOursWhenAHeaderWouldForgeOthers) {
  Gzip gzip;
  for (const auto& [name, value] : Headers{{"Location", "/a\r\nSet-Cookie: b"},
                                           {"X: Y", "z"},
                                           {"", "z"},
                                           {"Content-Length", "3"},
                                           {"connection", "close"}}) {
    Response response{302, {{name, value}}, {}};
    finish_response(response, get(false), gzip);
    EXPECT_EQ(response.status, 500) << name;
    EXPECT_EQ(response.body, R"({"code":"internal","message":"the answer has a header that )"
                             R"(cannot be sent","hint":""})");
  }
}

std::string head_of(const Response& response, const Asked& asked, Framing framing, bool is_last) {
  std::string out;
  write_head(out, response, asked, framing, is_last, "NOW");
  return out;
}

TEST(Answer, HasAHeadThatSaysHowItEnds) {
  const Response response = Response::text(200, "four");
  const std::string begin =
      "HTTP/1.1 200 OK\r\nDate: NOW\r\nContent-Type: text/plain; charset=utf-8\r\n";
  Asked old;
  old.minor_version = 0;
  EXPECT_EQ(head_of(response, {}, Framing::kLength, false), begin + "Content-Length: 4\r\n\r\n");
  EXPECT_EQ(head_of(response, {}, Framing::kLength, true),
            begin + "Content-Length: 4\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(head_of(response, old, Framing::kLength, false),
            begin + "Content-Length: 4\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(head_of(response, {}, Framing::kChunked, false),
            begin + "Transfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(head_of({204, {}, {}}, {}, Framing::kLength, false),
            "HTTP/1.1 204 No Content\r\nDate: NOW\r\n\r\n");
  EXPECT_EQ(head_of({299, {}, {}}, {}, Framing::kLength, false),
            "HTTP/1.1 299 Status\r\nDate: NOW\r\nContent-Length: 0\r\n\r\n");
  Asked head;
  head.is_head = true;
  EXPECT_EQ(head_of(response, head, Framing::kLength, false), begin + "Content-Length: 4\r\n\r\n");
  EXPECT_FALSE(sends_body(response, head));
  EXPECT_TRUE(sends_body(response, {}));
}

TEST(Answer, HasADateAsHttpWordsIt) {
  EXPECT_EQ(http_date(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http_date(1'709'164'800), "Thu, 29 Feb 2024 00:00:00 GMT");
  EXPECT_EQ(http_date(1'798'761'599), "Thu, 31 Dec 2026 23:59:59 GMT");
}

TEST(Refusal, IsWordedAsEveryDoorDoes) {
  EXPECT_EQ(refusal(404, "not_found", "no \"x\"", "look").body,
            R"({"code":"not_found","message":"no \"x\"","hint":"look"})");
}

TEST(ServerSentEvent, HasALineForEachLine) {
  EXPECT_EQ(server_sent_event("", "one"), "data: one\n\n");
  EXPECT_EQ(server_sent_event("e", "one\n\ntwo\n"),
            "event: e\ndata: one\ndata: \ndata: two\ndata: \n\n");
  EXPECT_EQ(server_sent_event("", ""), "data: \n\n");
}

}  // namespace
}  // namespace stepwell::http
