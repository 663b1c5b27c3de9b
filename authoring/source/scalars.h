// Scalars as text: where quotes end, how they are rewritten.  Private to authoring/source.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"

namespace stepwell::dsl::source {

// Behind the closing quote of the quoted scalar that begins at `from`; nothing when there is none.
std::optional<std::size_t> quoted_end(std::string_view text, std::size_t from);
// The lines of a quoted scalar, free of indentation.
std::vector<std::string> folded_lines(std::string_view scalar);
// The signs of a block scalar ("|2-") for a text that is indented by two spaces.
std::string block_header(const std::string& signs, const std::vector<std::string>& lines);

// 'it' -> "it"; quotes stay where they save escapes.
std::string tidy_quotes(const std::string& scalar);
// How `text` is written in YAML: plain where every reader of YAML takes that for this text.
std::string yaml_string(const std::string& text);
std::string yaml_scalar(const Value& value);
// What a scalar on one line means, as text: "it" -> it.
std::string meaning_of(const std::string& scalar);

}  // namespace stepwell::dsl::source
