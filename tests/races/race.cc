#include "tests/races/race.h"

#include "engine/postgres/node.h"
#include "engine/postgres/sql_texts.h"

namespace stepwell::testing {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);

std::int64_t hold_key() { return 7'700'000'000 + getpid(); }

std::string function_text(const std::string& function) {
  std::string all;
  for (std::size_t i = 0; i < postgres::kSchemaTextsCount; ++i)
    all += postgres::kSchemaTexts[i].text;
  const std::size_t begin = all.find("CREATE FUNCTION " + function + "(");
  CHECK(begin != std::string::npos, "no function " + function);
  const std::size_t body = all.find("AS $$", begin);
  const std::size_t end = all.find("$$;", body + 5);
  return "CREATE OR REPLACE" + all.substr(begin + 6, end + 3 - begin - 6);
}

std::string replaced_once(std::string text, const Replacement& replacement) {
  const std::size_t at = text.find(replacement.from);
  CHECK(at != std::string::npos, "the protecting line is not there: " + replacement.from);
  CHECK(text.find(replacement.from, at + 1) == std::string::npos,
        "the protecting line is there twice: " + replacement.from);
  return text.replace(at, replacement.from.size(), replacement.to);
}

}  // namespace

Answer RawLane::claim(std::int64_t n) {
  const store::ClaimRequest request{.limit = 100, .take_suspect = true};
  return link->run(postgres::kClaimSql, postgres::claim_parameters(writer, conn, n, request));
}

Race::Race() {
  store_ = postgres::open_store(options_).value();
  control_ = session();
}

std::unique_ptr<Link> Race::session() {
  auto link = Link::open(options_, {.name = "race", .lock_timeout = Millis{60'000}});
  CHECK(link.ok(), link.error().message);
  return std::move(link).value();
}

void Race::install(const std::string& function, const std::vector<Replacement>& replacements) {
  std::string text = function_text(function);
  for (const Replacement& replacement : replacements) text = replaced_once(text, replacement);
  const Answer installed = control_->run_script(text);
  CHECK(installed.ok(), installed.trouble().message + "\n" + text);
}

void Race::install_facts_of_anybody() {
  install("stepwell_commit_facts_v2", {{"= coalesce(cardinality(p_mine), 0);", ">= 0;"}});
}

Replacement Race::stop_at(const std::string& point) {
  return {"-- point: " + point + "\n",
          "PERFORM pg_advisory_xact_lock_shared(" + std::to_string(hold_key()) + ");\n"};
}

void Race::hold() { sql("SELECT pg_advisory_lock($1)", Parameters().add(hold_key())); }
void Race::release() { sql("SELECT pg_advisory_unlock($1)", Parameters().add(hold_key())); }

Answer Race::sql(const char* text, const Parameters& parameters) {
  Answer answer = control_->run(text, parameters);
  CHECK(answer.ok(), answer.trouble().message);
  return answer;
}

std::int64_t Race::number(const char* text, const Parameters& parameters) {
  return sql(text, parameters).rows().number(0, 0);
}

bool Race::waits(const Link& link, const std::string& event) {
  const Answer answer =
      sql("SELECT coalesce(bool_or(wait_event_type = 'Lock' AND "
          "($2::text = '' OR wait_event = $2)), false) "
          "FROM pg_stat_activity WHERE pid = $1::bigint",
          Parameters().add(std::int64_t{link.backend_pid()}).add(event));
  return answer.rows().flag(0, 0);
}

void Race::wait_for(const char* text, const Parameters& parameters) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!sql(text, parameters).rows().flag(0, 0)) {
    CHECK(std::chrono::steady_clock::now() < deadline, std::string("never true: ") + text);
  }
}

void Race::wait_until_waiting(const Link& link, const std::string& event) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!waits(link, event)) {
    CHECK(std::chrono::steady_clock::now() < deadline, "the session never waits for " + event);
  }
}

void Race::wait_until_ended(int pid) {
  wait_for(
      "SELECT NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE pid = $1::bigint "
      "AND state <> 'idle')",
      Parameters().add(std::int64_t{pid}));
}

RawLane Race::raw_lane() {
  RawLane lane;
  lane.node = store_->join({.label = "race", .lease = Millis{600'000}}).value();
  lane.link = session();
  lane.writer = postgres::random_uuid();
  const Answer made = lane.link->run(
      "INSERT INTO writers (id, node, backend_pid, backend_start) "
      "SELECT $1::uuid, $2::uuid, pid, backend_start FROM pg_stat_activity "
      "WHERE pid = pg_backend_pid()",
      Parameters().add(lane.writer).add(lane.node->id()));
  CHECK(made.ok(), made.trouble().message);
  return lane;
}

void Race::start(const Ids& ids) {
  std::vector<store::Start> starts;
  for (const ExecutionId id : ids) starts.push_back(start_of(id));
  const auto outcomes = store_->start(starts);
  CHECK(outcomes.ok(), outcomes.error().message);
}

Ids Race::owned_by(RawLane& lane, int count) {
  Ids ids;
  for (int i = 0; i < count; ++i) ids.push_back(new_execution());
  start(ids);
  const Answer claimed = lane.claim(1'000'000 + count);
  CHECK(claimed.ok(), claimed.trouble().message);
  return ids;
}

void Race::expire(const store::Node& node) {
  sql("UPDATE nodes SET lease_until = now() - interval '1 s' WHERE id = $1",
      Parameters().add(node.id()));
  sql(kSteadyNode);
}

store::SweepReport Race::sweep() {
  const auto report = store_->sweep();
  CHECK(report.ok(), report.error().message);
  return *report;
}

Seqs Race::seqs(ExecutionId id) {
  Seqs found;
  const auto rows = store_->journal(Namespace(), id, 0, 1'000);
  if (!rows.ok() && rows.error().code == ErrorCode::kNotFound) return found;
  CHECK(rows.ok(), rows.error().message);
  for (const auto& row : *rows) found.push_back(row.seq);
  return found;
}

}  // namespace stepwell::testing
