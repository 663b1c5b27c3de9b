// Strings by their characters (code points), as JSONata counts them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stepwell::expr::jsonata {

// Byte offset of the character at `index`; text.size() beyond the end.
std::size_t offset_of(std::string_view text, std::size_t index);
// Where `what` is first found at or after `from`; npos: nowhere.  In time linear in both texts,
// which std::string::find does not promise.
std::size_t find_text(std::string_view text, std::string_view what, std::size_t from);
// Reads the character at `position` and moves it on.  A byte that is not UTF-8 counts as itself.
std::uint32_t next_character(std::string_view text, std::size_t& position);
void append_character(std::string& out, std::uint32_t character);
// Changes Latin, Greek and Cyrillic letters; all others stay as they are.
std::string lower_case(std::string_view text);
std::string upper_case(std::string_view text);

}  // namespace stepwell::expr::jsonata
