// What only a Map has: its processor's mode, and the fields of the distributed mode.
#include "dsl/check/rules.h"

namespace stepwell::dsl {

namespace {

bool is_distributed(const Node& state) {
  const Member* processor = state.find("ItemProcessor");
  const Member* config = processor ? processor->node->find("ProcessorConfig") : nullptr;
  const Member* mode = config ? config->node->find("Mode") : nullptr;
  return mode != nullptr && mode->node->value == Value("DISTRIBUTED");
}

// In the language of JSONPath every `Parameters` and the like is a payload template.
void check_payload_field(Checking& check, const Spot& object, std::string_view field,
                         Language language) {
  const Member* member = object.node.find(field);
  if (member == nullptr || language != Language::kJsonPath) return;
  if (is_object(check, object.under(*member), field)) check_template(check, object.under(*member));
}

}  // namespace

void check_map(Checking& check, const Spot& state) {
  const Member* processor = state.node.find("ItemProcessor");
  const Member* iterator = state.node.find("Iterator");
  if (processor != nullptr && iterator != nullptr) {
    check.findings.error("field-conflict", iterator->key_place, below(state.pointer, "Iterator"),
                         "\"Iterator\" is the old name of \"ItemProcessor\"; only one may stand "
                         "here",
                         "remove \"Iterator\"");
  }
  if (is_distributed(state.node)) return;
  for (const char* field : {"ItemReader", "ItemBatcher", "ResultWriter", "Label"}) {
    const Member* member = state.node.find(field);
    if (member == nullptr) continue;
    check.findings.error("distributed-only", member->key_place, below(state.pointer, field),
                         json_quote(field) + " needs a distributed Map",
                         "add ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD} to "
                         "the ItemProcessor");
  }
}

void check_item_reader(Checking& check, const Spot& spot, Language language) {
  if (!is_object(check, spot, "ItemReader")) return;
  check_members(check, spot, {"Resource", "Parameters", "Arguments", "ReaderConfig"},
                "an ItemReader");
  check_required(check, spot, spot.node.place, {"Resource"}, "an ItemReader");
  const Member* resource = spot.node.find("Resource");
  if (resource != nullptr) is_text(check, spot.under(*resource), "Resource");
  check_payload_field(check, spot, "Parameters", language);
  const Member* config = spot.node.find("ReaderConfig");
  if (config != nullptr && is_object(check, spot.under(*config), "ReaderConfig")) {
    check_members(check, spot.under(*config),
                  {"InputType", "CSVDelimiter", "CSVHeaderLocation", "CSVHeaders", "MaxItems",
                   "MaxItemsPath", "ManifestType", "Transformation", "ItemsPointer"},
                  "a ReaderConfig");
  }
}

void check_item_batcher(Checking& check, const Spot& spot, Language language) {
  if (!is_object(check, spot, "ItemBatcher")) return;
  check_members(check, spot,
                {"MaxItemsPerBatch", "MaxItemsPerBatchPath", "MaxInputBytesPerBatch",
                 "MaxInputBytesPerBatchPath", "BatchInput"},
                "an ItemBatcher");
  check_payload_field(check, spot, "BatchInput", language);
}

void check_result_writer(Checking& check, const Spot& spot, Language language) {
  if (!is_object(check, spot, "ResultWriter")) return;
  check_members(check, spot, {"Resource", "Parameters", "Arguments", "WriterConfig"},
                "a ResultWriter");
  check_payload_field(check, spot, "Parameters", language);
}

}  // namespace stepwell::dsl
