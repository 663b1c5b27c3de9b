// The files of sql/, embedded at build time (cmake/embed_texts.cmake).
#pragma once

#include <cstddef>

namespace stepwell::postgres {

struct EmbeddedText {
  const char* name;  // "0001_tables.sql"
  const char* text;
};

extern const EmbeddedText migration_texts[];  // In the order of their numbers.
extern const std::size_t migration_texts_count;
// sql/engine/schema.sql: what the migrations lead to.  Only tests apply it.
extern const EmbeddedText schema_texts[];
extern const std::size_t schema_texts_count;

}  // namespace stepwell::postgres
