// Every command of the binary.  One function per file in cli/commands.
#pragma once

#include "cli/command.h"

namespace stepwell::cli {

Command dev_command();
Command serve_command();
Command migrate_command();
Command lint_command();
Command test_command();
Command try_command();
Command graph_command();
Command fmt_command();
Command schema_command();
Command convert_command();
Command fake_command();
Command connect_command();

Command exec_start_command();
Command exec_describe_command();
Command exec_list_command();
Command exec_history_command();
Command exec_watch_command();
Command exec_stop_command();
Command exec_redrive_command();

Command backfill_failed_command();
Command backfill_retry_command();

Command plugin_command();         // The child process that runs providers' Lua.
Command with_postgres_command();  // Runs a program on a private Postgres, for tests and benches.

}  // namespace stepwell::cli
