#include "dsl/tables/objects.h"

#include <array>

#include "dsl/tables/operators.h"

namespace stepwell::dsl {

namespace {

using Names = std::vector<std::string>;

struct Row {
  ObjectKind kind;
  Names in_both, only_jsonpath, only_jsonata;
};

std::vector<Row> rows() {
  Names comparisons = {"Variable", "And", "Or", "Not"};
  comparisons.insert(comparisons.end(), comparison_names().begin(), comparison_names().end());
  return {
      {ObjectKind::kWorkflow,
       {"StartAt", "States", "Version", "TimeoutSeconds", "QueryLanguage", "InputSchema", "Groups"},
       {},
       {}},
      {ObjectKind::kBranch, {"StartAt", "States", "Groups"}, {}, {}},
      {ObjectKind::kProcessor, {"StartAt", "States", "ProcessorConfig", "Groups"}, {}, {}},
      {ObjectKind::kProcessorConfig, {"Mode", "ExecutionType"}, {}, {}},
      {ObjectKind::kGroup, {"States", "Retry", "Catch"}, {}, {}},
      {ObjectKind::kRetrier,
       {"ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds",
        "JitterStrategy", "RetryAfter", "MaxRetryAfterSeconds", "MaxRetryAfterCount"},
       {},
       {}},
      {ObjectKind::kCatcher, {"ErrorEquals", "Next", "Assign"}, {"ResultPath"}, {"Output"}},
      {ObjectKind::kChoiceRule, {"Next", "Assign"}, comparisons, {"Condition", "Output"}},
      {ObjectKind::kItemReader, {"Resource", "ReaderConfig"}, {"Parameters"}, {"Arguments"}},
      {ObjectKind::kReaderConfig,
       {"InputType", "CSVDelimiter", "CSVHeaderLocation", "CSVHeaders", "MaxItems", "ManifestType",
        "ItemsPointer", "Transformation"},
       {"MaxItemsPath"},
       {}},
      {ObjectKind::kItemBatcher,
       {"MaxItemsPerBatch", "MaxInputBytesPerBatch", "BatchInput"},
       {"MaxItemsPerBatchPath", "MaxInputBytesPerBatchPath"},
       {}},
      {ObjectKind::kResultWriter, {"Resource", "WriterConfig"}, {"Parameters"}, {"Arguments"}},
  };
}

// By ObjectKind and language.
struct Lists {
  static constexpr std::size_t kKinds = static_cast<std::size_t>(ObjectKind::kResultWriter) + 1;
  std::array<Names, kKinds> of_jsonpath, of_jsonata;

  Lists() {
    for (const Row& row : rows()) {
      const auto at = static_cast<std::size_t>(row.kind);
      Names& path = of_jsonpath[at] = row.in_both;
      path.insert(path.end(), row.only_jsonpath.begin(), row.only_jsonpath.end());
      Names& jsonata = of_jsonata[at] = row.in_both;
      jsonata.insert(jsonata.end(), row.only_jsonata.begin(), row.only_jsonata.end());
    }
  }
};

}  // namespace

const std::vector<std::string>& fields_in(ObjectKind kind, Language language) {
  static const Lists kLists;
  const auto at = static_cast<std::size_t>(kind);
  return language == Language::kJsonPath ? kLists.of_jsonpath[at] : kLists.of_jsonata[at];
}

const std::vector<std::string>& words_in(std::string_view field) {
  static const std::vector<std::pair<std::string_view, Names>> kWords = {
      {"QueryLanguage", {"JSONPath", "JSONata"}}, {"Version", {"1.0"}},
      {"Mode", {"INLINE", "DISTRIBUTED"}},        {"ExecutionType", {"STANDARD", "EXPRESS"}},
      {"JitterStrategy", {"FULL", "NONE"}},       {"RetryAfter", {"HONOR", "IGNORE"}},
  };
  static const Names kNone;
  for (const auto& [name, list] : kWords) {
    if (name == field) return list;
  }
  return kNone;
}

}  // namespace stepwell::dsl
