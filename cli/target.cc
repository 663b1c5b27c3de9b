#include "cli/target.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/value.h"
#include "net/client/http_client.h"
#include "providers/host/broker/vault.h"
#include "providers/host/frames.h"

namespace stepwell::cli {
namespace {

namespace fs = std::filesystem;

// Whoever runs a dev server in `folder` holds a lock there as long as it lives, however it ends.
// The lock's descriptor; kConflict when another process has it, kDenied when one may not ask.
Result<int> try_lock(const fs::path& folder) {
  const std::string path = (folder / kStateFolder / "dev.lock").lexically_normal().string();
  const int file = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0) {
    return Error{ErrorCode::kDenied, "cannot open " + path + ": " + std::strerror(errno)};
  }
  if (::flock(file, LOCK_EX | LOCK_NB) == 0) return file;
  ::close(file);
  return Error{ErrorCode::kConflict, "a dev server runs in this folder already"};
}

std::optional<DevServer> read_dev_server(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  const auto value = parse_json(text.str());
  if (!value.ok()) return std::nullopt;
  const Value* database = value->find("database_url");
  const Value* api = value->find("api_url");
  const Value* pid = value->find("pid");
  if (!database || !database->is_string() || !api || !api->is_string() || !pid || !pid->is_int()) {
    return std::nullopt;
  }
  const Value* workflows = value->find("workflows");
  return DevServer{database->as_string(), api->as_string(), static_cast<int>(pid->as_int()),
                   workflows && workflows->is_string() ? workflows->as_string() : "", "."};
}

}  // namespace

Status write_dev_server(const DevServer& server) {
  Object object;
  object.set("pid", Value(static_cast<std::int64_t>(server.pid)));
  object.set("database_url", Value(server.database_url));
  object.set("api_url", Value(server.api_url));
  object.set("workflows", Value(server.workflows));
  std::error_code failed;
  fs::create_directories(kStateFolder, failed);
  const std::string next = std::string(kDevFile) + ".new";
  std::ofstream(next) << Value(std::move(object)).to_pretty_json() << "\n";
  fs::rename(next, kDevFile, failed);  // Whole or not at all.
  if (failed) {
    return Error{ErrorCode::kDenied, "cannot write " + std::string(kDevFile) + ": " +
                                         failed.message() + "; is this folder writable?"};
  }
  return ok_status();
}

Status lock_dev_folder() {
  std::error_code failed;
  fs::create_directories(kStateFolder, failed);
  if (failed) {
    return Error{ErrorCode::kDenied,
                 "cannot make the folder " + std::string(kStateFolder) + ": " + failed.message()};
  }
  static int held = -1;  // Until the process ends.
  if (held >= 0) return ok_status();
  // One that was killed this moment takes a while to be gone.
  constexpr int kTries = 20;
  for (int tries = 1;; ++tries) {
    const auto locked = try_lock(".");
    if (locked.ok()) {
      held = *locked;
      return ok_status();
    }
    if (locked.error().code != ErrorCode::kConflict || tries == kTries) return locked.error();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

void remove_dev_server() {
  const auto server = read_dev_server(kDevFile);
  if (server && server->pid == ::getpid()) ::unlink(kDevFile);
}

Result<DevServer> find_dev_server() {
  std::error_code failed;
  for (fs::path folder = fs::current_path(failed); !failed; folder = folder.parent_path()) {
    if (auto server = read_dev_server(folder / kDevFile)) {
      const auto locked = try_lock(folder);
      if (locked.ok()) {
        ::close(*locked);  // It has ended.
      } else if (locked.error().code == ErrorCode::kDenied) {
        return locked.error();
      } else {
        server->folder = folder.string();
        return std::move(*server);
      }
    }
    if (folder == folder.parent_path()) break;
  }
  return Error{ErrorCode::kNotFound, "no engine found: no `stepwell dev` runs here"};
}

Result<std::string> vault_key(const std::string& folder) {
  if (const char* variable = ::getenv(kVaultKeyVariable)) return std::string(variable);
  const fs::path state = fs::path(folder) / kStateFolder;
  std::error_code failed;
  fs::create_directories(state, failed);
  return host::Vault::key_of_file((state / "vault.key").string());
}

Result<std::string> known_vault_key(const std::string& folder) {
  std::error_code failed;
  const bool is_known =
      ::getenv(kVaultKeyVariable) != nullptr ||
      (!folder.empty() && fs::exists(fs::path(folder) / kStateFolder / "vault.key", failed));
  return is_known ? vault_key(folder) : std::string();
}

std::optional<std::string> database_url_given(Console& console, const std::string& option) {
  const char* variable = ::getenv(kDatabaseVariable);
  const std::string url = option.empty() && variable != nullptr ? variable : option;
  for (const std::string_view start : {"postgresql://", "postgres://", "memory:"}) {
    if (url.rfind(start, 0) == 0) return url;
  }
  // libpq's other form: "host=... dbname=...".
  const bool is_pairs = url.find('=') < url.find("://");
  if (url.empty() || is_pairs) return url;
  const std::size_t at = url.rfind('@');  // Before it may be a password.
  const std::string shown = at == std::string::npos ? url : "***" + url.substr(at);
  console.fail(Exit::kUsage, "\"" + shown + "\" is not a PostgreSQL URL",
               "it looks like postgresql://user@host:5432/database");
  return std::nullopt;
}

namespace {

Exit fail_without_server(Console& console, const Error& error, const std::string& otherwise) {
  if (error.code == ErrorCode::kDenied) {
    return console.fail(Exit::kDenied, error.message,
                        "is the `stepwell dev` of this folder another user's?");
  }
  return console.fail(Exit::kUnavailable, error.message,
                      "start `stepwell dev` in another terminal, or " + otherwise);
}

}  // namespace

std::optional<Target> find_target(Console& console, const std::string& database_option,
                                  Exit& exit) {
  const auto url = database_url_given(console, database_option);
  if (!url) {
    exit = Exit::kUsage;
    return std::nullopt;
  }
  if (!url->empty()) return Target{*url, "", ""};
  const auto server = find_dev_server();
  if (server.ok()) return Target{server->database_url, server->folder, server->workflows};
  exit = fail_without_server(
      console, server.error(),
      "name a database with --database URL or " + std::string(kDatabaseVariable));
  return std::nullopt;
}

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::optional<Found> found_server(Console& console, const std::string& url, std::string workflows,
                                  Exit& exit) {
  if (host::origin_of(url).empty()) {
    exit = console.fail(Exit::kUsage, "\"" + url + "\" is not the URL of a server",
                        "it looks like http://127.0.0.1:7233");
    return std::nullopt;
  }
  const std::string token = variable(kTokenVariable);
  if (host::has_control(token)) {
    exit = console.fail(Exit::kUsage, std::string(kTokenVariable) +
                                          " has a line break or another control character");
    return std::nullopt;
  }
  return Found{executions_over_api(url, token), std::move(workflows)};
}

// An engine without lanes, in this process.
std::optional<Found> found_database(Console& console, const std::string& url, Exit& exit) {
  Options options;
  options.database_url = url;
  auto engine = Engine::open(options);
  if (engine) return Found{executions_of(std::move(engine.value)), ""};
  exit = console.fail(engine.code, engine.error);
  return std::nullopt;
}

}  // namespace

std::optional<Found> find_executions(Console& console, const Where& where, Exit& exit) {
  if (!where.url.empty() && !where.database.empty()) {
    exit = console.fail(Exit::kUsage, "--url and --database exclude each other");
    return std::nullopt;
  }
  const std::string url =
      where.url.empty() && where.database.empty() ? variable(kUrlVariable) : where.url;
  if (!url.empty()) return found_server(console, url, "", exit);
  const auto database = database_url_given(console, where.database);
  if (!database) {
    exit = Exit::kUsage;
    return std::nullopt;
  }
  if (!database->empty()) return found_database(console, *database, exit);
  const auto server = find_dev_server();
  if (server.ok()) return found_server(console, server->api_url, server->workflows, exit);
  exit = fail_without_server(console, server.error(),
                             "name a server with --url URL or " + std::string(kUrlVariable));
  return std::nullopt;
}

std::vector<Option> with_where(std::vector<Option> own, Where& where) {
  own.push_back(
      {"--url", &where.url, "of the server; else STEPWELL_URL, else the running `stepwell dev`"});
  own.push_back({"--database", &where.database,
                 "PostgreSQL URL: asks the database, not a server; else STEPWELL_DATABASE_URL"});
  return own;
}

Option database_option(std::string& target) {
  return {"--database", &target,
          "PostgreSQL URL; else STEPWELL_DATABASE_URL, else that of the running `stepwell dev`"};
}

}  // namespace stepwell::cli
