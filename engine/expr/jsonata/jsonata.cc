#include "engine/expr/jsonata.h"

namespace stepwell::expr {

struct Jsonata::Parts {
  std::string text;
  JsonataReads reads;
  StaticType type = StaticType::kAny;
};

std::variant<Jsonata, JsonataError> Jsonata::parse(std::string_view text) {
  return JsonataError{"S0500", "JSONata is not evaluated yet: " + std::string(text), 0};
}
JsonataResult Jsonata::evaluate(const JsonataScope&, const JsonataLimits&) const { return {}; }
const std::string& Jsonata::text() const { return parts_->text; }
const JsonataReads& Jsonata::reads() const { return parts_->reads; }
StaticType Jsonata::static_type() const { return parts_->type; }

bool is_jsonata(std::string_view text, std::string_view* inner) {
  if (text.size() < 4 || !text.starts_with("{%") || !text.ends_with("%}")) return false;
  if (inner != nullptr) *inner = text.substr(2, text.size() - 4);
  return true;
}

}  // namespace stepwell::expr
