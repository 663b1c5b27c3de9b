#include "engine/postgres/cluster.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <pqxx/pqxx>
#include <thread>

#include "base/hash.h"

namespace stepwell::postgres {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestSocketFolder = 85;  // sun_path holds 107 with the socket's own name.
constexpr Millis kPoll{10};
constexpr Millis kStopDeadline{30'000};

Error failed(const std::string& doing, int code) {
  return {ErrorCode::kUnavailable, doing + ": " + std::strerror(code)};
}

struct Spawn {
  std::vector<std::string> arguments;
  std::string log;
  unsigned user = 0, group = 0;
  bool dies_with_parent = false;
};

// In the child, after fork: only calls that are safe there.
[[noreturn]] void become(const Spawn& spawn, char** arguments, int log) {
  setsid();  // Ctrl-C at our terminal is ours to handle, in order.
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  const int null = ::open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  for (int fd = 3; fd < 1024; ++fd) close(fd);
  if (spawn.user != 0) {
    const gid_t group = spawn.group;
    if (setgroups(1, &group) != 0 || setgid(group) != 0 || setuid(spawn.user) != 0) _exit(126);
  }
  if (chdir("/") != 0) _exit(126);
  // Fast shutdown; set after setuid(), which clears it.
  if (spawn.dies_with_parent) prctl(PR_SET_PDEATHSIG, SIGINT);
  signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  // Nothing of our environment, in which there are secrets, and settings of libpq.
  char path[] = "PATH=/usr/local/bin:/usr/bin:/bin", locale[] = "LC_ALL=C.UTF-8", zone[] = "TZ=UTC";
  char* environment[] = {path, locale, zone, nullptr};
  execve(arguments[0], arguments, environment);
  _exit(127);
}

Result<int> launch(const Spawn& spawn) {
  const int log = ::open(spawn.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) return failed("open " + spawn.log, errno);
  std::vector<std::string> copies = spawn.arguments;
  std::vector<char*> arguments;
  for (std::string& argument : copies) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  const pid_t pid = fork();
  if (pid == 0) become(spawn, arguments.data(), log);
  const int code = errno;
  close(log);
  if (pid < 0) return failed("start " + spawn.arguments[0], code);
  return static_cast<int>(pid);
}

Status run_to_end(const Spawn& spawn) {
  const int pid = TRY(launch(spawn));
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return failed("wait for " + spawn.arguments[0], errno);
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return ok_status();
  return Error{ErrorCode::kUnavailable, spawn.arguments[0] + " failed"};
}

// Can that user enter (and write into) the folder?  Asked in a child that is that user.
bool is_usable_by(const std::string& folder, unsigned user, unsigned group) {
  const pid_t pid = fork();
  if (pid == 0) {
    const gid_t only = group;
    if (setgroups(1, &only) != 0 || setgid(group) != 0 || setuid(user) != 0) _exit(1);
    _exit(access(folder.c_str(), R_OK | W_OK | X_OK) == 0 ? 0 : 1);
  }
  int status = 0;
  while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string uri_escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '/' || c == '-' || c == '_' || c == '.';
    if (plain) {
      out += c;
    } else {
      out += '%' + hex_encode(std::string_view(&c, 1));
    }
  }
  return out;
}

bool is_server(const std::string& program) {
  return access((program + "/initdb").c_str(), X_OK) == 0 &&
         access((program + "/postgres").c_str(), X_OK) == 0;
}

bool is_alive(int pid) { return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM); }

}  // namespace

Result<std::string> find_server_binaries() {
  if (const char* named = std::getenv("STEPWELL_POSTGRES_BIN"); named != nullptr) {
    if (is_server(named)) return std::string(named);
    return Error{ErrorCode::kNotFound,
                 std::string("STEPWELL_POSTGRES_BIN=") + named + " holds no initdb and postgres"};
  }
  std::string best;
  int best_version = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    const int version = std::atoi(entry.path().filename().c_str());
    const std::string folder = entry.path().string() + "/bin";
    if (version > best_version && is_server(folder)) {
      best_version = version;
      best = folder;
    }
  }
  if (!best.empty()) return best;
  std::string path = std::getenv("PATH") == nullptr ? "" : std::getenv("PATH");
  for (std::size_t start = 0; start < path.size();) {
    const std::size_t end = std::min(path.find(':', start), path.size());
    if (const std::string folder = path.substr(start, end - start); is_server(folder))
      return folder;
    start = end + 1;
  }
  return Error{ErrorCode::kNotFound,
               "no PostgreSQL server on this machine: apt-get install postgresql, or give a "
               "database with --database URL"};
}

Result<std::unique_ptr<Cluster>> Cluster::open(const ClusterOptions& options) {
  std::unique_ptr<Cluster> cluster(new Cluster);
  cluster->options_ = options;
  cluster->binaries_ = TRY(find_server_binaries());
  TRY(cluster->prepare_folders());
  if (!fs::exists(cluster->data_ + "/PG_VERSION")) TRY(cluster->initialize());
  TRY(cluster->start());
  return cluster;
}

Cluster::~Cluster() {
  if (const Status stopped = stop(); !stopped.ok()) static_cast<void>(end_server(SIGQUIT));
}

Status Cluster::prepare_folders() {
  std::error_code error;
  fs::create_directories(options_.directory, error);
  if (error) return Error{ErrorCode::kDenied, options_.directory + ": " + error.message()};
  root_ = fs::canonical(options_.directory, error).string();
  if (error) return Error{ErrorCode::kDenied, options_.directory + ": " + error.message()};
  if (geteuid() == 0) {
    const passwd* account = getpwnam("postgres");
    if (account == nullptr) {
      return Error{ErrorCode::kNotFound,
                   "PostgreSQL refuses to run as root, and there is no user "
                   "`postgres`: run as another user"};
    }
    user_ = account->pw_uid;
    group_ = account->pw_gid;
    const std::string inside = root_ + "/postgres";
    fs::create_directories(inside, error);
    if (chown(inside.c_str(), user_, group_) != 0) return failed("chown " + inside, errno);
    if (!is_usable_by(inside, user_, group_)) {
      const std::string outside = "/var/lib/stepwell/" + sha256_hex(root_).substr(0, 16);
      fs::create_directories(outside, error);
      if (error) return Error{ErrorCode::kDenied, outside + ": " + error.message()};
      fs::remove(inside, error);
      fs::create_directory_symlink(outside, inside, error);
      root_ = outside;
    } else {
      root_ = fs::canonical(inside, error).string();
    }
  } else {
    root_ += "/postgres";
  }
  data_ = root_ + "/data";
  run_ = root_ + "/run";
  if (run_.size() > kLongestSocketFolder) {
    run_ = "/tmp/stepwell-" + std::to_string(geteuid()) + "-" + sha256_hex(root_).substr(0, 16);
  }
  log_path_ = root_ + "/postgres.log";
  for (const std::string& folder : {root_, data_, run_}) {
    fs::create_directories(folder, error);
    if (error) return Error{ErrorCode::kDenied, folder + ": " + error.message()};
    if (user_ != 0 && chown(folder.c_str(), user_, group_) != 0) {
      return failed("chown " + folder, errno);
    }
    if (chmod(folder.c_str(), 0700) != 0) return failed("chmod " + folder, errno);
  }
  const std::string host = "?host=" + uri_escape(run_) + "&user=";
  const std::string database = "postgresql:///" + uri_escape(options_.setup.database) + host;
  url_ = database + uri_escape(options_.setup.role);
  admin_url_ = database + "postgres";
  first_url_ = "postgresql:///postgres" + host + "postgres";
  return ok_status();
}

Status Cluster::initialize() {
  Spawn spawn;
  // The folder's mode guards the socket, so the server itself trusts whoever comes through it.
  spawn.arguments = {binaries_ + "/initdb", "--pgdata=" + data_, "--username=postgres",
                     "--auth=trust",        "--encoding=UTF8",   "--locale=C.UTF-8"};
  if (!options_.standby_of.empty()) {
    const std::string name = "&application_name=standby";
    spawn.arguments = {binaries_ + "/pg_basebackup", "--pgdata=" + data_,
                       "--dbname=" + options_.standby_of + name, "--write-recovery-conf",
                       "--checkpoint=fast"};
  }
  spawn.log = log_path_;
  spawn.user = user_;
  spawn.group = group_;
  if (const Status made = run_to_end(spawn); !made.ok()) {
    return Error{ErrorCode::kUnavailable,
                 "cannot make a database cluster in " + data_ + ": " + log_tail()};
  }
  return ok_status();
}

// A server left behind by an owner that was killed: its pid file names it.
bool Cluster::take_over() {
  std::ifstream file(data_ + "/postmaster.pid");
  std::string pid_line, data_line;
  if (!std::getline(file, pid_line) || !std::getline(file, data_line)) return false;
  const int pid = std::atoi(pid_line.c_str());
  if (!is_alive(pid) || data_line != data_) return false;
  std::ifstream command("/proc/" + std::to_string(pid) + "/cmdline");
  std::string text;
  std::getline(command, text, '\0');
  if (text.find("postgres") == std::string::npos) return false;  // The number was given away.
  pid_ = pid;
  child_ = false;
  return true;
}

Status Cluster::spawn_server() {
  Spawn spawn;
  spawn.arguments = {binaries_ + "/postgres", "-D", data_};
  std::vector<std::string> settings = {"listen_addresses=",
                                       "unix_socket_directories=" + run_,
                                       "unix_socket_permissions=0700",
                                       "max_connections=200",
                                       "fsync=on",
                                       "synchronous_commit=on",
                                       "full_page_writes=on",
                                       "max_wal_size=2GB",
                                       "logging_collector=off",
                                       "log_line_prefix=%m [%p] "};
  settings.insert(settings.end(), options_.settings.begin(), options_.settings.end());
  for (const std::string& setting : settings) {
    spawn.arguments.push_back("-c");
    spawn.arguments.push_back(setting);
  }
  spawn.log = log_path_;
  spawn.user = user_;
  spawn.group = group_;
  spawn.dies_with_parent = options_.dies_with_parent;
  pid_ = TRY(launch(spawn));
  child_ = true;
  return ok_status();
}

Status Cluster::wait_until_ready() {
  const auto deadline = std::chrono::steady_clock::now() + options_.start_deadline;
  std::string last = "no answer";
  while (std::chrono::steady_clock::now() < deadline) {
    try {
      pqxx::connection connection(first_url_);
      return ok_status();
    } catch (const std::exception& error) {
      last = error.what();
    }
    int status = 0;
    if (child_ && waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = 0;
      return Error{ErrorCode::kUnavailable, "PostgreSQL did not start: " + log_tail()};
    }
    if (!child_ && !is_alive(pid_)) break;
    std::this_thread::sleep_for(kPoll);
  }
  return Error{ErrorCode::kUnavailable, "PostgreSQL does not answer: " + last + "; " + log_tail()};
}

Status Cluster::set_up() {
  const Setup& setup = options_.setup;
  try {
    pqxx::connection first(first_url_);
    pqxx::nontransaction work(first);
    // A standby has what its primary has.
    if (work.exec1("SELECT pg_is_in_recovery()")[0].as<bool>()) return ok_status();
    const auto there =
        work.exec_params("SELECT 1 FROM pg_database WHERE datname = $1", setup.database);
    if (there.empty()) work.exec("CREATE DATABASE " + work.quote_name(setup.database));
    work.exec(role_sql(setup));
    pqxx::connection inside(admin_url_);
    pqxx::nontransaction(inside).exec("SET client_min_messages = warning; " + schemas_sql(setup));
    return ok_status();
  } catch (const std::exception& error) {
    return Error{ErrorCode::kUnavailable,
                 "cannot set up database " + setup.database + ": " + error.what()};
  }
}

Status Cluster::start() {
  if (pid_ != 0) return ok_status();
  if (!take_over()) TRY(spawn_server());
  if (const Status ready = wait_until_ready(); !ready.ok()) {
    if (pid_ != 0) static_cast<void>(end_server(SIGQUIT));
    return ready;
  }
  return set_up();
}

Status Cluster::stop() { return end_server(SIGINT); }
Status Cluster::crash() { return end_server(SIGQUIT); }

Status Cluster::promote() {
  try {
    pqxx::connection connection(first_url_);
    pqxx::nontransaction(connection).exec1("SELECT 1 / pg_promote(true, 60)::int");
    return ok_status();
  } catch (const std::exception& error) {
    return Error{ErrorCode::kUnavailable,
                 std::string("the standby is not promoted: ") + error.what()};
  }
}

Status Cluster::end_server(int signal) {
  if (pid_ == 0) return ok_status();
  kill(pid_, signal);
  const auto deadline = std::chrono::steady_clock::now() + kStopDeadline;
  while (std::chrono::steady_clock::now() < deadline) {
    int status = 0;
    const bool ended = child_ ? waitpid(pid_, &status, WNOHANG) != 0 : !is_alive(pid_);
    if (ended) {
      pid_ = 0;
      return ok_status();
    }
    std::this_thread::sleep_for(kPoll);
  }
  return Error{ErrorCode::kUnavailable,
               "PostgreSQL (pid " + std::to_string(pid_) + ") does not stop: " + log_tail()};
}

std::string Cluster::log_tail() const {
  std::ifstream file(log_path_);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  constexpr std::size_t kShown = 600;
  if (text.size() > kShown) text = "..." + text.substr(text.size() - kShown);
  return text.empty() ? "see " + log_path_ : text + " (" + log_path_ + ")";
}

}  // namespace stepwell::postgres
