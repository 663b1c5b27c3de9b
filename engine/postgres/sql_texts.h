// The files of sql/, embedded at build time (cmake/embed_texts.cmake).
#pragma once

#include <cstddef>

namespace stepwell::postgres {

struct EmbeddedText {
  const char* name;  // "0012_sooner.sql"
  const char* text;
};

// The files of the schema, in the order in which they are applied: together, version 11.
extern const EmbeddedText kSchemaTexts[];
extern const std::size_t kSchemaTextsCount;
// What came after them, from version 12 on, in the order of their numbers.
extern const EmbeddedText kMigrationTexts[];
extern const std::size_t kMigrationTextsCount;

}  // namespace stepwell::postgres
