// The binary.  A new command is a file in cli/commands and a line here.
#include <exception>

#include "cli/commands.h"

int main(int argc, char** argv) {
  using namespace stepwell::cli;
  Console console;
  try {
    return run_command_line({dev_command(),
                             serve_command(),
                             migrate_command(),
                             lint_command(),
                             test_command(),
                             try_command(),
                             graph_command(),
                             fmt_command(),
                             schema_command(),
                             convert_command(),
                             fake_command(),
                             connect_command(),
                             exec_start_command(),
                             exec_describe_command(),
                             exec_list_command(),
                             exec_history_command(),
                             exec_watch_command(),
                             exec_stop_command(),
                             exec_redrive_command(),
                             backfill_failed_command(),
                             backfill_retry_command(),
                             plugin_command(),
                             with_postgres_command()},
                            console, argc, argv);
  } catch (const std::exception& error) {
    return static_cast<int>(console.fail(Exit::kInternal, error.what(),
                                         "this is a mistake of ours; please report it with the "
                                         "command line and the message"));
  }
}
