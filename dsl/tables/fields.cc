#include "dsl/tables/fields.h"

namespace stepwell::dsl {

namespace {

constexpr std::uint8_t kPathOnly = static_cast<std::uint8_t>(Language::kJsonPath);
constexpr std::uint8_t kJsonataOnly = static_cast<std::uint8_t>(Language::kJsonata);
constexpr std::uint8_t kBoth = kPathOnly | kJsonataOnly;

constexpr std::uint16_t kWithResult = kTask | kPass | kParallel | kMap;
constexpr std::uint16_t kWithFailure = kTask | kParallel | kMap;

constexpr Field kFields[] = {
    {"Type", Shape::kType, kEveryKind, kBoth},
    {"Comment", Shape::kText, kEveryKind, kBoth},
    {"QueryLanguage", Shape::kLanguage, kEveryKind, kBoth},
    {"Next", Shape::kTransition, kWithResult | kWait, kBoth},
    {"End", Shape::kEnd, kWithResult | kWait, kBoth},
    {"InputPath", Shape::kPath, kEveryKind & ~kFail, kPathOnly},
    {"OutputPath", Shape::kPath, kEveryKind & ~kFail, kPathOnly},
    {"Parameters", Shape::kTemplate, kWithResult, kPathOnly},
    {"ResultSelector", Shape::kTemplate, kWithFailure, kPathOnly},
    {"ResultPath", Shape::kReferencePath, kWithResult, kPathOnly},
    {"Assign", Shape::kAssign, kWithResult | kWait | kChoice, kBoth},
    {"Arguments", Shape::kArguments, kTask | kParallel, kJsonataOnly},
    {"Output", Shape::kOutput, kEveryKind & ~kFail, kJsonataOnly},
    {"Retry", Shape::kRetry, kWithFailure, kBoth},
    {"Catch", Shape::kCatch, kWithFailure, kBoth},
    {"Resource", Shape::kResource, kTask, kBoth},
    {"TimeoutSeconds", Shape::kPositive, kTask, kBoth},
    {"TimeoutSecondsPath", Shape::kPathTo, kTask, kPathOnly},
    {"HeartbeatSeconds", Shape::kPositive, kTask, kBoth},
    {"HeartbeatSecondsPath", Shape::kPathTo, kTask, kPathOnly},
    {"Credentials", Shape::kCredentials, kTask, kBoth},
    {"Result", Shape::kAnything, kPass, kPathOnly},
    {"Choices", Shape::kChoices, kChoice, kBoth},
    {"Default", Shape::kTransition, kChoice, kBoth},
    {"Seconds", Shape::kCount, kWait, kBoth},
    {"SecondsPath", Shape::kPathTo, kWait, kPathOnly},
    {"Timestamp", Shape::kTimestamp, kWait, kBoth},
    {"TimestampPath", Shape::kPathTo, kWait, kPathOnly},
    {"Error", Shape::kMessage, kFail, kBoth},
    {"ErrorPath", Shape::kPathOrIntrinsic, kFail, kPathOnly},
    {"Cause", Shape::kMessage, kFail, kBoth},
    {"CausePath", Shape::kPathOrIntrinsic, kFail, kPathOnly},
    {"Branches", Shape::kBranches, kParallel, kBoth},
    {"ItemProcessor", Shape::kProcessor, kMap, kBoth},
    {"Iterator", Shape::kProcessor, kMap, kBoth},
    {"Items", Shape::kItems, kMap, kJsonataOnly},
    {"ItemsPath", Shape::kPathTo, kMap, kPathOnly},
    {"ItemSelector", Shape::kTemplate, kMap, kBoth},
    {"MaxConcurrency", Shape::kCount, kMap, kBoth},
    {"MaxConcurrencyPath", Shape::kPathTo, kMap, kPathOnly},
    {"ToleratedFailureCount", Shape::kCount, kMap, kBoth},
    {"ToleratedFailureCountPath", Shape::kPathTo, kMap, kPathOnly},
    {"ToleratedFailurePercentage", Shape::kPercentage, kMap, kBoth},
    {"ToleratedFailurePercentagePath", Shape::kPathTo, kMap, kPathOnly},
    {"TolerateFailures", Shape::kTruth, kMap, kBoth},
    {"Label", Shape::kText, kMap, kBoth},
    {"ItemReader", Shape::kItemReader, kMap, kBoth},
    {"ItemBatcher", Shape::kItemBatcher, kMap, kBoth},
    {"ResultWriter", Shape::kResultWriter, kMap, kBoth},
};

struct NamedKind {
  std::string_view name;
  Kind kind;
};
// In AWS's order.
constexpr NamedKind kKinds[] = {{"Task", kTask},         {"Wait", kWait}, {"Pass", kPass},
                                {"Succeed", kSucceed},   {"Fail", kFail}, {"Choice", kChoice},
                                {"Parallel", kParallel}, {"Map", kMap}};

}  // namespace

std::optional<Kind> kind_named(std::string_view word) {
  for (const NamedKind& one : kKinds) {
    if (one.name == word) return one.kind;
  }
  return std::nullopt;
}

std::string_view name_of(Kind kind) {
  for (const NamedKind& one : kKinds) {
    if (one.kind == kind) return one.name;
  }
  return "";
}

const std::vector<std::string>& kind_names() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> list;
    for (const NamedKind& one : kKinds) list.emplace_back(one.name);
    return list;
  }();
  return kNames;
}

const Field* field_of(std::string_view name, std::uint16_t kinds, Language language) {
  const Field* field = field_anywhere(name);
  const bool is_legal = field != nullptr && (field->kinds & kinds) != 0 &&
                        (field->languages & static_cast<std::uint8_t>(language)) != 0;
  return is_legal ? field : nullptr;
}

const Field* field_anywhere(std::string_view name) {
  for (const Field& field : kFields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::vector<std::string> legal_fields(std::uint16_t kinds, Language language) {
  std::vector<std::string> names;
  for (const Field& field : kFields) {
    if (field_of(field.name, kinds, language) != nullptr) names.emplace_back(field.name);
  }
  return names;
}

std::string kinds_in_words(std::uint16_t kinds) {
  std::vector<std::string_view> names;
  for (const NamedKind& one : kKinds) {
    if ((kinds & one.kind) != 0) names.push_back(one.name);
  }
  std::string words;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) words += i + 1 == names.size() ? " or " : ", ";
    words += names[i];
  }
  return words;
}

bool is_free(std::string_view name) { return name == "Comment" || name.starts_with("x-"); }

}  // namespace stepwell::dsl
