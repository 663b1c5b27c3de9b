// The binary.  A new command is a file in cli/commands and a line here.
#include <algorithm>
#include <exception>
#include <string>
#include <vector>

#include "cli/commands.h"

namespace {

// Everybody on the machine can list the arguments of a process: once they have been copied, what
// may be the password in a URL is written over.
void hide_passwords(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view text = argv[i];
    const std::size_t scheme = text.find("://"), at = text.rfind('@');
    const std::size_t colon =
        scheme == std::string_view::npos ? scheme : text.find(':', scheme + 3);
    if (at != std::string_view::npos && colon < at)
      std::fill(argv[i] + colon + 1, argv[i] + at, 'x');
    const std::size_t pair = text.find("password=");
    if (pair == std::string_view::npos) continue;
    const std::size_t end = std::min(text.find_first_of("& ", pair), text.size());
    std::fill(argv[i] + pair + 9, argv[i] + end, 'x');
  }
}

}  // namespace

int main(int argc, char** argv) {
  using namespace stepwell::cli;
  Console console;
  const std::vector<std::string> given(argv, argv + argc);
  std::vector<const char*> arguments;
  for (const std::string& one : given) arguments.push_back(one.c_str());
  hide_passwords(argc, argv);
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
                            console, argc, arguments.data());
  } catch (const std::exception& error) {
    return static_cast<int>(console.fail(Exit::kInternal, error.what(),
                                         "this is a mistake of ours; please report it with the "
                                         "command line and the message"));
  }
}
