// What only a Map has: the mode of its processor, and the fields that need the distributed mode.
#include "dsl/check/rules.h"

namespace stepwell::dsl {

namespace {

bool is_distributed(const Node& state) {
  const Member* processor = state.find("ItemProcessor");
  const Member* config = processor ? processor->node->find("ProcessorConfig") : nullptr;
  const Member* mode = config ? config->node->find("Mode") : nullptr;
  return mode != nullptr && mode->node->value == Value("DISTRIBUTED");
}

// The payload in `field`, in the language of the state.
void check_payload_field(Checking& check, const Spot& object, std::string_view field,
                         Language language) {
  const Member* member = object.node.find(field);
  if (member == nullptr) return;
  const Spot spot = object.under(*member);
  if (language == Language::kJsonata) return check_jsonata(check, spot, field, {});
  if (is_object(check, spot, field)) check_template(check, spot);
}

// The name of an ItemReader's or ResultWriter's payload in that language.
std::string arguments_field(Language language) {
  return language == Language::kJsonPath ? "Parameters" : "Arguments";
}

// "MaxItems" and the like: a number, in JSONata also an expression; in JSONPath "MaxItemsPath" may
// hold a path instead.
void check_count(Checking& check, const Spot& object, const std::string& field, double most,
                 Language language) {
  const Member* member = object.node.find(field);
  if (member != nullptr) {
    const Spot spot = object.under(*member);
    if (!is_expression(check, spot, field, language, expr::StaticType::kNumber)) {
      is_number(check, spot, field, 0, most, true);
    }
  }
  const Member* path = object.node.find(field + "Path");
  if (path != nullptr) check_path(check, object.under(*path), field + "Path");
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
  check_tolerance(check, state, is_distributed(state.node));
  if (is_distributed(state.node)) return warn_of_map_not_yet(check, state);
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
  const std::string arguments = arguments_field(language);
  check_members(check, spot, ObjectKind::kItemReader, "an ItemReader");
  check_required(check, spot, spot.node.place, {"Resource"}, "an ItemReader");
  const Member* resource = spot.node.find("Resource");
  if (resource != nullptr) is_text(check, spot.under(*resource), "Resource");
  check_payload_field(check, spot, arguments, language);
  const Member* member = spot.node.find("ReaderConfig");
  if (member == nullptr || !is_object(check, spot.under(*member), "ReaderConfig")) return;
  const Spot config = spot.under(*member);
  check_members(check, config, ObjectKind::kReaderConfig, "a ReaderConfig");
  check_count(check, config, "MaxItems", kMostItems, language);
}

void check_item_batcher(Checking& check, const Spot& spot, Language language) {
  if (!is_object(check, spot, "ItemBatcher")) return;
  check_members(check, spot, ObjectKind::kItemBatcher, "an ItemBatcher");
  check_count(check, spot, "MaxItemsPerBatch", kMostItems, language);
  check_count(check, spot, "MaxInputBytesPerBatch", kMostItems, language);
  check_payload_field(check, spot, "BatchInput", language);
}

void check_result_writer(Checking& check, const Spot& spot, Language language) {
  if (!is_object(check, spot, "ResultWriter")) return;
  check_members(check, spot, ObjectKind::kResultWriter, "a ResultWriter");
  check_payload_field(check, spot, arguments_field(language), language);
}

}  // namespace stepwell::dsl
