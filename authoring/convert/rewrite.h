// Rewrites a text so that it holds another value, and keeps as much of the text as possible.
// Private to authoring/convert.
#pragma once

#include "authoring/convert/convert.h"
#include "authoring/source/tree.h"

namespace stepwell::dsl {

// `text` holds the value `before`; the result holds `after`.  Parts that are equal in both are
// written as they were, with their comments.
Rewritten rewrite(std::string_view text, const std::string& file, const Value& before,
                  const Value& after, bool is_json);

// `value` in blocks, with short lists in brackets.
std::string yaml_of(const Value& value);
std::string json_of(const Value& value);

}  // namespace stepwell::dsl
