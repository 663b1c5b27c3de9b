// LibraryCalls — what libraries may ask for beside computing: other providers, the ledger, the
// console.
#pragma once

#include <functional>
#include <string>

#include "providers/host/broker/broker.h"

namespace stepwell::host {

class LibraryCalls {
 public:
  // `record`: the request of the call that is answered.
  LibraryCalls(Broker& broker, CallRef call, std::shared_ptr<Record> record)
      : broker_(broker), call_(std::move(call)), record_(std::move(record)) {}
  void run(const std::string& kind, const Value& body, AnswerDone done);

 private:
  void call(const Value& body, AnswerDone done);
  void provider(const Value& body, const AnswerDone& done);
  void connection(const Value& body, AnswerDone done);
  void notify(const Value& body, const AnswerDone& done);
  void ledger_read(const Value& body, AnswerDone done);
  void ledger_write(const Value& body, AnswerDone done);
  void ledger_chunk(const Value& body, AnswerDone done);
  void ledger_chunks(const Value& body, AnswerDone done);
  // Runs `work` on the providers' threads and answers with what it returns.
  void ask(std::function<Result<Value>()> work, AnswerDone done);

  Broker& broker_;
  CallRef call_;
  std::shared_ptr<Record> record_;
};

}  // namespace stepwell::host
