// Pictures of workflows, whole.
//
//   NAME.yaml             a workflow
//   NAME.svg, NAME.mmd    what it looks like
//   NAME.history.jsonl    if there: what an execution of it did,
//   NAME.history.svg ...  and how that colours it
//
// STEPWELL_BLESS=1 rewrites the pictures.
#include "authoring/graph/graph.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "dsl/dsl.h"
#include "tests/golden/files.h"

namespace stepwell::graph {
namespace {

namespace fs = std::filesystem;
using testing::expect_file;
using testing::read_file;

Value definition_in(const fs::path& path) {
  const auto parsed = dsl::parse_document(read_file(path), path.filename().string());
  EXPECT_TRUE(parsed.diagnostics.empty()) << path;
  return parsed.value;
}

class Pictures : public ::testing::TestWithParam<std::string> {};

TEST_P(Pictures, AreExactlyThese) {
  const fs::path folder = STEPWELL_GOLDEN_FOLDER;
  const std::string name = GetParam();
  fs::path source = folder / (name + ".yaml");
  if (!fs::exists(source))
    source = fs::path(STEPWELL_SOURCE_FOLDER) / "workflows" / (name + ".yaml");
  const Chart chart = read_chart(definition_in(source));
  expect_file(folder / (name + ".svg"), to_svg(chart, nullptr, name).value());
  expect_file(folder / (name + ".mmd"), to_mermaid(chart, nullptr));
  const fs::path history = folder / (name + ".history.jsonl");
  if (!fs::exists(history)) return;
  const Progress progress = read_progress(read_events(read_file(history)).value()).value();
  expect_file(folder / (name + ".history.svg"), to_svg(chart, &progress, name).value());
  expect_file(folder / (name + ".history.mmd"), to_mermaid(chart, &progress));
}

INSTANTIATE_TEST_SUITE_P(Graph, Pictures, ::testing::Values("nested", "historical_backfill"),
                         [](const auto& about) { return about.param; });

}  // namespace
}  // namespace stepwell::graph
