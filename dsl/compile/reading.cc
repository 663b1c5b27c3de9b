#include "dsl/compile/reading.h"

#include "dsl/compile/extensions.h"

namespace stepwell::dsl {

const Node* Reading::find(std::string_view field) const {
  const Member* member = node.find(field);
  return member != nullptr ? member->node : nullptr;
}

SourceSpan Reading::where(const Node& part, std::string part_pointer) const {
  return {part.place.line, part.place.column, std::move(part_pointer)};
}

expr::JsonPath read_path(Reading& state, const Node& text) {
  auto parsed = expr::JsonPath::parse(text.value.as_string());
  CHECK(std::holds_alternative<expr::JsonPath>(parsed), text.value.as_string());
  auto path = std::get<expr::JsonPath>(std::move(parsed));
  if (path.root() == expr::JsonPath::Root::kContext) state.uses_context = true;
  return path;
}

expr::Template read_expression(Reading& state, const Node& text) {
  auto parsed = expr::Template::parse_path(text.value.as_string());
  CHECK(std::holds_alternative<expr::Template>(parsed), text.value.as_string());
  auto expression = std::get<expr::Template>(std::move(parsed));
  if (expression.uses_context()) state.uses_context = true;
  return expression;
}

expr::Template read_template(Reading& state, const Node& payload, const std::string& location) {
  auto parsed = state.language == QueryLanguage::kJsonata
                    ? expr::Template::parse_jsonata(payload.value, location)
                    : expr::Template::parse_jsonpath(payload.value);
  CHECK(std::holds_alternative<expr::Template>(parsed), payload.value.to_json());
  auto expression = std::get<expr::Template>(std::move(parsed));
  if (expression.uses_context()) state.uses_context = true;
  return expression;
}

std::optional<expr::Template> read_template_field(Reading& state, const Node& owner,
                                                  std::string_view field,
                                                  const std::string& owner_location) {
  const Member* member = owner.find(field);
  if (member == nullptr) return std::nullopt;
  std::string location = owner_location;
  if (!location.empty()) location += '/';
  return read_template(state, *member->node, location.append(field));
}

StateId read_target(const Reading& state, const Node& owner, std::string_view field) {
  const Member* member = owner.find(field);
  CHECK(member != nullptr, std::string(field));
  const auto found = state.states.find(member->node->value.as_string());
  CHECK(found != state.states.end(), member->node->value.as_string());
  return found->second;
}

Selection read_selection(Reading& state, std::string_view field) {
  const Node* node = state.find(field);
  if (node == nullptr) return {};
  if (node->value.is_null()) return {std::nullopt, true};
  return {read_path(state, *node), false};
}

Placement read_placement(Reading& state, const Node& owner) {
  const Member* member = owner.find("ResultPath");
  if (member == nullptr) return {};
  if (member->node->value.is_null()) return {std::nullopt, true};
  return {read_path(state, *member->node), false};
}

std::optional<Quantity> read_quantity(Reading& state, const std::string& field) {
  if (const Node* here = state.find(field)) {
    if (here->value.is_number()) return Quantity{here->value.as_double(), ""};
    return Quantity{read_template(state, *here, field), ""};
  }
  const Node* path = state.find(field + "Path");
  if (path == nullptr) return std::nullopt;
  return Quantity{read_expression(state, *path), path->value.as_string()};
}

std::string path_text(const Reading& state, std::string_view field) {
  const Node* node = state.find(field);
  return node != nullptr ? node->value.as_string() : std::string();
}

namespace {

std::vector<std::string> read_error_equals(const Node& owner) {
  std::vector<std::string> names;
  for (const Node* name : owner.find("ErrorEquals")->node->items) {
    names.push_back(name->value.as_string());
  }
  return names;
}

}  // namespace

std::vector<Retrier> read_retry(const Reading& state) {
  std::vector<Retrier> list;
  const Node* retry = state.find("Retry");
  if (retry == nullptr) return list;
  for (const Node* node : retry->items) {
    Retrier& retrier = list.emplace_back();
    retrier.where =
        state.where(*node, below(below(state.pointer, "Retry"), std::to_string(list.size() - 1)));
    retrier.error_equals = read_error_equals(*node);
    for (const Member& member : node->members) {
      const Value& value = member.node->value;
      if (member.key == "IntervalSeconds") retrier.interval_seconds = value.as_double();
      if (member.key == "MaxAttempts") {
        retrier.max_attempts = static_cast<std::uint32_t>(value.as_int());
      }
      if (member.key == "BackoffRate") retrier.backoff_rate = value.as_double();
      if (member.key == "MaxDelaySeconds") retrier.max_delay_seconds = value.as_double();
      if (member.key == "JitterStrategy" && value == Value("FULL")) retrier.jitter = Jitter::kFull;
    }
    read_retry_after(*node, retrier);
  }
  return list;
}

std::vector<Catcher> read_catch(Reading& state) {
  std::vector<Catcher> list;
  const Node* catchers = state.find("Catch");
  if (catchers == nullptr) return list;
  for (const Node* node : catchers->items) {
    Catcher& catcher = list.emplace_back();
    catcher.where =
        state.where(*node, below(below(state.pointer, "Catch"), std::to_string(list.size() - 1)));
    catcher.error_equals = read_error_equals(*node);
    catcher.next = read_target(state, *node, "Next");
    catcher.result_path = read_placement(state, *node);
    const std::string location = "Catch[" + std::to_string(list.size() - 1) + "]";
    catcher.output = read_template_field(state, *node, "Output", location);
    catcher.assign = read_template_field(state, *node, "Assign", location);
  }
  return list;
}

}  // namespace stepwell::dsl
