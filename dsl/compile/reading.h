// How build reads a document.  Private to dsl/compile/.
//
// A released check accepted the document, but perhaps one of a newer Stepwell.  So nothing is
// skipped: whatever this version has no meaning for, a field as well as a value, stops the build
// with an Unreadable.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dsl/tables/objects.h"
#include "dsl/yaml/document.h"
#include "dsl/yaml/node_builder.h"
#include "language/program/program.h"

namespace stepwell::dsl {

// Thrown below build_program(), and caught there.
struct Unreadable {
  Place place;
  std::string what;  // A sentence.
};
[[noreturn]] void stop_at(const Place& place, std::string what);

// The value of the node, which must be of that kind.
const std::string& text_of(const Node& node);
double number_of(const Node& node);
std::uint32_t count_of(const Node& node);
// The parts of the node, which must be an object or a list.
const std::vector<Member>& members_of(const Node& node);
const std::vector<const Node*>& items_of(const Node& node);
// The field of `owner`, which must be there.
const Node& need(const Node& owner, std::string_view field);
// The word in a field of `owner`: one of words_in(field), or empty when the field is not there.
const std::string& word_in(const Node& owner, std::string_view field);
// Stops at a member of the object that is neither a field of its kind nor free.
void accept_fields(const Node& object, ObjectKind kind, QueryLanguage language);
Language table_language(QueryLanguage language);

using StateNames = std::map<std::string, StateId, std::less<>>;  // Of one machine.

// A state that is being read: its node, its JSON pointer, and whether it reads the context object.
struct Reading {
  const Node& node;
  std::string pointer;
  const StateNames& states;
  QueryLanguage language = QueryLanguage::kJsonPath;
  bool uses_context = false;

  const Node* find(std::string_view field) const;
  SourceSpan where(const Node& part, std::string part_pointer) const;
};

expr::JsonPath read_path(Reading& state, const Node& text);
expr::Template read_expression(Reading& state, const Node& text);  // A path or a call.
// A payload in the state's language; `location` names it in JSONata's failures ("Output").
expr::Template read_template(Reading& state, const Node& payload, const std::string& location);
// `owner_location` is put before the field's name: "Catch[1]" makes the location "Catch[1]/Output".
std::optional<expr::Template> read_template_field(Reading& state, const Node& owner,
                                                  std::string_view field,
                                                  const std::string& owner_location = {});
StateId state_named(const StateNames& states, const Node& name);
StateId read_target(const Reading& state, const Node& owner, std::string_view field);
Selection read_selection(Reading& state, std::string_view field);
Placement read_placement(Reading& state, const Node& owner);
// The number in `field`, the path in `field` + "Path", or in JSONata the expression in `field`.
std::optional<Quantity> read_quantity(Reading& state, const std::string& field);
std::string path_text(const Reading& state, std::string_view field);

std::vector<Retrier> read_retry(const Reading& state);
std::vector<Catcher> read_catch(Reading& state);
std::vector<ChoiceRule> read_choices(Reading& state);

}  // namespace stepwell::dsl
