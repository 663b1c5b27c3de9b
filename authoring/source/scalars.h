// Scalars as they are written: where quotes end, and how quotes are rewritten.  Private to
// authoring/source.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"

namespace stepwell::dsl::source {

// The place behind the closing quote of the scalar that begins at `from`; nothing when the quote is
// never closed.
std::optional<std::size_t> quoted_end(std::string_view text, std::size_t from);
// The lines of a quoted scalar, without indentation.
std::vector<std::string> folded_lines(std::string_view scalar);
// The signs of a block scalar ("|2-") for a text that is indented by two spaces.
std::string block_header(const std::string& signs, const std::vector<std::string>& lines);

// Rewrites 'it' as "it"; single quotes are kept where double quotes would need escapes.
std::string tidy_quotes(const std::string& scalar);
// `text` as YAML: without quotes when every reader of YAML reads it as this text.  In brackets
// (`in_flow`) more signs mean something than elsewhere.
std::string yaml_string(const std::string& text, bool in_flow);
std::string yaml_scalar(const Value& value, bool in_flow);
// The value of a scalar on one line: "it" -> it.
std::string meaning_of(const std::string& scalar);

}  // namespace stepwell::dsl::source
