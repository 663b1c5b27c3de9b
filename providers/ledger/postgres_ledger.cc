// The ledger and connections in PostgreSQL.
#include "providers/ledger/postgres_ledger.h"

#include <map>

#include "engine/postgres/link_pool.h"

namespace stepwell::postgres {
namespace {

using store::ChunkRow;
using store::Connection;
using store::LedgerRow;

// A refresh may take as long as an HTTP call, with its row locked.
constexpr const char* kForRefresh =
    "SET idle_in_transaction_session_timeout = '120s'; "
    "SET lock_timeout = '120s'; SET statement_timeout = '125s'; BEGIN";

Parameters columns(const std::vector<LedgerRow>& rows) {
  // A key that comes twice counts once, as it came last: one statement may touch a row only once.
  // In order, so that two writers cannot wait for each other.
  std::map<std::pair<std::string, std::string>, const LedgerRow*> last;
  for (const LedgerRow& row : rows) last[{row.connection, row.key}] = &row;
  ArrayParameter connection(ElementType::kText), key(ElementType::kText),
      status(ElementType::kText), version(ElementType::kText), remote_id(ElementType::kText),
      handle(ElementType::kText);
  for (const auto& [id, row] : last) {
    connection.add(row->connection);
    key.add(row->key);
    status.add(row->status);
    version.add(row->version);
    remote_id.add(row->remote_id);
    handle.add(row->handle);
  }
  Parameters parameters;
  for (ArrayParameter* column : {&connection, &key, &status, &version, &remote_id, &handle}) {
    parameters.add(std::move(*column));
  }
  return parameters;
}

class PgLedger : public store::Ledger {
 public:
  PgLedger(const PgOptions& options, Namespace ns)
      : ns_(std::move(ns)), links_(options, {.name = "ledger", .pin_plans = true}) {}

  Result<std::vector<LedgerRow>> read(const std::string& connection,
                                      const std::vector<std::string>& keys) override {
    const Answer answer =
        TRY(links_.run("SELECT l.key, l.status, l.version, l.remote_id, l.handle "
                       "FROM unnest($2::text[]) WITH ORDINALITY AS k (key, i) "
                       "JOIN ledger l ON l.namespace = $3 AND l.connection = $1 AND l.key = k.key "
                       "ORDER BY k.i",
                       Parameters().add(connection).add(text_array(keys)).add(ns_.name())));
    if (!answer.ok()) return answer.trouble().error("read the ledger");
    std::vector<LedgerRow> found;
    const Rows& rows = answer.rows();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      found.push_back({connection, rows.string(i, 0), rows.string(i, 1), rows.string(i, 2),
                       rows.string(i, 3), rows.string(i, 4)});
    }
    return found;
  }

  Status write(const std::vector<LedgerRow>& rows) override {
    Parameters parameters = columns(rows);
    parameters.add(ns_.name());
    const Answer answer = TRY(links_.run(
        "INSERT INTO ledger (namespace, connection, key, status, version, remote_id, handle) "
        "SELECT $7::text, r.* FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], "
        "$5::text[], $6::text[]) AS r "
        "ON CONFLICT (namespace, connection, key) DO UPDATE SET status = excluded.status, "
        "version = excluded.version, remote_id = excluded.remote_id, handle = excluded.handle, "
        "changed_at = now()",
        parameters));
    return answer.ok() ? ok_status() : answer.trouble().error("write the ledger");
  }

  Status write_chunk(const ChunkRow& row) override {
    const Answer answer = TRY(links_.run(
        "INSERT INTO chunks (job, chunk, status, detail, namespace) "
        "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (namespace, job, chunk) DO UPDATE SET status = "
        "excluded.status, detail = "
        "excluded.detail, "
        "changed_at = now()",
        Parameters().add(row.job).add(row.chunk).add(row.status).add(row.detail).add(ns_.name())));
    return answer.ok() ? ok_status() : answer.trouble().error("write a chunk");
  }

  Result<std::vector<ChunkRow>> chunks(const std::string& job) override {
    const Answer answer =
        TRY(links_.run("SELECT chunk, status, detail FROM chunks WHERE namespace = $2 AND job = $1 "
                       "ORDER BY chunk COLLATE \"C\"",
                       Parameters().add(job).add(ns_.name())));
    if (!answer.ok()) return answer.trouble().error("read chunks");
    std::vector<ChunkRow> found;
    const Rows& rows = answer.rows();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      found.push_back({job, rows.string(i, 0), rows.string(i, 1), rows.string(i, 2)});
    }
    return found;
  }

 private:
  Namespace ns_;
  LinkPool links_;
};

#define CONNECTION_COLUMNS                                                              \
  "SELECT id, provider, account, sealed, generation, stepwell_ms(expires_at), status, " \
  "settings FROM connections WHERE namespace = $1 "

Connection read_connection(const Rows& rows, std::size_t i) {
  Connection found{rows.string(i, 0),
                   rows.string(i, 1),
                   rows.string(i, 2),
                   rows.string(i, 3),
                   static_cast<std::uint64_t>(rows.number(i, 4)),
                   std::nullopt,
                   rows.string(i, 6),
                   rows.string(i, 7)};
  if (!rows.is_null(i, 5)) found.expires_at = rows.time_ms(i, 5);
  return found;
}

Answer write_connection(Link& link, const Namespace& ns, const Connection& connection) {
  constexpr std::int64_t kNever = -1;
  return link.run(
      "INSERT INTO connections (id, provider, account, sealed, generation, expires_at, status, "
      "settings, namespace) "
      "VALUES ($1, $2, $3, $4, $5, stepwell_time(nullif($6::bigint, -1)), $7, $8, $9) "
      "ON CONFLICT (namespace, id) DO UPDATE SET provider = excluded.provider, account = "
      "excluded.account, "
      "sealed = excluded.sealed, generation = connections.generation + 1, "
      "expires_at = excluded.expires_at, status = excluded.status, settings = excluded.settings, "
      "changed_at = now()",
      Parameters()
          .add(connection.id)
          .add(connection.provider)
          .add(connection.account)
          .add(connection.sealed)
          .add(static_cast<std::int64_t>(connection.generation))
          .add(connection.expires_at ? unix_ms(*connection.expires_at) : kNever)
          .add(connection.status)
          .add(connection.settings)
          .add(ns.name()));
}

class PgConnections : public store::Connections {
 public:
  PgConnections(const PgOptions& options, Namespace ns)
      : ns_(std::move(ns)), links_(options, {.name = "connections", .pin_plans = true}) {}

  Status put(const Connection& connection) override {
    const Answer answer =
        TRY(links_.with_link([&](Link& link) { return write_connection(link, ns_, connection); }));
    return answer.ok() ? ok_status() : answer.trouble().error("store connection " + connection.id);
  }

  Result<Connection> get(const std::string& id) override {
    const Answer answer =
        TRY(links_.run(CONNECTION_COLUMNS "AND id = $2", Parameters().add(ns_.name()).add(id)));
    if (!answer.ok()) return answer.trouble().error("read connection " + id);
    if (answer.rows().empty()) return absent(id);
    return read_connection(answer.rows(), 0);
  }

  Result<std::vector<Connection>> list() override {
    const Answer answer = TRY(
        links_.run(CONNECTION_COLUMNS "ORDER BY id COLLATE \"C\"", Parameters().add(ns_.name())));
    if (!answer.ok()) return answer.trouble().error("list connections");
    std::vector<Connection> found;
    for (std::size_t i = 0; i < answer.rows().size(); ++i) {
      found.push_back(read_connection(answer.rows(), i));
    }
    return found;
  }

  Result<Connection> refresh(
      const std::string& id, std::uint64_t seen,
      const std::function<Result<Connection>(const Connection&)>& refresh) override {
    // A connection of its own: the transaction lasts as long as the call, and ends with the link.
    const std::unique_ptr<Link> link = TRY(links_.fresh());
    if (const Answer begun = link->run_script(kForRefresh); !begun.ok()) {
      return begun.trouble().error("refresh connection " + id);
    }
    const Answer locked = link->run(CONNECTION_COLUMNS "AND id = $2 FOR UPDATE",
                                    Parameters().add(ns_.name()).add(id));
    if (!locked.ok()) return locked.trouble().error("lock connection " + id);
    if (locked.rows().empty()) return absent(id);
    const Connection current = read_connection(locked.rows(), 0);
    if (current.generation > seen) return current;
    Connection fresh = TRY(refresh(current));
    fresh.id = id;
    fresh.generation = current.generation + 1;
    if (const Answer written = write_connection(*link, ns_, fresh); !written.ok()) {
      return written.trouble().error("store connection " + id);
    }
    if (const Answer ended = link->run_script("COMMIT"); !ended.ok()) {
      return ended.trouble().error("store connection " + id);
    }
    return fresh;
  }

 private:
  static Error absent(const std::string& id) {
    return {ErrorCode::kNotFound, "there is no connection " + id};
  }

  Namespace ns_;
  LinkPool links_;
};

}  // namespace

Result<std::unique_ptr<store::Ledger>> open_ledger(const PgOptions& options, const Namespace& ns) {
  TRY(quoted_schema(options.schema));
  return std::unique_ptr<store::Ledger>(std::make_unique<PgLedger>(options, ns));
}

Result<std::unique_ptr<store::Connections>> open_connections(const PgOptions& options,
                                                             const Namespace& ns) {
  TRY(quoted_schema(options.schema));
  return std::unique_ptr<store::Connections>(std::make_unique<PgConnections>(options, ns));
}

}  // namespace stepwell::postgres
