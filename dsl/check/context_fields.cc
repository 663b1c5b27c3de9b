// The context object ($$, $states.context): fields that it does not have, or does not have yet.
#include <algorithm>

#include "dsl/check/rules.h"

namespace stepwell::dsl {

namespace {

const std::vector<std::string> kContextFields = {"Execution", "Map", "State", "StateMachine",
                                                 "Task"};

bool is_name_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' ||
         (static_cast<unsigned char>(c) & 0x80) != 0;
}

// The name of the field begins at byte `at` of the string.  An unknown one is legal and leads
// nowhere: JSONPath fails then, JSONata goes on without it.
void check_field(Checking& check, const Spot& spot, std::size_t at) {
  const std::string& text = spot.node.value.as_string();
  std::size_t end = at;
  while (end < text.size() && is_name_character(text[end])) ++end;
  const std::string field = text.substr(at, end - at);
  if (field.empty()) return;
  Place place = check.document.within(spot.node, at);
  if (place.offset != spot.node.place.offset) place.length = characters_of(field);
  if (field == "Task") return warn_of_token_not_yet(check, spot, place);
  const auto& known = kContextFields;
  if (std::find(known.begin(), known.end(), field) != known.end()) return;
  check.findings.warning("unknown-context-field", place, spot.pointer,
                         "the context object has no field " + json_quote(field),
                         did_you_mean(field, known));
}

// Calls `each` with the byte behind every `path` that stands in no quotes.
template <class Each>
void for_each_outside_quotes(const std::string& text, std::string_view path, const Each& each) {
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, path.size(), path) == 0 && quote == '\0') {
      each(i + path.size());
    } else if (text[i] == '\\') {
      ++i;
    } else if (quote != '\0') {
      if (text[i] == quote) quote = '\0';
    } else if (text[i] == '\'' || text[i] == '"') {
      quote = text[i];
    }
  }
}

}  // namespace

void check_context_fields(Checking& check, const Spot& spot, Language language) {
  const std::string& text = spot.node.value.as_string();
  const auto check_at = [&](std::size_t at) { check_field(check, spot, at); };
  if (language == Language::kJsonata) {
    return for_each_outside_quotes(text, "$states.context.", check_at);
  }
  for_each_outside_quotes(text, "$$.", check_at);
  for_each_outside_quotes(text, "$$['", check_at);
}

}  // namespace stepwell::dsl
