#include "engine/postgres/list_sql.h"

#include <algorithm>
#include <vector>

namespace stepwell::postgres {
namespace {

#define EXECUTION_COLUMNS(payloads)                                           \
  "x.id, x.workflow, x.program_hash, x.name, x.pool, x.status, " payloads     \
  ", x.error, x.cause, stepwell_ms(x.started_at), stepwell_ms(x.ended_at), "  \
  "stepwell_ms(x.wake_at), x.redrive_count, coalesce(x.waiting, ''), "        \
  "coalesce(x.quarantined, ''), x.owner, x.redrive_of, cardinality(x.tags), " \
  "array_to_string(x.tags, chr(31)), x.namespace, "                           \
  "coalesce((SELECT s.account FROM namespaces s WHERE s.name = x.namespace), repeat('0', 12)) "

std::optional<std::string> optional_text(const Rows& rows, std::size_t row, int column) {
  if (rows.is_null(row, column)) return std::nullopt;
  return rows.string(row, column);
}

std::vector<std::string> split_tags(std::int64_t count, std::string_view joined) {
  std::vector<std::string> tags;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::size_t end = std::min(joined.find('\x1f'), joined.size());
    tags.emplace_back(joined.substr(0, end));
    joined.remove_prefix(std::min(end + 1, joined.size()));
  }
  return tags;
}

// The names of the namespace's workflows, each found by one look into executions_by_workflow.
constexpr const char* kWorkflows =
    "WITH RECURSIVE w (name) AS ("
    "(SELECT x.workflow FROM executions x WHERE x.namespace = $1 AND x.kind = 0 "
    "ORDER BY x.namespace, x.workflow LIMIT 1) "
    "UNION ALL SELECT (SELECT x.workflow FROM executions x WHERE x.namespace = $1 AND x.kind = 0 "
    "AND x.workflow > w.name ORDER BY x.namespace, x.workflow LIMIT 1) FROM w "
    "WHERE w.name IS NOT NULL) ";

// The newest ids before $2 of those whose `columns` are `values`, found by the index on
// (columns, id).  Said as ranges of rows and in that index's order: as plain equalities it would be
// a scan of the primary key, which is in the order of ids too, past everybody else's rows.
std::string newest(const std::vector<std::string>& columns, const std::vector<std::string>& values,
                   const std::string& also) {
  std::string names, wanted, order;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    names += (i == 0 ? "x." : ", x.") + columns[i];
    wanted += (i == 0 ? "" : ", ") + values[i];
    order += "x." + columns[i] + " DESC, ";
  }
  return "(SELECT x.id FROM executions x WHERE (" + names + ", x.id) < (" + wanted + ", $2) AND (" +
         names + ") >= (" + wanted + ") AND x.kind = 0 AND x.id < $2" + also + " ORDER BY " +
         order + "x.id DESC LIMIT $3)";
}

// Of the one workflow, or of each.
std::string newest_by_workflow(bool one, const std::string& also) {
  if (one) return newest({"namespace", "workflow"}, {"$1", "$4"}, also);
  return "(SELECT page.id FROM w CROSS JOIN LATERAL " +
         newest({"namespace", "workflow"}, {"$1", "w.name"}, also) + " page)";
}

// Ids of the page, and perhaps more.
std::string candidates(const store::ListFilter& filter) {
  const bool one = !filter.workflow.empty();
  if (!filter.status) return newest_by_workflow(one, "");
  switch (*filter.status) {
    case ExecutionStatus::kRunning:
      return newest_by_workflow(one, " AND x.status = 0 AND x.owner IS NULL") +
             " UNION ALL (SELECT owned.id FROM writers o CROSS JOIN LATERAL " +
             newest({"owner"}, {"o.id"},
                    std::string(" AND x.owner IS NOT NULL AND x.namespace = $1") +
                        (one ? " AND x.workflow = $4" : "")) +
             " owned WHERE o.freed_at IS NULL)";
    case ExecutionStatus::kSucceeded: return newest_by_workflow(one, " AND x.status = 1");
    case ExecutionStatus::kFailed:
    case ExecutionStatus::kTimedOut:
    case ExecutionStatus::kAborted: break;
  }
  const std::string status = std::to_string(static_cast<int>(*filter.status));
  const std::string unwell = " AND x.status IN (2, 3, 4)";
  if (one) return newest({"namespace", "workflow", "status"}, {"$1", "$4", status}, unwell);
  return newest({"namespace", "status"}, {"$1", status}, unwell);
}

}  // namespace

const char* const kDescribeSql = "SELECT " EXECUTION_COLUMNS(
    "x.input, x.output") "FROM executions x WHERE x.id = $1 AND x.namespace = $2";

std::string list_sql(const store::ListFilter& filter) {
  const std::string found = candidates(filter);
  const bool needs_workflows = found.find("FROM w ") != std::string::npos;
  const char* columns =
      filter.with_payloads ? EXECUTION_COLUMNS("x.input, x.output") : EXECUTION_COLUMNS("'', NULL");
  return (needs_workflows ? kWorkflows : std::string()) + "SELECT " + columns +
         "FROM (SELECT c.id FROM (" + found +
         ") c ORDER BY c.id DESC LIMIT $3) p JOIN executions x ON x.id = p.id ORDER BY p.id DESC";
}

store::ExecutionRow read_execution(const Rows& rows, std::size_t i) {
  store::ExecutionRow row;
  row.id = ExecutionId{rows.uuid(i, 0)};
  row.workflow = rows.string(i, 1);
  row.program_hash = rows.string(i, 2);
  row.name = rows.string(i, 3);
  if (row.name.empty()) row.name = row.id.text();
  row.pool = rows.string(i, 4);
  row.status = static_cast<ExecutionStatus>(rows.number(i, 5));
  row.input = rows.string(i, 6);
  row.output = rows.string(i, 7);
  row.error = optional_text(rows, i, 8);
  row.cause = optional_text(rows, i, 9);
  row.started_at = rows.time_ms(i, 10);
  row.ended_at = rows.optional_time_ms(i, 11);
  row.wake_at = rows.optional_time_ms(i, 12);
  row.redrive_count = static_cast<std::uint32_t>(rows.number(i, 13));
  row.waiting = rows.string(i, 14);
  row.quarantined = rows.string(i, 15);
  if (!rows.is_null(i, 16)) row.owner = rows.uuid(i, 16);
  if (!rows.is_null(i, 17)) row.redrive_of = ExecutionId{rows.uuid(i, 17)};
  row.tags = split_tags(rows.number(i, 18), rows.text(i, 19));
  row.ns = Namespace(rows.string(i, 20), rows.string(i, 21));
  return row;
}

}  // namespace stepwell::postgres
