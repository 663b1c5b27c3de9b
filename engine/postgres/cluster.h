// Cluster — a private PostgreSQL server below one directory.
//
// `stepwell dev` and the tests run on one: nothing to install beside the server's binaries, nothing
// to configure, reachable only through a unix socket in a folder that nobody else may enter.
// Clients connect as an ordinary role that owns its schemas and nothing else (setup.h), as they
// should anywhere.
// The server always runs durably (fsync, synchronous_commit and full_page_writes stay on).
// When this process is root the server runs as the user `postgres`, since it refuses root; if that
// user may not enter `directory`, the data lives in /var/lib/stepwell/<name> and `directory` gets a
// link to it.
//
// A server that outlived its last owner (killed with -9) is taken over by the next open().
// Thread-safety: one thread at a time.  Ownership: the server stops with the Cluster.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "engine/postgres/setup.h"

namespace stepwell::postgres {

struct ClusterOptions {
  std::string directory = {};              // Made when missing; holds data/, run/ and postgres.log.
  Setup setup = {};                        // Who and what is made when missing.
  std::vector<std::string> settings = {};  // More of "name=value", after ours.
  std::string standby_of = {};    // admin_url() of a running server that a new one is to follow.
  bool dies_with_parent = false;  // Throw-away clusters: stop when this thread's process ends.
  Millis start_deadline{60'000};
};

class Cluster {
 public:
  // Makes the data directory if there is none, and starts the server (or takes over the running
  // one).  Returns when it accepts connections.
  static Result<std::unique_ptr<Cluster>> open(const ClusterOptions& options);
  // Stops the server cleanly, when that was not done.
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // For open_store() and psql: the database and the role of the setup.
  const std::string& url() const { return url_; }
  // The same database as its administrator, for what tests do to a server.
  const std::string& admin_url() const { return admin_url_; }
  const std::string& log_path() const { return log_path_; }
  int server_pid() const { return pid_; }
  bool is_running() const { return pid_ > 0; }

  Status start();
  // Ends sessions, writes a checkpoint, waits for the server's end.
  Status stop();
  // As a power cut for the server: no checkpoint; the next start() recovers.  For crash tests.
  Status crash();
  // Of a standby: from now on it takes writes, on a timeline of its own.
  Status promote();

 private:
  Cluster() = default;
  Status prepare_folders();
  Status initialize();
  bool take_over();
  Status spawn_server();
  Status wait_until_ready();
  Status set_up();
  Status end_server(int signal);
  std::string log_tail() const;

  ClusterOptions options_;
  std::string root_, data_, run_, log_path_, binaries_, url_, admin_url_;
  std::string first_url_;          // The administrator, in the database that every server has.
  unsigned user_ = 0, group_ = 0;  // Whom the server runs as; 0: as we do.
  int pid_ = 0;
  bool child_ = false;  // Started by us (else taken over).
};

// Where initdb and postgres are: STEPWELL_POSTGRES_BIN, Debian's newest, or the PATH.
Result<std::string> find_server_binaries();

}  // namespace stepwell::postgres
