#include "providers/host/broker/contract.h"

#include <algorithm>
#include <set>
#include <vector>

#include "dsl/dsl.h"
#include "providers/host/frames.h"

namespace stepwell::host {
namespace {

constexpr std::size_t kMaxCursorBytes = 4096;
constexpr std::size_t kMaxHandleBytes = 1024;

// What is wrong with a result; empty when nothing is.
using Problem = std::string;

struct Answer {
  const std::string& function;
  const Value& args;
  const Answerer& who;
};

// Names that the contract does not have mean nothing to anybody: `nxt` would be the last page.
Problem check_names(const Value& object, const std::vector<std::string>& known,
                    const std::string& what) {
  for (const auto& [name, value] : object.as_object()) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string near = dsl::nearest(name, known);
    return what + " has no " + name + (near.empty() ? "" : "; did you mean " + near + "?");
  }
  return "";
}

// Lua writes an empty list as {}.
Value as_list(const Value& value) {
  if (value.is_object() && value.size() == 0) return Value(Value::Array());
  return value;
}

Problem complete_record(const Answer& answer, const std::string& type, Value& record) {
  if (!record.is_object()) return "a record is not a table";
  Object fields = record.as_object();
  const std::string own_type = text_of(record, "type", type);
  if (!fields.contains("schema")) {
    if (own_type.empty()) return "a record has neither schema nor type";
    fields.set("schema", own_type + "/1.0");
  }
  fields.erase("type");
  const Value* source = fields.find("source");
  if (source == nullptr || !source->is_object()) return "a record has no source";
  const Value* id = source->find("id");
  if (id == nullptr || !id->is_string() || id->as_string().empty()) {
    return "a record's source.id is not text";
  }
  Object completed = source->as_object();
  if (!completed.contains("provider")) completed.set("provider", answer.who.provider);
  if (!completed.contains("account")) completed.set("account", answer.who.account);
  fields.set("source", Value(std::move(completed)));
  const bool is_deleted = flag_of(record, "deleted");
  static const std::vector<std::string> kFields = {
      "schema",      "id",      "source", "time", "modified_at", "complete",
      "provisional", "deleted", "data",   "raw",  "ext"};
  if (Problem problem = check_names(Value(fields), kFields, "a record"); !problem.empty()) {
    return problem;
  }
  for (const char* part : {"time", "data"}) {
    const Value* member = fields.find(part);
    if (member == nullptr ? !is_deleted : !member->is_object()) {
      return "the record " + json_quote(id->as_string()) + " has no " + part;
    }
  }
  record = Value(std::move(fields));
  return "";
}

Problem check_fetch(const Answer& answer, Object& result) {
  static const std::vector<std::string> kFields = {"items", "next", "bookmark", "total",
                                                   "truncated"};
  if (Problem problem = check_names(Value(result), kFields, "the result"); !problem.empty()) {
    return problem;
  }
  const Value* items = result.find("items");
  if (items == nullptr || !as_list(*items).is_array()) return "items is not a list";
  Value::Array completed = as_list(*items).as_array();
  const std::int64_t limit = int_of(answer.args, "limit", 0);
  if (limit > 0 && completed.size() > 2 * static_cast<std::size_t>(limit)) {
    return std::to_string(completed.size()) + " items for a limit of " + std::to_string(limit);
  }
  for (Value& item : completed) {
    if (item.find("bad") != nullptr) continue;
    const Problem problem = complete_record(answer, text_of(answer.args, "type"), item);
    if (!problem.empty()) return problem;
  }
  result.set("items", Value(std::move(completed)));
  const Value* next = result.find("next");
  if (next == nullptr) return "";
  if (next->json_size() > kMaxCursorBytes) return "next is larger than 4 KB";
  const Value* cursor = answer.args.find("cursor");
  // The function has no memory, so the page after it would be this one again, for ever.
  if (cursor != nullptr && *cursor == *next) return "next is the cursor that was given";
  return "";
}

const std::vector<std::string>& statuses_of(const std::string& function) {
  static const std::vector<std::string> kPush = {"created",       "exists",     "updated",
                                                 "deleted",       "pending",    "failed",
                                                 "not_attempted", "unsupported"};
  static const std::vector<std::string> kPayloads = {"ok", "missing", "failed", "not_attempted"};
  static const std::vector<std::string> kLookup = {"found", "absent", "failed", "not_attempted"};
  if (function == "fetch_payloads") return kPayloads;
  return function == "lookup" ? kLookup : kPush;
}

// The keys that were asked about: of ids, records or items.
std::multiset<std::string> asked_keys(const Value& args) {
  std::multiset<std::string> keys;
  for (const char* name : {"ids", "records", "items"}) {
    const Value* list = args.find(name);
    if (list == nullptr || !list->is_array()) continue;
    for (const Value& item : list->as_array()) {
      keys.insert(item.is_string() ? item.as_string() : text_of(item, "key", text_of(item, "id")));
    }
  }
  return keys;
}

Problem check_one(const Answer& answer, const std::string& key, Value& one) {
  if (!one.is_object()) return "the result for " + json_quote(key) + " is not a table";
  static const std::vector<std::string> kFields = {"key",   "status", "remote_id", "handle",
                                                   "error", "lost",   "record"};
  if (Problem problem = check_names(one, kFields, "the result for " + json_quote(key));
      !problem.empty()) {
    return problem;
  }
  const std::string status = text_of(one, "status");
  const auto& known = statuses_of(answer.function);
  if (std::find(known.begin(), known.end(), status) == known.end()) {
    return "the status of " + json_quote(key) + " is " + json_quote(status);
  }
  const bool needs_remote = status == "created" || status == "exists" || status == "updated";
  if (needs_remote && text_of(one, "remote_id").empty()) {
    return json_quote(key) + " is " + status + " without a remote_id";
  }
  const Value* handle = one.find("handle");
  if (status == "pending" && (handle == nullptr || handle->json_size() > kMaxHandleBytes)) {
    return json_quote(key) + " is pending without a handle of at most 1 KB";
  }
  if (status == "failed" && one.find("error") == nullptr) {
    return json_quote(key) + " is failed without an error";
  }
  if (answer.function == "fetch_payloads" && status == "ok") {
    const Value* record = one.find("record");
    Value completed = record == nullptr ? Value() : *record;
    const Problem problem = complete_record(answer, text_of(answer.args, "type"), completed);
    if (!problem.empty()) return problem;
    Object fields = one.as_object();
    fields.set("record", std::move(completed));
    one = Value(std::move(fields));
  }
  return "";
}

Problem check_per_key(const Answer& answer, Object& result) {
  if (Problem problem = check_names(Value(result), {"results"}, "the result"); !problem.empty()) {
    return problem;
  }
  const Value* results = result.find("results");
  if (results == nullptr || !as_list(*results).is_array()) return "results is not a list";
  Value::Array all = as_list(*results).as_array();
  std::multiset<std::string> open = asked_keys(answer.args);
  for (Value& one : all) {
    const std::string key = text_of(one, "key");
    const auto asked = open.find(key);
    if (asked == open.end()) {
      return "a result for the key " + json_quote(key) + ", which was not asked for or came twice";
    }
    open.erase(asked);
    const Problem problem = check_one(answer, key, one);
    if (!problem.empty()) return problem;
  }
  if (!open.empty()) return "no result for the key " + json_quote(*open.begin());
  result.set("results", Value(std::move(all)));
  return "";
}

Problem check_count(const Object& result) {
  if (Problem problem = check_names(Value(result), {"count", "exact"}, "the result");
      !problem.empty()) {
    return problem;
  }
  const Value* count = result.find("count");
  const Value* exact = result.find("exact");
  if (count == nullptr || !count->is_int() || count->as_int() < 0) {
    return "count is not a number from 0 on";
  }
  return exact == nullptr || !exact->is_bool() ? "exact is neither true nor false" : "";
}

}  // namespace

std::variant<Value, Failure> check_result(const std::string& function, const Value& args,
                                          Value result, const Answerer& who) {
  const bool is_per_key = function == "push" || function == "push_status" || function == "lookup" ||
                          function == "fetch_payloads";
  if (function != "fetch" && function != "count" && !is_per_key) return result;
  Problem problem = "the result is not a table";
  const Answer answer{function, args, who};
  if (result.is_object()) {
    Object fields = std::move(result).take_object();
    problem = function == "fetch"   ? check_fetch(answer, fields)
              : function == "count" ? check_count(fields)
                                    : check_per_key(answer, fields);
    result = Value(std::move(fields));
  }
  if (problem.empty()) return result;
  return fail("ContractViolation", who.provider + "." + function + ": " + problem);
}

}  // namespace stepwell::host
