// Times, ids, hashes: their text forms, both ways.
#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/ids.h"
#include "base/time.h"
#include "base/value.h"

namespace stepwell {
namespace {

TEST(Time, ReadsRfc3339AndNothingElse) {
  const struct {
    const char* text;
    const char* in_utc;  // Null: refused.
  } table[] = {
      {"2026-11-21T05:04:43Z", "2026-11-21T05:04:43.000Z"},
      {"2026-11-21T05:04:43.123456789Z", "2026-11-21T05:04:43.123Z"},
      {"2026-11-21T05:04:43+01:30", "2026-11-21T03:34:43.000Z"},
      {"2024-02-29T00:00:00.5-00:00", "2024-02-29T00:00:00.500Z"},
      {"1969-12-31T23:59:59Z", "1969-12-31T23:59:59.000Z"},
      {"2026-11-21 05:04:43Z", nullptr},
      {"2026-11-21T05:04:43", nullptr},
      {"2026-13-21T05:04:43Z", nullptr},
      {"2025-02-29T00:00:00Z", nullptr},
      {"2026-11-21T25:04:43Z", nullptr},
      {"2026-11-21T05:04:43.Z", nullptr},
      {"2026-11-21T05:04:43Zulu", nullptr},
      {"", nullptr},
  };
  for (const auto& row : table) {
    const auto time = parse_rfc3339(row.text);
    EXPECT_EQ(time ? to_rfc3339(*time) : "refused", row.in_utc ? row.in_utc : "refused")
        << row.text;
  }
}

TEST(Time, DurationsForPeople) {
  EXPECT_EQ(to_human(Millis(250)), "250 ms");
  EXPECT_EQ(to_human(Millis(3400)), "3.4 s");
  EXPECT_EQ(to_human(Millis(62'000)), "1m 2s");
  EXPECT_EQ(to_human(Millis(3'720'000)), "1h 2m");
}

TEST(Uuid, BothWays) {
  const Uuid id = Uuid::v7(1'763'700'000'000, 0x123456789abcdef0, 0x0fedcba987654321);
  EXPECT_EQ(id.text(), "019aa4b6-4500-7ef0-8fed-cba987654321");
  EXPECT_EQ(Uuid::parse(id.text()), id);
  EXPECT_EQ(Uuid::parse("019aa4b6-4500-7ef0-8fed-cba98765432"), std::nullopt);
  EXPECT_EQ(Uuid::parse("019aa4d0_3b00-7ef0-8fed-cba987654321"), std::nullopt);
}

TEST(Hash, DigestsAndBase64) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest_hex("MD5", "abc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(digest_hex("md5", "abc"), std::nullopt);
  for (const char* text : {"", "f", "fo", "foo", "foob"}) {
    EXPECT_EQ(base64_decode(base64_encode(text)), text);
  }
  EXPECT_EQ(base64_encode("foob"), "Zm9vYg==");
  EXPECT_EQ(base64_decode("Zm9v!g=="), std::nullopt);
}

TEST(Utf8, RefusesOverlongSurrogateAndCutForms) {
  EXPECT_TRUE(is_utf8("aé😀"));
  for (const char* bad : {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xff"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

}  // namespace
}  // namespace stepwell
