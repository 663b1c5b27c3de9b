// A plugin process is not trusted: what one does that forges its frames.  (The test re-executes
// itself as such a process.)
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "providers/host/broker/plugin_process.h"
#include "tests/providers/host_fixture.h"

namespace stepwell::host {
namespace {

constexpr int kChannel = 3;

void put(const Value& frame) {
  std::string bytes;
  append_frame(bytes, frame);
  CHECK(::write(kChannel, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()), "put");
}

Value get_thing(std::int64_t call, std::int64_t n) {
  return Value(Object{{"f", "request"},
                      {"call", call},
                      {"n", n},
                      {"kind", "http"},
                      {"body", Value(Object{{"method", "GET"}, {"path", "/thing"}})}});
}

// With each call that it is told to run, asks for these, until it is hung up on.
int forge(const std::vector<std::int64_t>& numbers) {
  FrameReader reader;
  std::array<char, 65536> bytes;
  for (;;) {
    const ssize_t got = ::read(kChannel, bytes.data(), bytes.size());
    if (got <= 0) return 0;
    reader.feed(std::string_view(bytes.data(), static_cast<std::size_t>(got)));
    for (auto frame = reader.next(); frame.ok() && frame->has_value(); frame = reader.next()) {
      if (text_of(**frame, "f") != "call") continue;
      for (const std::int64_t n : numbers) put(get_thing(int_of(**frame, "call"), n));
    }
  }
}

// By the argument that the test re-executes itself with.
int act(std::string_view part) {
  if (part == "__again") return forge({1, 2, 1, 1});
  if (part == "__ahead") return forge({1, 3});
  if (part == "__deaf") return ::pause();
  return -1;
}

class Forging : public HostFixture {};

TEST_F(Forging, ARequestOutOfTurnEndsTheProcess) {
  serve([](const Asked&) { return Told{}; });
  provider("acme", run_is(""));
  connect("acme:u1", "access-secret-1");
  for (const char* how : {"__again", "__ahead"}) {
    HostOptions with = options;
    with.plugin_argument = how;
    loop::UvLoop loop;
    auto opened = ProviderHost::open(loop, with);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    runtime::TaskCall call;
    call.resource = "acme.run";
    call.input = Value(Object{{"connection", "acme:u1"}});
    call.timeout = Millis(5'000);
    std::string said;
    (*opened)->start(call, [&](const TaskResult& result) {
      said = show(result);
      loop.stop();
    });
    loop.run();
    EXPECT_EQ(said, "Provider.ScriptError: acme.run crashed its process") << how;
    opened->reset();
  }
}

TEST_F(Forging, AProcessThatDoesNotReadIsEnded) {
  options.plugin_argument = "__deaf";
  loop::UvLoop loop;
  std::string why;
  auto process = PluginProcess::start(loop, options,
                                      {[](const Value&) {},
                                       [&](const std::string& words) {
                                         why = words;
                                         loop.stop();
                                       }});
  ASSERT_TRUE(process.ok()) << process.error().message;
  const Value answer(Object{{"f", "answer"}, {"value", std::string(kMaxFrameBytes - 100, 'x')}});
  for (int i = 0; i < 6; ++i) (*process)->send(answer);
  loop.after(Millis(5'000), [&] { loop.stop(); });
  loop.run();
  EXPECT_EQ(why, "it does not read what it is told");
  process->reset();
}

}  // namespace
}  // namespace stepwell::host

int main(int argc, char** argv) {
  const int acted = argc > 1 ? stepwell::host::act(argv[1]) : -1;
  if (acted >= 0) return acted;
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
