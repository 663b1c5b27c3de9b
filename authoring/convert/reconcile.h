// A text that is to mean something else, with as much of it kept as can be.  Private to
// authoring/convert.
#pragma once

#include "authoring/convert/convert.h"
#include "authoring/source/tree.h"

namespace stepwell::dsl {

// `text` means `before`; the answer means `after`: what did not change is written as it was, with
// its comments.
Rewritten rewrite(std::string_view text, const std::string& file, const Value& before,
                  const Value& after, bool is_json);

// `value` as a tree: blocks, with short lists in brackets.
source::Tree tree_of(const Value& value);
std::string yaml_of(const Value& value);
std::string json_of(const Value& value);

}  // namespace stepwell::dsl
