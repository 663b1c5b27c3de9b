// How the compiler reads a checked document: every function takes what a rule has seen as good.
// Private to dsl/compile/.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dsl/yaml/document.h"
#include "dsl/yaml/node_builder.h"
#include "language/program/program.h"

namespace stepwell::dsl {

// A state being built: its node, where it hangs, and what it has been seen to read.
struct Reading {
  const Node& node;
  std::string pointer;
  // The machine's states by name.
  const std::map<std::string, StateId, std::less<>>& states;
  QueryLanguage language = QueryLanguage::kJsonPath;
  bool uses_context = false;

  const Node* find(std::string_view field) const;
  SourceSpan where(const Node& part, std::string part_pointer) const;
};

expr::JsonPath read_path(Reading& state, const Node& text);
expr::Template read_expression(Reading& state, const Node& text);  // A path or a call.
// A payload in the state's language; `location` names it in JSONata's failures ("Output").
expr::Template read_template(Reading& state, const Node& payload, const std::string& location);
// `owner_location` stands in front of the field's name: "Catch[1]" makes "Catch[1]/Output".
std::optional<expr::Template> read_template_field(Reading& state, const Node& owner,
                                                  std::string_view field,
                                                  const std::string& owner_location = {});
StateId read_target(const Reading& state, const Node& owner, std::string_view field);
Selection read_selection(Reading& state, std::string_view field);
Placement read_placement(Reading& state, const Node& owner);
// From `field`, or from `field` + "Path"; in JSONata from an expression in `field`.
std::optional<Quantity> read_quantity(Reading& state, const std::string& field);
std::string path_text(const Reading& state, std::string_view field);

std::vector<Retrier> read_retry(const Reading& state);
std::vector<Catcher> read_catch(Reading& state);
std::vector<ChoiceRule> read_choices(Reading& state);

}  // namespace stepwell::dsl
