// The tasks of the library sync, each by itself: the shipped folder beside two small providers.
// The backfill as a whole is tested in tests/providers_fake.
#include "tests/providers/host_fixture.h"

namespace stepwell::host {
namespace {

class SyncTest : public HostFixture {
 protected:
  SyncTest() { options.roots.emplace_back("providers"); }

  std::string fail_chunk(const std::string& cause) {
    const Value error(Object{{"Error", "Provider.BadData"}, {"Cause", cause}});
    return run("sync.fail_chunk", Value(Object{{"chunk", "workout/2026-08-01..2026-09-01"},
                                               {"type", "workout"},
                                               {"from", "2026-08-01T00:00:00Z"},
                                               {"to", "2026-09-01T00:00:00Z"},
                                               {"error", error}}));
  }
};

std::string repeated(const char* text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST_F(SyncTest, CutsACauseBetweenCharacters) {
  const auto failed = [](const std::string& cause) {
    return R"({"cause":")" + cause +
           R"(","error":"Provider.BadData","from":"2026-08-01T00:00:00Z","status":"failed",)"
           R"("to":"2026-09-01T00:00:00Z","type":"workout"})";
  };
  EXPECT_EQ(fail_chunk("short"), failed("short"));
  EXPECT_EQ(fail_chunk(repeated("x", 201)), failed(repeated("x", 200)));
  EXPECT_EQ(fail_chunk(repeated("ä", 101)), failed(repeated("ä", 100)));
  EXPECT_EQ(fail_chunk("x" + repeated("ä", 100)), failed("x" + repeated("ä", 99)));
  EXPECT_EQ(fail_chunk("xx" + repeated("😀", 100)), failed("xx" + repeated("😀", 49)));
}

}  // namespace
}  // namespace stepwell::host
