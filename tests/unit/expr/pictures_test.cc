// Numbers, integers and dates by pictures.
#include "language/expr/jsonata/pictures.h"

#include <gtest/gtest.h>

#include <cmath>

#include "language/expr/jsonata/error.h"

namespace stepwell::expr::jsonata {
namespace {

constexpr std::int64_t kNow = 1'700'000'000'123;  // 2023-11-14T22:13:20.123Z, a Tuesday.

// What the call yields, or the code of its error.
template <class Call>
std::string outcome(Call&& call) {
  try {
    return call();
  } catch (const Error& error) {
    return error.code;
  }
}

struct NumberCase {
  double value;
  const char* picture;
  const char* expected;
};

TEST(FormatNumber, FollowsItsPicture) {
  const NumberCase cases[] = {
      {1234.5, "#,##0.00", "1,234.50"},
      {-1234.5, "#,##0.00", "-1,234.50"},
      {-1234.5, "#,##0.00;(#,##0.00)", "(1,234.50)"},
      {1234567, "#,##,##0", "12,34,567"},
      {0, "#,###", "0"},
      {0.5, "#", "0"},  // Half to even.
      {1.5, "#", "2"},
      {2.5, "0", "2"},
      {0.05, ".00", ".05"},
      {5, "000", "005"},
      {0.1234, "0.0#%", "12.34%"},
      {0.125, "0\xE2\x80\xB0", "125\xE2\x80\xB0"},
      {12345, "0.00e0", "1.23e4"},  // The half goes to the even digit.
      {0.00012, "00.0e00", "12.0e-05"},
      {0, "0.0e0", "0.0e0"},
      {-5, "0.0e0", "-5.0e0"},
      {7, "$0 each", "$7 each"},
      {1234.5678, "0.000,0", "1234.567,8"},
      {1e21, "#,##0", "1,000,000,000,000,000,000,000"},
      {1, "", "D3085"},
      {1, "0;0;0", "D3080"},
      {1, "0.0.0", "D3081"},
      {1, "0%%", "D3082"},
      {1, "0\xE2\x80\xB0\xE2\x80\xB0", "D3083"},
      {1, "0%\xE2\x80\xB0", "D3084"},
      {1, ".", "D3085"},
      {1, "0x0", "D3086"},
      {1, "0,.0", "D3087"},
      {1, "0,", "D3088"},
      {1, "0,,0", "D3089"},
      {1, "0#", "D3090"},
      {1, "0.#0", "D3091"},
      {1, "0e0%", "D3092"},
      {1, "0e#", "D3093"},
  };
  for (const NumberCase& one : cases) {
    EXPECT_EQ(outcome([&] { return format_number(one.value, one.picture, nullptr); }), one.expected)
        << one.value << " by " << one.picture;
  }
}

TEST(FormatNumber, TakesOtherSymbols) {
  const Object german{{"decimal-separator", ","}, {"grouping-separator", "."}};
  EXPECT_EQ(format_number(1234.5, "#.##0,00", &german), "1.234,50");
  const Object arabic{{"zero-digit", "\xD9\xA0"}};
  EXPECT_EQ(format_number(12.5, "#\xD9\xA0.\xD9\xA0", &arabic), "\xD9\xA1\xD9\xA2.\xD9\xA5");
  const Object signs{{"minus-sign", "minus "}, {"exponent-separator", "E"}};
  EXPECT_EQ(format_number(-0.012, "0.0E0", &signs), "minus 1.2Eminus 2");
}

TEST(FormatNumber, IsBounded) {
  const std::string endless(1'000'000, '#');
  EXPECT_EQ(outcome([&] { return format_number(1, endless, nullptr); }), "D3080");
  EXPECT_EQ(outcome([&] { return format_integer(1, endless); }), "D3130");
  EXPECT_EQ(outcome([&] { return format_millis(0, endless, std::nullopt); }), "D3132");
  EXPECT_EQ(outcome([&] { return format_integer(1e15, "I"); }), "D3130");
  const std::string wide = "0." + std::string(900, '0');
  EXPECT_LT(format_number(1e300, wide, nullptr).size(), 1500u);
}

TEST(FormatInteger, FollowsItsPicture) {
  const NumberCase cases[] = {
      {7, "1", "7"},
      {7, "001", "007"},
      {1234567, "#,##0", "1,234,567"},
      {1234567, "#:##0,000", "1:234,567"},
      {21, "1;o", "21st"},
      {112, "1;o", "112th"},
      {1002, "#,##0;o", "1,002nd"},
      {-3, "0", "-3"},
      {1.9, "0", "1"},
      {-1.5, "0", "-2"},
      {45, "\xD9\xA0\xD9\xA0\xD9\xA0", "\xD9\xA0\xD9\xA4\xD9\xA5"},
      {1, "A", "A"},
      {28, "a", "ab"},
      {703, "A", "AAA"},
      {1994, "I", "MCMXCIV"},
      {4, "i", "iv"},
      {0, "w", "zero"},
      {105, "w", "one hundred and five"},
      {42, "Ww", "Forty-Two"},
      {42, "W;o", "FORTY-SECOND"},
      {1e6, "w;o", "one millionth"},
      {2e15, "w", "two thousand trillion"},
      {12345, "Ww", "Twelve Thousand, Three Hundred and Forty-Five"},
      {1, "\xCE\x91", "D3130"},
      {1, "#", "D3130"},
      {1, "0\xD9\xA0", "D3131"},
  };
  for (const NumberCase& one : cases) {
    EXPECT_EQ(outcome([&] { return format_integer(one.value, one.picture); }), one.expected)
        << one.value << " by " << one.picture;
  }
}

TEST(ParseInteger, IsTheInverse) {
  for (const char* picture : {"0", "#,##0", "w", "Ww", "W", "a", "A", "i", "I", "0;o", "w;o",
                              "\xD9\xA0", "#'##0:00", "000"}) {
    for (const double value : {1.0, 7.0, 12.0, 20.0, 99.0, 100.0, 101.0, 999.0, 1994.0, 3999.0}) {
      EXPECT_EQ(parse_integer(format_integer(value, picture), picture), value) << picture;
    }
  }
  EXPECT_EQ(parse_integer("two million, three hundred thousand and five", "w"), 2'300'005);
  EXPECT_EQ(parse_integer("-12", "0"), -12);
  EXPECT_TRUE(std::isnan(parse_integer("twelvish", "w")));
  EXPECT_TRUE(std::isnan(parse_integer("x", "0")));
  EXPECT_EQ(outcome([] { return std::to_string(parse_integer("1", "#")); }), "D3130");
}

TEST(FormatBase, WritesDigitsOfAnyRadix) {
  EXPECT_EQ(format_base(255, 16), "ff");
  EXPECT_EQ(format_base(-255, 2), "-11111111");
  EXPECT_EQ(format_base(100, 10), "100");
  EXPECT_EQ(format_base(35.5, 36), "10");  // Half to even.
  EXPECT_EQ(format_base(0, 2), "0");
  EXPECT_EQ(outcome([] { return format_base(1, 1); }), "D3100");
  EXPECT_EQ(outcome([] { return format_base(1, 37); }), "D3100");
}

struct DateCase {
  std::int64_t millis;
  const char* picture;
  const char* zone;  // nullptr: none.
  const char* expected;
};

TEST(FormatMillis, FollowsItsPicture) {
  const DateCase cases[] = {
      {kNow, nullptr, nullptr, "2023-11-14T22:13:20.123Z"},
      {kNow, nullptr, "+0530", "2023-11-15T03:43:20.123+05:30"},
      {-1, nullptr, nullptr, "1969-12-31T23:59:59.999Z"},
      {kNow, "[D1o] [MNn] [Y]", nullptr, "14th November 2023"},
      {kNow, "[FNn,3-3] [MN,3-3] [Fn]", nullptr, "Tue NOV tuesday"},
      {kNow, "[h]:[m01] [P] [PN]", nullptr, "10:13 pm PM"},
      {kNow, "[Y,2-2]/[M]/[D01] [H#1]", "-0500", "23/11/14 17"},
      {kNow, "[d] [W] [w] [F1] [X] [x] [xNn]", nullptr, "318 46 3 2 2023 11 November"},
      {kNow, "[YI] [Dw] [DWwo] [MA]", nullptr, "MMXXIII fourteen Fourteenth K"},
      {kNow, "[s] [f] [f001] [E] [C]", nullptr, "20 123 123 ISO ISO"},
      {kNow, "[Z] [z] [Z0] [Z0000] [Z01:01t]", "+0530", "+05:30 GMT+05:30 +5:30 +0530 +05:30"},
      {kNow, "[[[Y]]] [ M 0 1 ]", nullptr, "[2023] 11"},
      {1'609'459'200'000, "[X]-W[W01]-[F1]", nullptr, "2020-W53-5"},  // 2021-01-01
      {0, "", nullptr, ""},
      {0, "[Y", nullptr, "D3135"},
      {0, "[q]", nullptr, "D3132"},
      {0, "[YN]", nullptr, "D3133"},
      {0, "[Z00000]", nullptr, "D3134"},
  };
  for (const DateCase& one : cases) {
    const auto picture =
        one.picture == nullptr ? std::nullopt : std::optional<std::string_view>(one.picture);
    const auto zone =
        one.zone == nullptr ? std::nullopt : std::optional<std::string_view>(one.zone);
    EXPECT_EQ(outcome([&] { return format_millis(one.millis, picture, zone); }), one.expected)
        << (one.picture == nullptr ? "no picture" : one.picture);
  }
}

std::string parsed(const char* text, std::optional<std::string_view> picture) {
  return outcome([&]() -> std::string {
    std::uint64_t steps = 1'000'000;
    const auto millis = parse_millis(text, picture, kNow, steps);
    if (!millis) return "nothing";
    if (std::isnan(*millis)) return "no time";
    return format_millis(static_cast<std::int64_t>(*millis), std::nullopt, std::nullopt);
  });
}

TEST(ParseMillis, ReadsIso8601) {
  const struct {
    const char *text, *expected;
  } cases[] = {
      {"2017", "2017-01-01T00:00:00.000Z"},
      {"2017-10", "2017-10-01T00:00:00.000Z"},
      {"2017-10-30", "2017-10-30T00:00:00.000Z"},
      {"2017-10-30T16:25:32Z", "2017-10-30T16:25:32.000Z"},
      {"2017-10-30T16:25:32.1", "2017-10-30T16:25:32.100Z"},
      {"2017-10-30T16:25:32.123456+01:00", "2017-10-30T15:25:32.123Z"},
      {"2017-10-30T16:25:32-0500", "2017-10-30T21:25:32.000Z"},
      {"2017-10-30T24:00:00Z", "2017-10-31T00:00:00.000Z"},
      {"2017-02-31", "2017-03-03T00:00:00.000Z"},
      {"2017-10-30T24:00:01Z", "no time"},
      {"2017-10-30T25:00:00Z", "no time"},
      {"2017-00-01", "no time"},
      {"2017-13-01", "no time"},
      {"2017-10-32", "no time"},
      {"2017-10-30T16:25:32+24:00", "no time"},
      {"2017-20-01", "D3110"},
      {"2017-10-40", "D3110"},
      {"2017-10-30T30:00:00Z", "D3110"},
      {"2017-10-30T16:60:32", "D3110"},
      {"2017-10-30T16:25", "D3110"},
      {"2017-10-30T16:25:32+30:00", "D3110"},
      {"2017-10-30T16:25:32+23:60", "D3110"},
      {"30/10/2017", "D3110"},
      {"", "D3110"},
  };
  for (const auto& one : cases) EXPECT_EQ(parsed(one.text, std::nullopt), one.expected) << one.text;
}

TEST(ParseMillis, FollowsItsPicture) {
  const struct {
    const char *text, *picture, *expected;
  } cases[] = {
      {"14/02/2020", "[D01]/[M01]/[Y0001]", "2020-02-14T00:00:00.000Z"},
      {"20200229", "[Y0001][M01][D01]", "2020-02-29T00:00:00.000Z"},
      {"3rd March 2020", "[D1o] [MNn] [Y]", "2020-03-03T00:00:00.000Z"},
      {"2020-60", "[Y0001]-[d001]", "2020-02-29T00:00:00.000Z"},
      {"5:07 pm", "[h]:[m01] [P]", "2023-11-14T17:07:00.000Z"},
      {"12:00 am", "[h]:[m01] [P]", "2023-11-14T00:00:00.000Z"},
      {"22:30", "[H01]:[m01]", "2023-11-14T22:30:00.000Z"},
      {"03-04", "[M01]-[D01]", "2023-03-04T00:00:00.000Z"},
      {"2020-01-01 10:00 GMT+02:30", "[Y]-[M]-[D] [H]:[m] [z]", "2020-01-01T07:30:00.000Z"},
      {"2020-01-01 10:00 -0330", "[Y]-[M]-[D] [H]:[m] [Z0001]", "2020-01-01T12:30:00.000Z"},
      {"MMXX, two", "[YI], [Mw]", "2020-02-01T00:00:00.000Z"},
      {"not a date", "[Y0001]-[M01]", "nothing"},
      {"2020-13-01", "[Y]-[M]-[D]", "2021-01-01T00:00:00.000Z"},
      {"275760-09-13", "[Y]-[M]-[D]", "5760-09-13T00:00:00.000Z"},
      {"275760-09-14", "[Y]-[M]-[D]", "no time"},
      {"205000000000023205000000000023-1-1", "[Y]-[M]-[D]", "no time"},
      {"2020-205000000000023205000000000023-1", "[Y]-[M]-[D]", "no time"},
      {"2020-1-205000000000023205000000000023", "[Y]-[M]-[D]", "no time"},
      {"205000000000023205000000000023", "[m01]", "no time"},
      {"2020-205000000000023205000000000023", "[Y]-[d]", "no time"},
      {"2020 5", "[Y] [H]", "D3136"},
      {"2020 monday", "[Y] [Yn]", "D3133"},
      {"2020-W05-1", "[X0001]-W[W01]-[F1]", "D3136"},
      {"x", "[Y", "D3135"},
      {"x", "[q]", "D3132"},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(parsed(one.text, one.picture), one.expected) << one.text << " by " << one.picture;
  }
}

}  // namespace
}  // namespace stepwell::expr::jsonata
