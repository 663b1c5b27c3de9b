// Histories read page by page, in both orders, from snapshots and without.
#include "tests/runtime/world.h"

namespace stepwell::runtime {
namespace {

constexpr const char* kMap = R"(
StartAt: Each
States:
  Each:
    Type: Map
    MaxConcurrency: 5
    ItemProcessor: {StartAt: Do, States: {Do: {Type: Task, Resource: test.echo, End: true}}}
    End: true
)";

class History : public World {
 protected:
  std::string numbers(int count) {
    std::string text = "[";
    for (int i = 0; i < count; ++i) text += (i == 0 ? "" : ",") + std::to_string(i);
    return text + "]";
  }
  std::vector<std::string> read_all(Engine& engine, const std::string& id, unsigned limit,
                                    bool newest_first) {
    std::vector<std::string> events;
    HistoryOptions options;
    options.limit = limit;
    options.newest_first = newest_first;
    do {
      const auto page = engine.history(id, options);
      EXPECT_TRUE(page) << page.error;
      EXPECT_LE(page.value.events.size(), limit);
      events.insert(events.end(), page.value.events.begin(), page.value.events.end());
      options.next = page.value.next;
    } while (!options.next.empty());
    return events;
  }
};

TEST_F(History, IsTheSameInPagesOfEverySizeAndBothOrders) {
  settings_.snapshot_facts = 8;
  auto one = engine();
  deploy(*one, "map", kMap);
  const std::string id = start(*one, "map", numbers(100));
  EXPECT_EQ(outcome(ended(*one, id)), "SUCCEEDED " + numbers(100));
  const std::vector<std::string> whole = read_all(*one, id, 10'000, false);
  // Execution and Map: started, entered, left, succeeded; seven for each item.
  EXPECT_EQ(whole.size(), 6u + 100u * 7u);
  eventually("snapshots were written", [&] { return one->async().counters().snapshots > 0; });
  for (const unsigned limit : {1u, 7u, 100u, 706u}) {
    EXPECT_EQ(read_all(*one, id, limit, false), whole) << limit;
    std::vector<std::string> backwards = read_all(*one, id, limit, true);
    std::reverse(backwards.begin(), backwards.end());
    EXPECT_EQ(backwards, whole) << limit;
  }
  auto other = engine();  // Remembers nobody's place.
  EXPECT_EQ(read_all(*other, id, 50, false), whole);
}

TEST_F(History, OfNobodyOrWithAStrangeTokenIsRefused) {
  auto one = engine();
  deploy(*one, "map", kMap);
  const std::string id = start(*one, "map", "[]");
  EXPECT_EQ(one->history("0190a5d4-7b3c-7000-8000-000000000000").code, Code::kNotFound);
  for (const char* token : {"x", "b.1.1", "f.1", "f.1.x", "f..", "f.1.1 "}) {
    EXPECT_EQ(one->history(id, {.next = token}).code, Code::kInvalid) << token;
  }
}

const struct {
  const char* name;
  const char* text;
  const char* where;
  const char* value;
} kPlaces[] = {
    {"plain", "StartAt: Stop\nStates:\n  Stop:\n    Type: Fail\n", "plain.yaml:3:3", ""},
    {"inner",
     "StartAt: Both\n"
     "States:\n"
     "  Both:\n"
     "    Type: Parallel\n"
     "    Branches: [{StartAt: A, States: {A: {Type: Fail}}}]\n"
     "    End: true\n",
     "inner.yaml:5:38", ""},
    {"computed",
     "QueryLanguage: JSONata\n"
     "StartAt: Sum\n"
     "States:\n"
     "  Sum:\n"
     "    Type: Pass\n"
     "    Output:\n"
     "      good: '{% 1 %}'\n"
     "      total: '{% $states.input.total %}'\n"
     "    End: true\n",
     "computed.yaml:8:14", ""},
    {"within",
     "QueryLanguage: JSONata\n"
     "StartAt: Sum\n"
     "States:\n"
     "  Sum:\n"
     "    Type: Pass\n"
     "    Output: |-\n"
     "      {% (\n"
     "        $one := 1;\n"
     "        $one + 'ten'\n"
     "      ) %}\n"
     "    End: true\n",
     "within.yaml:9:14", R"("ten")"},
    {"selected",
     "StartAt: Sum\n"
     "States:\n"
     "  Sum:\n"
     "    Type: Pass\n"
     "    Parameters:\n"
     "      good.$: $\n"
     "      total.$: $.total\n"
     "    End: true\n",
     "selected.yaml:7:16", ""},
    {"called",
     "StartAt: Sum\n"
     "States:\n"
     "  Sum:\n"
     "    Type: Pass\n"
     "    Parameters:\n"
     "      total.$: States.Format('{}', States.MathAdd('x', 1))\n"
     "    End: true\n",
     "called.yaml:6:36", R"(["x",1])"},
};

// Also of a program that was read back from the store.
TEST_F(History, NamesTheLineThatFailed) {
  auto one = engine();
  auto other = engine();
  for (const auto& row : kPlaces) {
    deploy(*one, row.name, row.text);
    const std::string id = start(*one, row.name, "{}");
    ended(*one, id);
    HistoryOptions newest;
    newest.newest_first = true;
    newest.limit = 1;
    for (Engine* reader : {one.get(), other.get()}) {
      const auto page = reader->history(id, newest);
      ASSERT_TRUE(page) << page.error;
      ASSERT_EQ(page.value.places.size(), 1u) << row.name;
      EXPECT_EQ(page.value.places[0].where, row.where) << row.name;
      EXPECT_EQ(page.value.places[0].value, row.value) << row.name;
    }
  }
}

}  // namespace
}  // namespace stepwell::runtime
