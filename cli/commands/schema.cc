#include <memory>

#include "authoring/editor/editor_schema.h"
#include "cli/commands.h"
#include "cli/output_file.h"

namespace stepwell::cli {

Command schema_command() {
  auto output = std::make_shared<std::string>();
  return {"schema",
          "Write the JSON Schema of workflows, for editors",
          {{"-o,--output", output.get(), "write to this file"}},
          [output](Console& console) {
            return write_result(console, *output, dsl::editor_schema().to_pretty_json() + "\n");
          },
          "Draft 7, with descriptions.  docs/cli.md says how an editor gets to know it."};
}

}  // namespace stepwell::cli
