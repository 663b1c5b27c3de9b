// Which language a state speaks: its own, else the workflow's.
#include "dsl/check/rules.h"

namespace stepwell::dsl {

Language language_of(Checking& check, const Spot& spot, Language outer, bool is_workflow) {
  const Member* member = spot.node.find("QueryLanguage");
  if (member == nullptr) return outer;
  const Spot value = spot.under(*member);
  if (!is_text(check, value, "QueryLanguage")) return outer;
  const std::string& name = value.node.value.as_string();
  if (name == "JSONPath") {
    if (!is_workflow && outer == Language::kJsonata) {
      in_aws_words(
          check.findings.error("language-downgrade", value.node.place, value.pointer,
                               "a state cannot go back to JSONPath when the workflow is JSONata"),
          {"", "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine",
           spot.pointer});
      return outer;
    }
    return Language::kJsonPath;
  }
  if (name == "JSONata") return Language::kJsonata;
  check.findings.error("unknown-value", value.node.place, value.pointer,
                       "\"QueryLanguage\" must be JSONPath or JSONata, not " + json_quote(name),
                       did_you_mean(name, {"JSONPath", "JSONata"}));
  return outer;
}

}  // namespace stepwell::dsl
