#include "providers/host/broker/library_calls.h"

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "base/hash.h"
#include "providers/host/frames.h"

namespace stepwell::host {
namespace {

constexpr int kMaxDepth = 3;  // A library calls a library calls a provider.

Object error_answer(const Failure& failure) { return Object{{"error", failure.to_value()}}; }

// JSON text of a member that may be any value; empty when absent.
std::string json_of(const Value& object, const char* key) {
  const Value* member = object.find(key);
  return member == nullptr || member->is_null() ? "" : member->to_json();
}

Value value_of(const std::string& json) {
  auto value = parse_json(json);
  return value.ok() ? std::move(value).value() : Value(json);
}

Value to_value(const store::LedgerRow& row) {
  Object fields{{"status", row.status}, {"version", row.version}};
  if (!row.remote_id.empty()) fields.set("remote_id", row.remote_id);
  if (!row.handle.empty()) fields.set("handle", value_of(row.handle));
  return Value(std::move(fields));
}

Result<store::LedgerRow> row_of(const Value& value) {
  store::LedgerRow row{text_of(value, "connection"), text_of(value, "key"),
                       text_of(value, "status"),     text_of(value, "version"),
                       text_of(value, "remote_id"),  json_of(value, "handle")};
  static const char* const kStatuses[] = {"intent", "done", "pending", "failed", "unknown"};
  const bool is_known = std::any_of(std::begin(kStatuses), std::end(kStatuses),
                                    [&](const char* status) { return row.status == status; });
  if (row.connection.empty() || row.key.empty() || !is_known) {
    return Error{ErrorCode::kInvalid,
                 "a ledger row lacks its connection or key, or its status is "
                 "none of intent, done, pending, failed, unknown"};
  }
  return row;
}

}  // namespace

void LibraryCalls::run(const std::string& kind, const Value& body, AnswerDone done) {
  const bool needs_ledger = kind.rfind("ledger_", 0) == 0;
  if (needs_ledger && broker_.options_.ledger == nullptr) {
    return done(error_answer(fail("Unsupported", "there is no ledger here")));
  }
  if (kind == "call") return call(body, std::move(done));
  if (kind == "provider") return provider(body, done);
  if (kind == "connection") return connection(body, std::move(done));
  // The broker's clock, so that a run that is repeated is told the same.
  if (kind == "clock") {
    const double now = static_cast<double>(clock_now().count()) / 1000;
    return done(Object{{"value", now}});
  }
  if (kind == "notify") return notify(body, done);
  if (kind == "ledger_read") return ledger_read(body, std::move(done));
  if (kind == "ledger_write") return ledger_write(body, std::move(done));
  if (kind == "ledger_chunk") return ledger_chunk(body, std::move(done));
  if (kind == "ledger_chunks") return ledger_chunks(body, std::move(done));
  done(error_answer(fail("Unsupported", "a library cannot use " + kind)));
}

// A call of its own: its own state, process, limits and records.
void LibraryCalls::call(const Value& body, AnswerDone done) {
  const std::string name = text_of(body, "provider"), function = text_of(body, "function");
  const auto folder = broker_.folders_.find(name);
  const auto serves = [&] {
    const auto& functions = folder->second->manifest.functions;
    return std::find(functions.begin(), functions.end(), function) != functions.end();
  };
  if (folder == broker_.folders_.end() || !serves()) {
    return done(error_answer(fail("Unsupported", "no provider serves " + name + "." + function)));
  }
  if (call_->depth >= kMaxDepth) {
    return done(error_answer(fail("Unsupported", "calls are nested too deeply")));
  }
  const Manifest& manifest = folder->second->manifest;
  const Value* given = body.find("args");
  Object args = given != nullptr && given->is_object() ? given->as_object() : Object();
  auto child = std::make_shared<Call>();
  child->folder = folder->second;
  child->function = function;
  child->depth = call_->depth + 1;
  if (!manifest.is_library) {
    child->connection = text_of(body.find("args") == nullptr ? Value() : *given, "connection");
    args.erase("connection");
  }
  child->args = Value(std::move(args));
  child->ends_at = std::min(call_->ends_at, broker_.now() + manifest.limits.deadline);
  const Value& outer = call_->ctx;
  const std::string key =
      sha256_hex(text_of(outer, "key") + "/" + name + "." + function + "/" + child->args.to_json())
          .substr(0, 32);
  child->seed = hash64(key);
  Object ctx = outer.as_object();
  ctx.set("provider", manifest.id);
  ctx.set("key", key);
  const auto left = std::chrono::ceil<std::chrono::seconds>(child->ends_at - broker_.now());
  ctx.set("deadline", int_of(outer, "now") + left.count());
  child->ctx = Value(std::move(ctx));
  child->done = [done = std::move(done)](Outcome outcome) {
    if (auto* value = std::get_if<Value>(&outcome)) {
      done(Object{{"value", std::move(*value)}});
    } else {
      done(error_answer(std::get<Failure>(outcome)));
    }
  };
  child->beat = call_->beat;
  child->caller = call_;
  child->asked_by = record_;
  call_->children.push_back(child);
  broker_.begin(child);
}

void LibraryCalls::provider(const Value& body, const AnswerDone& done) {
  const auto folder = broker_.folders_.find(text_of(body, "id"));
  if (folder == broker_.folders_.end()) {
    return done(error_answer(fail("NotFound", "there is no provider " + text_of(body, "id"))));
  }
  done(Object{{"value", folder->second->manifest.document}});
}

void LibraryCalls::connection(const Value& body, AnswerDone done) {
  broker_.shared_->keeper.read(
      text_of(body, "id"), [done = std::move(done)](std::variant<OpenRef, Failure> found) {
        if (const auto* failure = std::get_if<Failure>(&found)) return done(error_answer(*failure));
        const store::Connection& row = std::get<OpenRef>(found)->row;
        done(Object{{"value", Value(Object{{"id", row.id},
                                           {"provider", row.provider},
                                           {"account", row.account},
                                           {"status", row.status},
                                           {"settings", *facts_of(row).find("settings")}})}});
      });
}

void LibraryCalls::notify(const Value& body, const AnswerDone& done) {
  const std::string line = broker_.shared_->secrets.scrub(body.to_json());
  bool is_written = true;
  if (broker_.options_.notify_path.empty()) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  } else {
    std::ofstream file(broker_.options_.notify_path, std::ios::app);
    file << line << "\n" << std::flush;
    is_written = file.good();
  }
  if (is_written) return done(Object{{"value", true}});
  done(error_answer(fail("Transient", "cannot write to " + broker_.options_.notify_path)));
}

void LibraryCalls::ask(std::function<Result<Value>()> work, AnswerDone done) {
  auto result = std::make_shared<Result<Value>>(too_many_wait());
  broker_.blocking_.run(
      [result, work = std::move(work)] { *result = work(); },
      [result, done = std::move(done)] {
        if (result->ok()) return done(Object{{"value", std::move(*result).value()}});
        const bool is_ours = result->error().code == ErrorCode::kInvalid;
        done(error_answer(fail(is_ours ? "BadRequest" : "Transient", result->error().message)));
      });
}

void LibraryCalls::ledger_read(const Value& body, AnswerDone done) {
  std::vector<std::string> keys;
  const Value* list = body.find("keys");
  if (list != nullptr && list->is_array()) {
    for (const Value& key : list->as_array()) {
      if (key.is_string()) keys.push_back(key.as_string());
    }
  }
  ask(
      [ledger = broker_.options_.ledger, connection = text_of(body, "connection"),
       keys]() -> Result<Value> {
        Object rows;
        for (const store::LedgerRow& row : TRY(ledger->read(connection, keys))) {
          rows.set(row.key, to_value(row));
        }
        return Value(std::move(rows));
      },
      std::move(done));
}

void LibraryCalls::ledger_write(const Value& body, AnswerDone done) {
  ask(
      [ledger = broker_.options_.ledger, body]() -> Result<Value> {
        std::vector<store::LedgerRow> rows;
        const Value* list = body.find("rows");
        if (list != nullptr && list->is_array()) {
          for (const Value& item : list->as_array()) rows.push_back(TRY(row_of(item)));
        }
        TRY(ledger->write(rows));
        return Value(static_cast<std::int64_t>(rows.size()));
      },
      std::move(done));
}

void LibraryCalls::ledger_chunk(const Value& body, AnswerDone done) {
  store::ChunkRow row{text_of(body, "job"), text_of(body, "chunk"), text_of(body, "status"),
                      json_of(body, "detail")};
  ask(
      [ledger = broker_.options_.ledger, row]() -> Result<Value> {
        TRY(ledger->write_chunk(row));
        return Value(true);
      },
      std::move(done));
}

void LibraryCalls::ledger_chunks(const Value& body, AnswerDone done) {
  ask(
      [ledger = broker_.options_.ledger, job = text_of(body, "job")]() -> Result<Value> {
        Value::Array rows;
        for (const store::ChunkRow& row : TRY(ledger->chunks(job))) {
          rows.push_back(Value(Object{{"job", row.job},
                                      {"chunk", row.chunk},
                                      {"status", row.status},
                                      {"detail", value_of(row.detail)}}));
        }
        return Value(std::move(rows));
      },
      std::move(done));
}

}  // namespace stepwell::host
