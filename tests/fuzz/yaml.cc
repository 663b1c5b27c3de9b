#include <algorithm>
#include <tuple>

#include "authoring/source/tree.h"
#include "base/check.h"
#include "dsl/dsl.h"
#include "tests/fuzz/targets.h"

namespace stepwell::fuzz {

namespace {

void check_diagnostics(const std::vector<dsl::Diagnostic>& all, std::string_view text) {
  const auto lines = 1 + static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  auto last = std::make_tuple(0u, 0u);
  for (const dsl::Diagnostic& one : all) {
    CHECK(!one.code.empty() && !one.message.empty(), "it says what is wrong");
    CHECK(one.line >= 1 && one.column >= 1, "it says where");
    CHECK(one.line <= lines + 1, "the line exists: " + one.message);
    const auto place = std::make_tuple(one.line, one.column);
    CHECK(last <= place, "they are in order");
    last = place;
    CHECK(!dsl::render(one, text).empty(), "it can be shown");
    CHECK(parse_json(dsl::to_json(one).to_json()).ok() || !is_utf8(text), "in JSON too");
  }
}

void check_format(std::string_view bytes) {
  const auto tidy = dsl::source::format_text(bytes, "any.yaml");
  if (!tidy.ok()) return;  // It refuses what it cannot keep: a block of nothing but blanks, say.
  const auto again = dsl::source::format_text(*tidy, "any.yaml");
  CHECK(again.ok() && *again == *tidy, "what is tidy stays as it is");
}

}  // namespace

void run_yaml(std::string_view bytes) {
  const dsl::Compiled compiled = dsl::compile(bytes);
  const bool has_error =
      std::any_of(compiled.diagnostics.begin(), compiled.diagnostics.end(),
                  [](const dsl::Diagnostic& one) { return one.severity == dsl::Severity::kError; });
  CHECK(compiled.ok() != has_error, "a program, or an error");
  check_diagnostics(compiled.diagnostics, bytes);

  const auto built = dsl::build(bytes, "any.yaml");
  CHECK(built.ok() || !compiled.ok(), "what check accepts is built");

  const dsl::Parsed parsed = dsl::parse_document(bytes, "any.yaml");
  check_diagnostics(parsed.diagnostics, bytes);
  check_format(bytes);
  if (!parsed.diagnostics.empty() || !compiled.ok()) return;
  // The same workflow as JSON is the same program.
  const dsl::Compiled again = dsl::compile(parsed.value.to_json());
  CHECK(again.ok() && again.program->hash == compiled.program->hash, "JSON says it as YAML does");
}

}  // namespace stepwell::fuzz
