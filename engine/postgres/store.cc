#include <algorithm>
#include <chrono>

#include "engine/postgres/batch_sql.h"
#include "engine/postgres/hints.h"
#include "engine/postgres/link_pool.h"
#include "engine/postgres/list_sql.h"
#include "engine/postgres/node.h"
#include "engine/postgres/pooling.h"
#include "engine/postgres/postgres.h"
#include "engine/store/batch_parts.h"

namespace stepwell::postgres {
namespace {

using store::ExecutionRow;
using store::JournalRow;
using store::SnapshotRow;
using store::Start;
using store::StartOutcome;
using store::StoredProgram;

constexpr std::uint32_t kLongestPage = 1'000;
constexpr std::int32_t kFreedAtOnce = 1'000, kWokenAtOnce = 5'000, kForgottenAtOnce = 1'000;
constexpr int kWokenPages = 20;

StoredProgram read_program(const Rows& rows) {
  return {rows.string(0, 0), rows.string(0, 1), rows.string(0, 2),
          rows.string(0, 3), rows.string(0, 4), static_cast<std::uint32_t>(rows.number(0, 5))};
}

Error no_execution(ExecutionId id) {
  return {ErrorCode::kNotFound, "there is no execution " + id.text()};
}

class PgStore : public store::Store {
 public:
  explicit PgStore(const PgOptions& options)
      : options_(options), links_(options, {.name = "store", .pin_plans = true}), hints_(options) {}

  LinkPool& links() { return links_; }

  Result<std::unique_ptr<store::Node>> join(const store::NodeOptions& options) override {
    TRY(check_rights());
    return PgNode::join(options_, options);
  }

  Result<std::vector<StartOutcome>> start(const std::vector<Start>& starts) override;
  Status deliver(const Namespace& ns, const store::Delivery& delivery) override;
  Result<ExecutionRow> describe(const Namespace& ns, ExecutionId id) override;
  Result<std::optional<ExecutionId>> find(const Namespace& ns, const std::string& workflow,
                                          const std::string& name) override;
  Result<std::vector<ExecutionRow>> list(const Namespace& ns,
                                         const store::ListFilter& filter) override;
  Result<std::vector<JournalRow>> journal(const Namespace& ns, ExecutionId id, std::uint64_t after,
                                          std::uint32_t limit) override;
  Status save_snapshot(const SnapshotRow& snapshot) override;
  Result<std::optional<SnapshotRow>> load_snapshot(const Namespace& ns, ExecutionId id,
                                                   std::uint64_t at_most) override;
  Result<std::uint32_t> put_program(const Namespace& ns, const StoredProgram& program) override;
  Result<StoredProgram> program_by_hash(const Namespace& ns, const std::string& hash) override;
  Result<StoredProgram> program_by_name(const Namespace& ns, const std::string& workflow) override;
  Result<store::Look> look(const store::LookRequest& request) override;
  Result<store::SweepReport> sweep() override;
  Result<Time> now() override;
  Status maintain() override;
  bool wait_for_hint(Millis at_most) override { return hints_.wait(at_most); }
  Status check(bool allow_unsafe) override;

 private:
  // The rows, or the trouble as an error that says what was being done.
  Result<Rows> ask(const char* doing, const char* sql, const Parameters& parameters = {}) {
    const Answer answer = TRY(links_.run(sql, parameters));
    if (!answer.ok()) return answer.trouble().error(doing);
    return answer.rows();
  }
  Result<std::uint32_t> wake();
  Uuid wake_after() {
    const MutexLock lock(wake_mutex_);
    return wake_after_;
  }
  void set_wake_after(const Uuid& last) {
    const MutexLock lock(wake_mutex_);
    wake_after_ = last;
  }
  Status check_rights();
  Status check_settings();

  PgOptions options_;
  LinkPool links_;
  Hints hints_;
  Mutex wake_mutex_;
  // Where the next page of messages begins.
  Uuid wake_after_ GUARDED_BY(wake_mutex_);
};

Result<std::vector<StartOutcome>> PgStore::start(const std::vector<Start>& starts) {
  if (starts.empty()) return std::vector<StartOutcome>();
  for (const Start& start : starts) {
    if (std::string why = store::why_refused(start); !why.empty()) {
      return Error{ErrorCode::kRefusedData, why};
    }
  }
  // Starting the same ids again changes nothing.
  Parameters parameters;
  add_starts(parameters, starts);
  const Answer started =
      TRY(links_.run("SELECT stepwell_start_unowned_v2($1, $2, $3)", parameters));
  if (!started.ok()) return started.trouble().error("start");
  hints_.post();
  return parse_outcomes(started.rows().text(0, 0), starts);
}

Status PgStore::deliver(const Namespace& ns, const store::Delivery& delivery) {
  if (std::string why = store::why_refused(delivery); !why.empty()) {
    return Error{ErrorCode::kRefusedData, why};
  }
  const Rows rows = TRY(ask("deliver", "SELECT stepwell_deliver_v1($1, $2, $3, $4, $5, $6)",
                            Parameters()
                                .add(ns.name())
                                .add(delivery.execution.uuid)
                                .add_int2(static_cast<std::int16_t>(delivery.kind))
                                .add(static_cast<std::int64_t>(delivery.command.value))
                                .add(delivery.dedupe_key)
                                .add(delivery.payload)));
  const std::string outcome = rows.string(0, 0);
  if (outcome == "not_found") return no_execution(delivery.execution);
  if (outcome.rfind("conflict:", 0) == 0) {
    const auto status = static_cast<ExecutionStatus>(std::stoi(outcome.substr(9)));
    return Error{ErrorCode::kConflict,
                 "execution " + delivery.execution.text() + " is " + to_string(status)};
  }
  hints_.post();
  return ok_status();
}

Result<ExecutionRow> PgStore::describe(const Namespace& ns, ExecutionId id) {
  const Rows rows = TRY(ask("describe", kDescribeSql, Parameters().add(id.uuid).add(ns.name())));
  if (rows.empty()) return no_execution(id);
  return read_execution(rows, 0);
}

Result<std::optional<ExecutionId>> PgStore::find(const Namespace& ns, const std::string& workflow,
                                                 const std::string& name) {
  const Rows keys = TRY(ask("find",
                            "SELECT execution FROM start_keys WHERE namespace = $1 "
                            "AND workflow = $2 AND name = $3",
                            Parameters().add(ns.name()).add(workflow).add(name)));
  if (!keys.empty()) return std::optional<ExecutionId>(ExecutionId{keys.uuid(0, 0)});
  const auto id = Uuid::parse(name);
  if (!id) return std::optional<ExecutionId>();
  const Rows rows = TRY(ask("find",
                            "SELECT id FROM executions WHERE id = $1 AND namespace = $2 "
                            "AND workflow = $3 AND name = ''",
                            Parameters().add(*id).add(ns.name()).add(workflow)));
  if (rows.empty()) return std::optional<ExecutionId>();
  return std::optional<ExecutionId>(ExecutionId{*id});
}

Result<std::vector<ExecutionRow>> PgStore::list(const Namespace& ns,
                                                const store::ListFilter& filter) {
  Uuid last;
  last.bytes.fill(0xff);
  Parameters parameters;
  parameters.add(ns.name()).add(filter.before ? filter.before->uuid : last);
  parameters.add(static_cast<std::int64_t>(std::min(filter.limit, kLongestPage)));
  if (!filter.workflow.empty()) parameters.add(filter.workflow);
  const Rows rows = TRY(ask("list", list_sql(filter).c_str(), parameters));
  std::vector<ExecutionRow> found;
  for (std::size_t i = 0; i < rows.size(); ++i) found.push_back(read_execution(rows, i));
  return found;
}

Result<std::vector<JournalRow>> PgStore::journal(const Namespace& ns, ExecutionId id,
                                                 std::uint64_t after, std::uint32_t limit) {
  const Rows rows = TRY(ask("read a journal",
                            "SELECT j.seq, j.kind, j.command, j.at_ms, j.input_hash, "
                            "CASE WHEN j.encoding = 2 "
                            "THEN stepwell_payload(j.encoding, j.payload, x.input) "
                            "ELSE j.payload END "
                            "FROM executions x LEFT JOIN LATERAL (SELECT * FROM journal "
                            "WHERE execution = $1 AND seq > $2 ORDER BY seq LIMIT $3) j ON true "
                            "WHERE x.id = $1 AND x.namespace = $4 ORDER BY j.seq",
                            Parameters()
                                .add(id.uuid)
                                .add(static_cast<std::int64_t>(after))
                                .add(static_cast<std::int64_t>(limit))
                                .add(ns.name())));
  if (rows.empty()) return no_execution(id);
  std::vector<JournalRow> found;
  if (rows.is_null(0, 0)) return found;
  found.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    found.push_back({id, static_cast<std::uint64_t>(rows.number(i, 0)),
                     static_cast<FactKind>(rows.number(i, 1)),
                     CommandId{static_cast<std::uint64_t>(rows.number(i, 2))}, rows.time_ms(i, 3),
                     static_cast<std::uint64_t>(rows.number(i, 4)), rows.string(i, 5)});
  }
  return found;
}

Status PgStore::save_snapshot(const SnapshotRow& snapshot) {
  TRY(ask("save a snapshot",
          "INSERT INTO snapshots (execution, seq, journal_hash, body) VALUES ($1, $2, $3, $4) "
          "ON CONFLICT (execution, seq) DO UPDATE "
          "SET journal_hash = excluded.journal_hash, body = excluded.body",
          Parameters()
              .add(snapshot.execution.uuid)
              .add(static_cast<std::int64_t>(snapshot.seq))
              .add(static_cast<std::int64_t>(snapshot.journal_hash))
              .add(snapshot.body)));
  return ok_status();
}

Result<std::optional<SnapshotRow>> PgStore::load_snapshot(const Namespace& ns, ExecutionId id,
                                                          std::uint64_t at_most) {
  constexpr std::uint64_t kGreatest = INT64_MAX;
  const Rows rows = TRY(ask(
      "load a snapshot",
      "SELECT seq, journal_hash, body FROM snapshots WHERE execution = $1 "
      "AND seq <= $2 AND EXISTS (SELECT 1 FROM executions x WHERE x.id = $1 AND x.namespace = $3) "
      "ORDER BY seq DESC LIMIT 1",
      Parameters()
          .add(id.uuid)
          .add(static_cast<std::int64_t>(std::min(at_most, kGreatest)))
          .add(ns.name())));
  if (rows.empty()) return std::optional<SnapshotRow>();
  return std::optional<SnapshotRow>(SnapshotRow{id, static_cast<std::uint64_t>(rows.number(0, 0)),
                                                static_cast<std::uint64_t>(rows.number(0, 1)),
                                                rows.bytes(0, 2)});
}

Result<std::uint32_t> PgStore::put_program(const Namespace& ns, const StoredProgram& program) {
  const Rows rows =
      TRY(ask("store a program", "SELECT stepwell_put_program_v1($1, $2, $3, $4, $5, $6)",
              Parameters()
                  .add(ns.name())
                  .add(program.hash)
                  .add(program.workflow)
                  .add(program.source)
                  .add(program.definition)
                  .add(program.file)));
  return static_cast<std::uint32_t>(rows.number(0, 0));
}

Result<StoredProgram> PgStore::program_by_hash(const Namespace& ns, const std::string& hash) {
  const Rows rows = TRY(ask("read a program",
                            "SELECT p.hash, v.workflow, p.source, p.definition, p.file, v.version "
                            "FROM workflow_versions v JOIN programs p ON p.hash = v.hash "
                            "WHERE v.namespace = $1 AND v.hash = $2 ORDER BY v.workflow LIMIT 1",
                            Parameters().add(ns.name()).add(hash)));
  if (rows.empty()) return Error{ErrorCode::kNotFound, "there is no program " + hash};
  return read_program(rows);
}

Result<StoredProgram> PgStore::program_by_name(const Namespace& ns, const std::string& workflow) {
  const Rows rows = TRY(ask("read a program",
                            "SELECT p.hash, v.workflow, p.source, p.definition, p.file, v.version "
                            "FROM workflows w JOIN workflow_versions v ON v.namespace = "
                            "w.namespace AND v.workflow = w.name AND v.version = w.version "
                            "JOIN programs p ON p.hash = v.hash "
                            "WHERE w.namespace = $1 AND w.name = $2",
                            Parameters().add(ns.name()).add(workflow)));
  if (rows.empty()) return Error{ErrorCode::kNotFound, "there is no workflow " + workflow};
  return read_program(rows);
}

Result<store::Look> PgStore::look(const store::LookRequest& request) {
  const Rows rows = TRY(ask("look", "SELECT * FROM stepwell_look_v1($1, $2, $3)",
                            Parameters()
                                .add(text_array(request.pools))
                                .add_int2(static_cast<std::int16_t>(request.semantics))
                                .add(request.node.value_or(Uuid{}))));
  store::Look look;
  look.now = rows.time_ms(0, 0);
  look.next_due = rows.optional_time_ms(0, 1);
  look.next_suspect = rows.optional_time_ms(0, 2);
  look.has_inbox = rows.flag(0, 3);
  look.has_late = rows.flag(0, 4);
  look.has_unfreed = rows.flag(0, 5);
  look.has_stale_inbox = rows.flag(0, 6);
  return look;
}

Result<store::SweepReport> PgStore::sweep() {
  store::SweepReport report;
  const Rows marked =
      TRY(ask("mark the dead", "SELECT marked, evidence, terminated FROM stepwell_mark_dead_v1()"));
  report.writers_marked = static_cast<std::uint32_t>(marked.number(0, 0));
  report.by_evidence = marked.flag(0, 1);
  report.backends_terminated = static_cast<std::uint32_t>(marked.number(0, 2));
  for (;;) {
    const Rows freed = TRY(ask("free what the dead owned", "SELECT stepwell_free_v1($1)",
                               Parameters().add_int4(kFreedAtOnce)));
    report.executions_freed += static_cast<std::uint32_t>(freed.number(0, 0));
    if (freed.number(0, 0) < kFreedAtOnce) break;
  }
  report.inbox_woken = TRY(wake());
  if (report.executions_freed + report.inbox_woken > 0) hints_.post();
  return report;
}

// All messages, page by page; what is beyond the last page comes in the next round.
Result<std::uint32_t> PgStore::wake() {
  std::uint32_t woken = 0;
  for (int page = 0; page < kWokenPages; ++page) {
    const Uuid after = wake_after();
    const Rows rows = TRY(ask("wake inboxes", "SELECT woken, last FROM stepwell_wake_v2($1, $2)",
                              Parameters().add(after).add_int4(kWokenAtOnce)));
    woken += static_cast<std::uint32_t>(rows.number(0, 0));
    const bool is_end = rows.is_null(0, 1);
    set_wake_after(is_end ? Uuid{} : rows.uuid(0, 1));
    if (is_end) break;
  }
  return woken;
}

Status PgStore::maintain() {
  TRY(ask("make partitions", "SELECT stepwell_maintain_v1()"));
  TRY(ask("forget the dead", "SELECT stepwell_tidy_v1()"));
  for (;;) {
    const Rows forgotten = TRY(ask("forget names", "SELECT stepwell_forget_names_v1($1)",
                                   Parameters().add_int4(kForgottenAtOnce)));
    if (forgotten.number(0, 0) < kForgottenAtOnce) return ok_status();
  }
}

Result<Time> PgStore::now() {
  const Rows rows = TRY(ask("read the time", "SELECT stepwell_ms(clock_timestamp())"));
  return rows.time_ms(0, 0);
}

Status PgStore::check_settings() {
  const Rows rows =
      TRY(ask("read settings",
              "SELECT name, setting FROM pg_settings WHERE setting = 'off' AND name IN "
              "('fsync', 'synchronous_commit', 'full_page_writes') ORDER BY name"));
  std::string found;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    found += (i == 0 ? "" : ", ") + rows.string(i, 0) + "=off";
  }
  if (found.empty()) return ok_status();
  return Error{ErrorCode::kDenied, "this database runs with " + found +
                                       ": it would lose what it has acknowledged; set it to on, or "
                                       "give --unsafe"};
}

// Whoever serves makes next month's partitions, too: that it may is asked today.  A member of the
// owner may not: they would belong to it, and what it cannot see is who of the others lives.
Status PgStore::check_rights() {
  const Rows rows = TRY(ask("check the rights",
                            "SELECT current_user, pg_get_userbyid(c.relowner), "
                            "pg_get_userbyid(c.relowner) = current_user, "
                            "has_schema_privilege(c.relnamespace, 'CREATE') "
                            "FROM pg_class c WHERE c.oid = to_regclass('executions')"));
  if (rows.empty() || (rows.flag(0, 2) && rows.flag(0, 3))) return ok_status();
  const std::string role = rows.string(0, 0), owner = rows.string(0, 1);
  std::string why = "role \"" + role + "\" could make no partitions here: ";
  if (rows.flag(0, 2)) {
    why += "GRANT CREATE ON SCHEMA \"" + options_.schema + "\" TO \"" + role + "\"";
  } else {
    why += "the tables belong to \"" + owner + "\"; connect as that role";
  }
  return Error{ErrorCode::kDenied, why};
}

Status PgStore::check(bool allow_unsafe) {
  const Rows there = TRY(ask("check the schema",
                             "SELECT to_regclass('schema_migrations') IS NOT NULL, "
                             "current_setting('server_encoding')"));
  if (!there.flag(0, 0)) {
    return Error{ErrorCode::kUnavailable, "there is no Stepwell in schema \"" + options_.schema +
                                              "\" of this database; run: stepwell migrate"};
  }
  TRY(check_encoding(there.string(0, 1)));
  const Rows version =
      TRY(ask("check the schema", "SELECT coalesce(max(version), 0) FROM schema_migrations"));
  TRY(check_schema_version(static_cast<int>(version.number(0, 0)), options_.schema));
  const Rows served = TRY(ask("check the schema", "SELECT oldest FROM served_binaries"));
  if (served.number(0, 0) > schema_version()) {
    return Error{ErrorCode::kUnavailable,
                 "this database serves binaries that know version " + served.string(0, 0) +
                     " of the schema or a newer one, this one knows " +
                     std::to_string(schema_version()) + ": use a newer binary"};
  }
  return allow_unsafe ? ok_status() : check_settings();
}

}  // namespace

Result<std::unique_ptr<store::Store>> open_store(const PgOptions& options) {
  TRY(check_pooling(options));
  auto store = std::make_unique<PgStore>(options);
  const Answer reached = TRY(store->links().run("SELECT 1"));
  if (!reached.ok()) return reached.trouble().error("connect");
  return std::unique_ptr<store::Store>(std::move(store));
}

}  // namespace stepwell::postgres
