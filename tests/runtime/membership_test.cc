// What a process says of itself while it talks to the database.
#include "engine/runtime/membership.h"

#include <gtest/gtest.h>

#include <future>

#include "tests/runtime/tampered_store.h"
#include "tests/runtime/world.h"

namespace stepwell::runtime {
namespace {

// A database that is away keeps whoever opens a session waiting; the keeper goes on.
TEST(MembershipTest, TellsItsNodeWhileASessionIsOpened) {
  Gate gate;
  Tampering tampering;
  tampering.before_open = [&gate] { gate.pass(); };
  TamperedStore store(store::make_memory_store(), tampering);
  Membership membership(store, {});
  ASSERT_TRUE(membership.join().ok());
  auto opened = std::async(std::launch::async, [&] { return membership.open_session().ok(); });
  gate.wait();
  auto asked = std::async(std::launch::async, [&] { return membership.node().has_value(); });
  const bool is_answered = asked.wait_for(kPatience) == std::future_status::ready;
  gate.open();
  EXPECT_TRUE(is_answered) << "it waits for the session";
  EXPECT_TRUE(asked.get());
  EXPECT_TRUE(opened.get());
}

}  // namespace
}  // namespace stepwell::runtime
