#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "cli/commands.h"
#include "cli/target.h"
#include "engine/postgres/cluster.h"

namespace stepwell::cli {
namespace {

Exit run_program(Console& console, const std::vector<std::string>& program) {
  std::vector<char*> words;
  for (const std::string& word : program) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execvp(words[0], words.data());
    ::_exit(127);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) < 0) {
    return console.fail(Exit::kInternal, "cannot start " + program[0]);
  }
  return static_cast<Exit>(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

}  // namespace

Command with_postgres_command() {
  struct Arguments {
    std::string directory;
    std::vector<std::string> program;
  };
  auto given = std::make_shared<Arguments>();
  const auto run = [given](Console& console) {
    postgres::ClusterOptions options;
    options.directory = given->directory;
    options.dies_with_parent = true;
    auto cluster = postgres::Cluster::open(options);
    if (!cluster.ok()) return console.fail(Exit::kUnavailable, cluster.error().message);
    ::setenv(kDatabaseVariable, (*cluster)->url().c_str(), 1);
    return run_program(console, given->program);
  };
  Command command{"__with_postgres",
                  "Run a program on a private Postgres",
                  {{"DIRECTORY", &given->directory, "where it lives", true},
                   {"PROGRAM", &given->program, "and its arguments", true}},
                  run};
  command.is_hidden = true;
  return command;
}

}  // namespace stepwell::cli
