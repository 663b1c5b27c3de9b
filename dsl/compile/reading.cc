#include "dsl/compile/reading.h"

#include <algorithm>
#include <limits>

#include "dsl/compile/extensions.h"

namespace stepwell::dsl {

void stop_at(const Place& place, std::string what) { throw Unreadable{place, std::move(what)}; }

const std::string& text_of(const Node& node) {
  if (!node.value.is_string()) stop_at(node.place, "a string is expected here");
  return node.value.as_string();
}

double number_of(const Node& node) {
  if (!node.value.is_number()) stop_at(node.place, "a number is expected here");
  return node.value.as_double();
}

std::uint32_t count_of(const Node& node) {
  constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
  if (!node.value.is_int() || node.value.as_int() < 0 || node.value.as_int() > kMost) {
    stop_at(node.place, "a whole number up to " + std::to_string(kMost) + " is expected here");
  }
  return static_cast<std::uint32_t>(node.value.as_int());
}

const std::vector<Member>& members_of(const Node& node) {
  if (!node.value.is_object()) stop_at(node.place, "an object is expected here");
  return node.members;
}

const std::vector<const Node*>& items_of(const Node& node) {
  if (!node.value.is_array()) stop_at(node.place, "a list is expected here");
  return node.items;
}

const Node& need(const Node& owner, std::string_view field) {
  const Member* member = owner.find(field);
  if (member == nullptr) stop_at(owner.place, json_quote(field) + " is missing");
  return *member->node;
}

const std::string& word_in(const Node& owner, std::string_view field) {
  static const std::string kNone;
  const std::vector<std::string>& words = words_in(field);
  const Member* member = owner.find(field);
  if (member == nullptr) return kNone;
  const std::string& word = text_of(*member->node);
  if (std::find(words.begin(), words.end(), word) == words.end()) {
    stop_at(member->node->place, json_quote(field) + " cannot be " + json_quote(word));
  }
  return word;
}

void accept_fields(const Node& object, ObjectKind kind, QueryLanguage language) {
  const std::vector<std::string>& known = fields_in(kind, table_language(language));
  for (const Member& member : members_of(object)) {
    if (is_free(member.key)) continue;
    if (std::find(known.begin(), known.end(), member.key) != known.end()) continue;
    stop_at(member.key_place, "there is no field " + json_quote(member.key));
  }
}

Language table_language(QueryLanguage language) {
  return language == QueryLanguage::kJsonata ? Language::kJsonata : Language::kJsonPath;
}

const Node* Reading::find(std::string_view field) const {
  const Member* member = node.find(field);
  return member != nullptr ? member->node : nullptr;
}

SourceSpan Reading::where(const Node& part, std::string part_pointer) const {
  return {part.place.line, part.place.column, std::move(part_pointer)};
}

expr::JsonPath read_path(Reading& state, const Node& text) {
  auto parsed = expr::JsonPath::parse(text_of(text));
  if (const auto* wrong = std::get_if<expr::SyntaxError>(&parsed)) {
    stop_at(text.place, "not a path: " + wrong->message);
  }
  auto path = std::get<expr::JsonPath>(std::move(parsed));
  if (path.root() == expr::JsonPath::Root::kContext) state.uses_context = true;
  return path;
}

expr::Template read_expression(Reading& state, const Node& text) {
  auto parsed = expr::Template::parse_path(text_of(text));
  if (const auto* wrong = std::get_if<expr::SyntaxError>(&parsed)) {
    stop_at(text.place, "neither a path nor a call: " + wrong->message);
  }
  auto expression = std::get<expr::Template>(std::move(parsed));
  if (expression.uses_context()) state.uses_context = true;
  return expression;
}

expr::Template read_template(Reading& state, const Node& payload, const std::string& location) {
  auto parsed = state.language == QueryLanguage::kJsonata
                    ? expr::Template::parse_jsonata(payload.value, location)
                    : expr::Template::parse_jsonpath(payload.value);
  if (const auto* wrong = std::get_if<std::vector<expr::TemplateError>>(&parsed)) {
    stop_at(payload.place, "not an expression: " + wrong->front().message);
  }
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

StateId state_named(const StateNames& states, const Node& name) {
  const auto found = states.find(text_of(name));
  if (found == states.end()) {
    stop_at(name.place, "there is no state " + json_quote(text_of(name)));
  }
  return found->second;
}

StateId read_target(const Reading& state, const Node& owner, std::string_view field) {
  return state_named(state.states, need(owner, field));
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
    const bool is_computed = state.language == QueryLanguage::kJsonata && here->value.is_string();
    if (!is_computed) return Quantity{number_of(*here), ""};
    return Quantity{read_template(state, *here, field), ""};
  }
  const Node* path = state.find(field + "Path");
  if (path == nullptr) return std::nullopt;
  return Quantity{read_expression(state, *path), text_of(*path)};
}

std::string path_text(const Reading& state, std::string_view field) {
  const Node* node = state.find(field);
  return node != nullptr ? text_of(*node) : std::string();
}

namespace {

std::vector<std::string> read_error_equals(const Node& owner) {
  std::vector<std::string> names;
  for (const Node* name : items_of(need(owner, "ErrorEquals"))) names.push_back(text_of(*name));
  return names;
}

}  // namespace

std::vector<Retrier> read_retry(const Reading& state) {
  std::vector<Retrier> list;
  const Node* retry = state.find("Retry");
  if (retry == nullptr) return list;
  for (const Node* node : items_of(*retry)) {
    accept_fields(*node, ObjectKind::kRetrier, state.language);
    Retrier& retrier = list.emplace_back();
    retrier.where =
        state.where(*node, below(below(state.pointer, "Retry"), std::to_string(list.size() - 1)));
    retrier.error_equals = read_error_equals(*node);
    for (const Member& member : node->members) {
      if (member.key == "IntervalSeconds") retrier.interval_seconds = number_of(*member.node);
      if (member.key == "MaxAttempts") retrier.max_attempts = count_of(*member.node);
      if (member.key == "BackoffRate") retrier.backoff_rate = number_of(*member.node);
      if (member.key == "MaxDelaySeconds") retrier.max_delay_seconds = number_of(*member.node);
      if (member.key == "JitterStrategy" && word_in(*node, member.key) == "FULL") {
        retrier.jitter = Jitter::kFull;
      }
    }
    read_retry_after(*node, retrier);
  }
  return list;
}

std::vector<Catcher> read_catch(Reading& state) {
  std::vector<Catcher> list;
  const Node* catchers = state.find("Catch");
  if (catchers == nullptr) return list;
  for (const Node* node : items_of(*catchers)) {
    accept_fields(*node, ObjectKind::kCatcher, state.language);
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
