// Servers — the database of a run: one server, or a synchronous pair, which acknowledges nothing
// that only one of the two has.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "engine/postgres/cluster.h"

namespace stepwell::chaos {

class Servers {
 public:
  static Result<std::unique_ptr<Servers>> open(const std::string& directory, bool is_pair);

  // Of whichever takes writes.
  const std::string& url() const { return url_; }
  bool is_running() const { return primary_->is_running(); }
  Status start() { return primary_->start(); }
  // The server dies and recovers.
  Status crash();
  // Of a pair: the primary dies for good, the standby takes over and gets a standby of its own.
  Status fail_over();

 private:
  Servers(std::string directory) : directory_(std::move(directory)) {}
  Status pair();
  Status open_standby();

  const std::string directory_;
  std::string primary_folder_, standby_folder_, url_;
  std::unique_ptr<postgres::Cluster> primary_, standby_;
};

}  // namespace stepwell::chaos
