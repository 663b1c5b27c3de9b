// Which language a state speaks: its own, else the workflow's.
#include "dsl/check/rules.h"

namespace stepwell::dsl {

Language language_of(Checking& check, const Spot& spot, Language outer, bool is_workflow) {
  const Member* member = spot.node.find("QueryLanguage");
  if (member == nullptr) return outer;
  const Spot value = spot.under(*member);
  if (!is_word(check, value, "QueryLanguage")) return outer;
  if (value.node.value == Value("JSONata")) return Language::kJsonata;
  if (is_workflow || outer == Language::kJsonPath) return Language::kJsonPath;
  in_aws_words(
      check.findings.error("language-downgrade", value.node.place, value.pointer,
                           "a state cannot go back to JSONPath when the workflow is JSONata"),
      {"", "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine",
       spot.pointer});
  return outer;
}

}  // namespace stepwell::dsl
