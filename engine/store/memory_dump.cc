// MemoryState: every table as text, a line for each row, to be compared with Postgres's.
#include "engine/store/memory_state.h"

namespace stepwell::store {
namespace {

std::string number(std::uint64_t value) {
  return std::to_string(static_cast<std::int64_t>(value));  // As bigint has it.
}

std::string time(const std::optional<Time>& time) {
  return time ? std::to_string(unix_ms(*time)) : std::string("-");
}

template <class Id>
std::string id(const std::optional<Id>& given) {
  return given ? given->text() : std::string("-");
}

std::string line(std::initializer_list<std::string> fields) {
  std::string text;
  for (const std::string& field : fields) text += (text.empty() ? "" : " ") + field;
  return text + "\n";
}

std::string execution_lines(const MemoryExecution& execution) {
  const ExecutionRow& row = execution.row;
  std::string tags;
  for (const std::string& tag : row.tags) tags += tag + ",";
  std::string text = line({"execution",
                           row.id.text(),
                           number(static_cast<std::uint64_t>(row.status)),
                           std::to_string(execution.kind),
                           number(static_cast<std::uint64_t>(execution.priority)),
                           std::to_string(execution.semantics),
                           number(execution.version),
                           execution.claimed_alone ? "alone" : "-",
                           number(row.redrive_count),
                           number(execution.deaths),
                           number(execution.alone_deaths),
                           number(execution.inbox_seq),
                           number(execution.claim_seq),
                           std::to_string(execution.claim_n),
                           number(execution.input_hash),
                           time(execution.claimed_at),
                           time(row.wake_at),
                           time(row.started_at),
                           time(row.ended_at),
                           id(row.owner),
                           id(row.redrive_of),
                           row.ns.name(),
                           row.workflow,
                           row.program_hash,
                           "[" + row.name + "]",
                           row.pool,
                           "[" + execution.origin + "]",
                           "[" + tags + "]",
                           "[" + row.input + "]",
                           "[" + row.output + "]",
                           "[" + row.error.value_or("") + "]",
                           "[" + row.cause.value_or("") + "]",
                           "[" + row.waiting + "]",
                           "[" + row.quarantined + "]"});
  for (const auto& [seq, fact] : execution.journal) {
    text += line({"fact", row.id.text(), number(seq), number(static_cast<std::uint64_t>(fact.kind)),
                  number(fact.command.value), time(fact.at), number(fact.input_hash),
                  "[" + fact.payload + "]"});
  }
  for (const auto& [seq, snapshot] : execution.snapshots) {
    text += line({"snapshot", row.id.text(), number(seq), number(snapshot.journal_hash),
                  "[" + snapshot.body + "]"});
  }
  for (const auto& [key, message] : execution.inbox) {
    text += line({"inbox", row.id.text(), number(key),
                  number(static_cast<std::uint64_t>(message.row.kind)),
                  number(message.row.command.value), id(message.for_writer),
                  "[" + message.row.dedupe_key + "]", "[" + message.row.payload + "]",
                  time(message.arrived_at)});
  }
  for (const auto& [key, message] : execution.notices) {
    text += line({"notice", row.id.text(), "[" + key + "]",
                  number(static_cast<std::uint64_t>(message.notice.kind)),
                  number(message.notice.command.value), id(message.for_writer),
                  "[" + message.notice.payload + "]", time(message.at)});
  }
  return text;
}

}  // namespace

std::string MemoryState::dump() const {
  std::string text;
  for (const auto& [key, execution] : executions) text += execution_lines(execution);
  for (const auto& [key, row] : start_keys) {
    const auto& [ns, workflow, name] = key;
    text += line({"key", ns.name(), workflow, "[" + name + "]", row.execution.text(),
                  number(row.input_hash)});
  }
  for (const auto& [key, execution] : executions) {
    const std::set<std::string> tags(execution.row.tags.begin(), execution.row.tags.end());
    for (const std::string& tag : tags) {
      text += line({"tag", execution.row.ns.name(), "[" + tag + "]", key.text()});
    }
  }
  for (const auto& [key, writer] : writers) {
    std::string batches;
    for (const std::int64_t n : writer.batches) batches += std::to_string(n) + ",";
    text +=
        line({"writer", key.text(), writer.node.text(), std::to_string(writer.conn),
              writer.alive ? "alive" : "dead", writer.freed ? "freed" : "-", "[" + batches + "]"});
  }
  for (const auto& [key, node] : nodes) {
    text += line({"node", key.text(), time(node.lease_until), time(node.renewed_at),
                  time(node.steady_since)});
  }
  for (const auto& [workflow, hashes] : versions) {
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      text += line({"version", workflow.first.name(), workflow.second, std::to_string(i + 1),
                    hashes[i], heads.at(workflow) == hashes[i] ? "head" : "-"});
    }
  }
  return text;
}

}  // namespace stepwell::store
