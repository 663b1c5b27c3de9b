// The two readers behind read_document().  document.root stays null when a reader had to stop.
#pragma once

#include "dsl/yaml/document.h"

namespace stepwell::dsl {

enum class ReadEnd { kRead, kSyntax, kBound };

// RFC 8259 with positions.  kSyntax: the text may still be YAML.
ReadEnd read_json_text(Document& document, Findings& findings);
ReadEnd read_yaml_text(Document& document, Findings& findings);

}  // namespace stepwell::dsl
