#include "providers/fake/fake.h"

#include <signal.h>

#include <algorithm>
#include <memory>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/interrupt.h"

namespace stepwell::cli {
namespace {

struct FakeArguments {
  int port = 9100, users = 10, years = 5, seed = 7;
  bool is_rough = false;
  std::string knobs = "{}";
};

Exit run_fake(Console& console, const FakeArguments& given) {
  Exit exit = Exit::kOk;
  const auto knobs = read_input(console, given.knobs, "--knobs", exit);
  if (!knobs) return exit;
  fake::FakeOptions options;
  options.endpoint.port = given.port;
  options.seed = static_cast<std::uint64_t>(given.seed);
  options.users = static_cast<std::uint32_t>(given.users);
  options.years = static_cast<std::uint32_t>(given.years);
  if (!knobs->is_object()) return console.fail(Exit::kUsage, "--knobs is not an object");
  Object wanted = knobs->as_object();
  if (given.is_rough) wanted.set("preset", "rough");
  options.knobs = Value(std::move(wanted));

  ::signal(SIGPIPE, SIG_IGN);
  Interrupt::install();
  loop::UvLoop loop;
  auto server = fake::FakeServer::start(loop, options);
  if (!server.ok()) {
    const bool is_usage = server.error().code == ErrorCode::kInvalid;
    return console.fail(is_usage ? Exit::kUsage : Exit::kUnavailable, server.error().message);
  }
  const Status changed = (*server)->control(*knobs);
  if (!changed.ok()) return console.fail(Exit::kUsage, "--knobs: " + changed.error().message);
  console.print((*server)->url());
  console.say("ready; Ctrl-C stops");
  loop.watch(Interrupt::descriptor(), true, false, [&](bool, bool) {
    server->reset();
    loop.stop();
  });
  loop.run();
  return Exit::kOk;
}

}  // namespace

Command fake_command() {
  auto given = std::make_shared<FakeArguments>();
  return {
      "fake",
      "Serve fakes of the vendors: years of made-up data, OAuth, paging, faults",
      {{"--port", &given->port, "on 127.0.0.1; 0: any free one"},
       {"--users", &given->users, "how many people"},
       {"--years", &given->years, "how far back their data goes"},
       {"--seed", &given->seed, "the same seed, the same data and the same faults"},
       {"--rough", &given->is_rough, "with all kinds of faults"},
       {"--knobs", &given->knobs, "single faults: JSON or @FILE, as PUT /__ctl takes them"}},
      [given](Console& console) { return run_fake(console, *given); },
      "Prints its URL.  /__expected and /__audit tell what a destination must hold, and whether\n"
      "it does."};
}

}  // namespace stepwell::cli
