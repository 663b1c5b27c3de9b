#include "engine/postgres/link.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <pqxx/pqxx>

#include "engine/postgres/setup.h"

#if defined(__SANITIZE_ADDRESS__)
// libpqxx 6.4.5 drops a result on the floor when it finds that its connection has broken.
extern "C" const char* __lsan_default_suppressions() { return "leak:libpqxx\n"; }
#endif

namespace stepwell::postgres {

struct Rows::Held {
  pqxx::result result;
};

struct Link::Wire {
  explicit Wire(const std::string& url) : connection(url) {}

  struct Receiver : pqxx::notification_receiver {
    Receiver(pqxx::connection_base& link, const std::string& channel)
        : pqxx::notification_receiver(link, channel) {}
    void operator()(const std::string&, int backend) override {
      if (backend != conn().backendpid()) ++arrived;
    }
    int arrived = 0;
  };

  // All of the schema are read at once, and again for one that was made since.  0 when there is no
  // such type: the server says so then.
  std::uint32_t row_type(pqxx::transaction_base& work, const char* name) {
    auto found = row_types.find(std::string_view(name));
    if (found == row_types.end()) {
      row_types.clear();
      for (const auto& row : work.exec("SELECT c.relname, c.reltype FROM pg_class c "
                                       "JOIN pg_namespace n ON n.oid = c.relnamespace "
                                       "WHERE c.relkind = 'c' AND n.nspname = current_schema()")) {
        row_types.emplace(row[0].c_str(), row[1].as<std::uint32_t>());
      }
      found = row_types.find(std::string_view(name));
    }
    return found == row_types.end() ? 0 : found->second;
  }

  pqxx::connection connection;
  std::map<std::string, std::string> prepared;                  // Names by text.
  std::map<std::string, std::uint32_t, std::less<>> row_types;  // The server's numbers for ours.
  std::unique_ptr<Receiver> receiver;
  bool lost = false;
};

namespace {

using Kind = Trouble::Kind;

Kind kind_of(const std::string& sqlstate) {
  const struct {
    const char* prefix;
    Kind kind;
  } table[] = {
      {"SW001", Kind::kFenced},   {"SW002", Kind::kNotMine},  {"SW003", Kind::kFollowers},
      {"23505", Kind::kTaken},    {"57P", Kind::kLost},       {"08", Kind::kLost},
      {"25006", Kind::kLost},  // A standby: we are connected to the wrong server.
      {"57014", Kind::kBusy},     {"55P03", Kind::kBusy},     {"40", Kind::kBusy},
      {"53", Kind::kBusy},        {"22", Kind::kRefusedData}, {"23", Kind::kRefusedData},
      {"54", Kind::kRefusedData}, {"42P01", Kind::kSchema},   {"42883", Kind::kSchema},
      {"42703", Kind::kSchema},   {"3F", Kind::kSchema},
  };
  for (const auto& [prefix, kind] : table) {
    if (sqlstate.rfind(prefix, 0) == 0) return kind;
  }
  return Kind::kOther;
}

// "ERROR:  text\nCONTEXT: ..." without what only we understand.
std::string first_line(const std::string& message) {
  std::string line = message.substr(0, message.find('\n'));
  if (line.rfind("ERROR:  ", 0) == 0) line.erase(0, 8);
  return line;
}

// A partition that lacks is told, in whatever language, by the name of the whole table; a check
// that is violated by that of the partition, executions_2026_12.
bool names_partitioned_table(const std::string& message) {
  for (const std::string_view table : {"executions", "journal", "snapshots"}) {
    const std::size_t at = message.find(table);
    if (at == std::string::npos) continue;
    const std::size_t end = at + table.size();
    if (end == message.size() || message[end] != '_') return true;
  }
  return false;
}

Trouble trouble_from(const std::exception& error, bool open) {
  if (const auto* sql = dynamic_cast<const pqxx::sql_error*>(&error)) {
    Trouble trouble{kind_of(sql->sqlstate()), sql->sqlstate(), first_line(sql->what())};
    if (trouble.sqlstate == "23514" && names_partitioned_table(trouble.message)) {
      trouble.message = store::kNoPartition;
    }
    // Without its sqlstate, from this one class of libpqxx.
    if (dynamic_cast<const pqxx::insufficient_privilege*>(sql) != nullptr) {
      trouble.kind = Kind::kDenied;
    }
    if (!open) trouble.kind = Kind::kLost;
    return trouble;
  }
  if (!open || dynamic_cast<const pqxx::broken_connection*>(&error) != nullptr ||
      dynamic_cast<const pqxx::in_doubt_error*>(&error) != nullptr ||
      dynamic_cast<const pqxx::statement_completion_unknown*>(&error) != nullptr) {
    return {Kind::kLost, "", first_line(error.what())};
  }
  if (dynamic_cast<const pqxx::transaction_rollback*>(&error) != nullptr) {
    return {Kind::kBusy, "40", first_line(error.what())};
  }
  return {Kind::kOther, "", first_line(error.what())};
}

// The part of a URL that may hold a password: "user:PASSWORD@host", "password=PASSWORD".  Of a URL
// that is broken it may be more.
std::string secret_of(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t at = url.rfind('@');
  if (scheme != std::string::npos && at != std::string::npos && at > scheme) {
    const std::size_t colon = url.find(':', scheme + 3);
    if (colon < at) return url.substr(colon + 1, at - colon - 1);
  }
  const std::size_t begin = url.find("password=");
  if (begin == std::string::npos) return "";
  const std::size_t end = url.find_first_of(scheme == std::string::npos ? " " : "&", begin);
  return url.substr(begin + 9, end == std::string::npos ? end : end - begin - 9);
}

bool has_common_part(std::string_view one, std::string_view other, std::size_t length) {
  for (std::size_t i = 0; i + length <= one.size(); ++i) {
    if (other.find(one.substr(i, length)) != std::string_view::npos) return true;
  }
  return false;
}

// libpq quotes what it could not read of the URL: no piece of the password may be in that.
std::string without_secret(const std::string& message, const std::string& url) {
  const std::string secret = secret_of(url);
  const std::size_t telling = std::min<std::size_t>(secret.size(), 3);
  if (telling == 0) return message;
  std::string out;
  for (std::size_t at = 0; at < message.size();) {
    const std::size_t open = message.find('"', at);
    const std::size_t close = open == std::string::npos ? open : message.find('"', open + 1);
    if (close == std::string::npos) return out + message.substr(at);
    const std::string quoted = message.substr(open + 1, close - open - 1);
    const std::size_t length = std::min(telling, std::max<std::size_t>(quoted.size(), 1));
    const bool tells = has_common_part(quoted, secret, length);
    out += message.substr(at, open - at) + '"' + (tells ? "***" : quoted) + '"';
    at = close + 1;
  }
  return out;
}

std::string with_option(std::string url, const std::string& name, const std::string& value) {
  if (url.find("://") == std::string::npos) return url + " " + name + "='" + value + "'";
  if (url.find(name + "=") != std::string::npos) return url;
  url += url.find('?') == std::string::npos ? '?' : '&';
  return url + name + "=" + value;
}

std::string settings_sql(const std::string& schema, const LinkPurpose& purpose, bool is_unsafe) {
  // Every setting that changes what is written or read, whatever the role's or database's own is.
  std::string sql = "SET search_path TO " + schema +
                    "; SET client_encoding = 'UTF8'; SET bytea_output = 'hex'"
                    "; SET DateStyle = 'ISO, MDY'; SET IntervalStyle = 'postgres'"
                    "; SET TimeZone = 'UTC'; SET standard_conforming_strings = on"
                    "; SET extra_float_digits = 1; SET default_transaction_read_only = off"
                    "; SET default_transaction_isolation = 'read committed'"
                    "; SET default_transaction_deferrable = off"
                    "; SET client_min_messages = warning; SET jit = off"
                    "; SET idle_in_transaction_session_timeout = '10s'"
                    "; SET idle_session_timeout = 0"
                    "; SET client_connection_check_interval = '500ms'"
                    "; SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2"
                    "; SET tcp_keepalives_count = 3; SET tcp_user_timeout = '10s'"
                    "; SET statement_timeout = " +
                    std::to_string(purpose.statement_timeout.count()) +
                    "; SET lock_timeout = " + std::to_string(purpose.lock_timeout.count());
  if (!is_unsafe) {  // `local` would acknowledge what no standby has.
    sql +=
        "; SELECT set_config('synchronous_commit', 'on', false) "
        "WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')";
  }
  if (purpose.pin_plans) {
    sql +=
        "; SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off"
        "; SET enable_hashjoin = off; SET enable_mergejoin = off";
  }
  return sql;
}

int hex_digit(char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; }

}  // namespace

std::size_t Rows::size() const { return held_->result.size(); }
std::uint64_t Rows::affected() const { return held_->result.affected_rows(); }

bool Rows::is_null(std::size_t row, int column) const {
  return held_->result[static_cast<pqxx::result::size_type>(row)][column].is_null();
}

std::string_view Rows::text(std::size_t row, int column) const {
  const pqxx::field field = held_->result[static_cast<pqxx::result::size_type>(row)][column];
  return {field.c_str(), field.size()};
}

std::int64_t Rows::number(std::size_t row, int column) const {
  const std::string_view digits = text(row, column);
  std::int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

Uuid Rows::uuid(std::size_t row, int column) const {
  return Uuid::parse(text(row, column)).value_or(Uuid{});
}

std::string Rows::bytes(std::size_t row, int column) const {
  const std::string_view hex = text(row, column);
  std::string out;
  if (hex.substr(0, 2) != "\\x") return out;
  out.reserve(hex.size() / 2);
  for (std::size_t i = 2; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(hex_digit(hex[i]) << 4 | hex_digit(hex[i + 1]));
  }
  return out;
}

Result<std::string> link_url(const std::string& given) {
  TRY(setup_of(given));
  std::string url = with_option(given, "connect_timeout", "5");
  url = with_option(url, "keepalives_idle", "5");
  url = with_option(url, "keepalives_interval", "2");
  url = with_option(url, "keepalives_count", "3");
  return with_option(url, "tcp_user_timeout", "10000");
}

Link::Link() = default;
Link::~Link() = default;

Result<std::unique_ptr<Link>> Link::open(const PgOptions& options, const LinkPurpose& purpose) {
  const std::string schema = TRY(quoted_schema(options.schema));
  const std::string url = TRY(link_url(options.url));
  std::unique_ptr<Link> link(new Link);
  try {
    link->wire_ = std::make_unique<Wire>(url);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    link->wire_->connection.inhibit_reactivation(true);
#pragma GCC diagnostic pop
  } catch (const std::exception& error) {
    return Error{
        ErrorCode::kUnavailable,
        "cannot connect to PostgreSQL: " + without_secret(first_line(error.what()), options.url)};
  }
  std::string name = "stepwell " + purpose.name;
  if (!options.label.empty()) name += " " + options.label;
  const Answer set = link->run_script(settings_sql(schema, purpose, options.is_unsafe));
  if (!set.ok()) return set.trouble().error("cannot prepare a connection to PostgreSQL");
  const Answer who = link->run(
      "SELECT backend_start, set_config('application_name', $1::text, false) "
      "FROM pg_stat_activity WHERE pid = pg_backend_pid()",
      Parameters().add(std::string_view(name).substr(0, 63)));
  if (!who.ok()) return who.trouble().error("cannot prepare a connection to PostgreSQL");
  link->backend_start_ = who.rows().string(0, 0);
  return link;
}

Answer Link::run(const char* sql, Parameters parameters) {
  if (wire_->lost) return Trouble{Kind::kLost, "", "the connection is lost"};
  try {
    const auto [place, fresh] = wire_->prepared.try_emplace(sql);
    if (fresh) {
      place->second = "s" + std::to_string(wire_->prepared.size());
      wire_->connection.prepare(place->second, sql);
    }
    pqxx::nontransaction work(wire_->connection);
    parameters.number_types([&](const char* type) { return wire_->row_type(work, type); });
    std::vector<pqxx::binarystring> values;
    values.reserve(parameters.values().size());
    for (const std::string& value : parameters.values()) {
      values.emplace_back(value.data(), value.size());
    }
    auto held = std::make_shared<Rows::Held>();
    held->result = work.exec_prepared(
        place->second, pqxx::prepare::make_dynamic_params(values.begin(), values.end()));
    return Rows(std::move(held));
  } catch (const std::exception& error) {
    Trouble trouble = trouble_from(error, wire_->connection.is_open());
    wire_->lost = trouble.kind == Kind::kLost;
    return trouble;
  }
}

Answer Link::run_script(const std::string& sql) {
  if (wire_->lost) return Trouble{Kind::kLost, "", "the connection is lost"};
  try {
    pqxx::nontransaction work(wire_->connection);
    auto held = std::make_shared<Rows::Held>();
    held->result = work.exec(sql);
    return Rows(std::move(held));
  } catch (const std::exception& error) {
    Trouble trouble = trouble_from(error, wire_->connection.is_open());
    wire_->lost = trouble.kind == Kind::kLost;
    return trouble;
  }
}

bool Link::is_lost() const { return wire_->lost; }
int Link::backend_pid() const { return wire_->connection.backendpid(); }
int Link::socket() const { return wire_->connection.sock(); }

Answer Link::listen(const std::string& channel) {
  try {
    wire_->receiver = std::make_unique<Wire::Receiver>(wire_->connection, channel);
    return run_script("SELECT 1");
  } catch (const std::exception& error) {
    wire_->lost = true;
    return trouble_from(error, false);
  }
}

int Link::take_notifications() {
  if (wire_->lost || wire_->receiver == nullptr) return 0;
  try {
    wire_->connection.get_notifs();
  } catch (const std::exception&) {
    wire_->lost = true;
  }
  if (!wire_->connection.is_open()) wire_->lost = true;
  return std::exchange(wire_->receiver->arrived, 0);
}

Result<std::string> quoted_schema(const std::string& schema) {
  bool good = !schema.empty() && schema.size() <= 63;
  for (const char c : schema) {
    good &= (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '_';
  }
  if (good) return '"' + schema + '"';
  return Error{ErrorCode::kInvalid,
               "schema \"" + schema + "\": use up to 63 letters, digits and underscores"};
}

}  // namespace stepwell::postgres
