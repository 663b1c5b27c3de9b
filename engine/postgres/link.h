// Link — one connection to PostgreSQL, and every way in which it can fail, sorted.
//
// The only place (beside Cluster and check_pooling) that knows libpqxx.  A link that was lost stays
// lost: it never connects again by itself, because the outcome of what was under way must be asked
// for first. Not thread-safe; one user at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "engine/postgres/parameters.h"
#include "engine/postgres/postgres.h"
#include "engine/store/trouble.h"

namespace stepwell::postgres {

using store::Trouble;

// The rows of an answer; texts are views into it.
class Rows {
 public:
  std::size_t size() const;
  bool empty() const { return size() == 0; }
  bool is_null(std::size_t row, int column) const;
  std::string_view text(std::size_t row, int column) const;
  std::string string(std::size_t row, int column) const { return std::string(text(row, column)); }
  std::int64_t number(std::size_t row, int column) const;
  bool flag(std::size_t row, int column) const { return text(row, column) == "t"; }
  Uuid uuid(std::size_t row, int column) const;
  std::string bytes(std::size_t row, int column) const;  // bytea
  Time time_ms(std::size_t row, int column) const { return from_unix_ms(number(row, column)); }
  std::optional<Time> optional_time_ms(std::size_t row, int column) const {
    if (is_null(row, column)) return std::nullopt;
    return time_ms(row, column);
  }
  std::uint64_t affected() const;

  struct Held;
  explicit Rows(std::shared_ptr<const Held> held) : held_(std::move(held)) {}

 private:
  std::shared_ptr<const Held> held_;
};

// Rows, or the trouble.
class Answer {
 public:
  Answer(Rows rows) : rows_(std::move(rows)) {}
  Answer(Trouble trouble) : trouble_(std::move(trouble)) {}
  bool ok() const { return rows_.has_value(); }
  const Rows& rows() const { return *rows_; }
  const Trouble& trouble() const { return trouble_; }

 private:
  std::optional<Rows> rows_;
  Trouble trouble_;
};

struct LinkPurpose {
  std::string name;  // For pg_stat_activity: "lane", "heartbeat", ...
  Millis statement_timeout{30'000};
  Millis lock_timeout{10'000};
  bool pin_plans = false;  // Index plans whatever the statistics say: for lanes' functions.
};

class Link {
 public:
  static Result<std::unique_ptr<Link>> open(const PgOptions& options, const LinkPurpose& purpose);
  ~Link();

  // Runs one autocommitted statement; it is prepared at its first use.
  Answer run(const char* sql, Parameters parameters = {});
  // Several statements without parameters, as one transaction.
  Answer run_script(const std::string& sql);

  bool is_lost() const;
  int backend_pid() const;
  // Text of the backend's start time, exactly as the server says it.
  const std::string& backend_start() const { return backend_start_; }

  // Notifications: subscribe, wait on socket() for reading, then ask.
  Answer listen(const std::string& channel);
  int socket() const;
  // How many arrived from other connections.
  int take_notifications();

 private:
  struct Wire;
  Link();
  std::unique_ptr<Wire> wire_;
  std::string backend_start_;
};

// The URL with the limits that every connection of ours has, or why it is none.
Result<std::string> link_url(const std::string& given);

// The schema's name as an identifier, or why it cannot be one.
Result<std::string> quoted_schema(const std::string& schema);

}  // namespace stepwell::postgres
