// A plain HTTP client for tests: sends exactly the bytes it is told to, so that half requests,
// pipelines and nonsense can be sent too.  One connection; blocking; gives up after ten seconds.
#pragma once

#include <map>
#include <string>

namespace stepwell::server {

struct Answer {
  int status = 0;                              // 0: the connection ended before a status line.
  std::map<std::string, std::string> headers;  // Names in lower case.
  std::string body;
  bool is_whole = false;  // As many bytes as Content-Length promised.
};

class HttpClient {
 public:
  explicit HttpClient(int port);
  explicit HttpClient(const std::string& unix_path);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  void send(const std::string& bytes);
  Answer receive();                              // The next answer on the connection.
  void finish_sending();                         // A half-close; it still receives.
  std::string receive_bytes(std::size_t count);  // As they come; fewer when the other side closes.
  bool is_closed();  // Waits for the other side to close; false if it sends more or waits.

  Answer get(const std::string& target);
  Answer call(const std::string& method, const std::string& target, const std::string& body,
              const std::string& extra_headers = {});

 private:
  bool fill();

  int fd_ = -1;
  std::string buffer_;
};

}  // namespace stepwell::server
