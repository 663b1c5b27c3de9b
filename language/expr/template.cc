// Payload templates: JSON in which some fields are computed.
#include <algorithm>

#include "base/match.h"
#include "language/expr/expr.h"
#include "language/expr/jsonata/error.h"

namespace stepwell::expr {

struct Template::Node {
  using Ref = std::shared_ptr<const Node>;
  struct Constant {
    Value value;
  };
  struct Path {
    JsonPath path;
    std::string field;
  };  // field: "a.$", for AWS's error texts.
  struct Expression {
    Jsonata jsonata;
    std::string location;  // "Output/result"
  };
  struct Call {
    Intrinsic call;
    std::string field;
  };
  struct List {
    std::vector<Ref> items;
  };
  struct Members {
    std::vector<std::pair<std::string, Ref>> members;
  };
  std::variant<Constant, Path, Call, Expression, List, Members> what;
  bool uses_context = false;
};

namespace {

using Node = Template::Node;
using Ref = Node::Ref;

Ref make(Node node) { return std::make_shared<const Node>(std::move(node)); }
Ref constant_node(Value value) { return make({Node::Constant{std::move(value)}, false}); }

const Value* as_constant(const Ref& node) {
  const auto* constant = std::get_if<Node::Constant>(&node->what);
  return constant == nullptr ? nullptr : &constant->value;
}

// Parses a path or an intrinsic call.
Parsed<Ref> computed(std::string_view text, std::string field) {
  if (!text.empty() && text[0] == '$') {
    auto path = JsonPath::parse(text);
    if (auto* wrong = std::get_if<SyntaxError>(&path)) return std::move(*wrong);
    const bool context = std::get<JsonPath>(path).root() == JsonPath::Root::kContext;
    return make({Node::Path{std::move(std::get<JsonPath>(path)), std::move(field)}, context});
  }
  auto call = Intrinsic::parse(text);
  if (auto* wrong = std::get_if<SyntaxError>(&call)) return std::move(*wrong);
  const bool context = std::get<Intrinsic>(call).uses_context();
  return make({Node::Call{std::move(std::get<Intrinsic>(call)), std::move(field)}, context});
}

std::string pointer_token(std::string_view key) {
  std::string out = "/";
  for (const char c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

bool is_computed_key(std::string_view key) {
  return key.size() >= 2 && key.substr(key.size() - 2) == ".$";
}

// Builds the nodes of a JSONPath template; `errors` collects all mistakes.
class Builder {
 public:
  std::vector<TemplateError> errors;

  Ref build(const Value& text, const std::string& pointer) {
    if (text.is_array()) return build_list(text.as_array(), pointer);
    if (text.is_object()) return build_members(text, pointer);
    return constant_node(text);
  }

 private:
  Ref build_list(const Value::Array& items, const std::string& pointer) {
    Node::List list;
    Value::Array constants;
    bool context = false;
    for (std::size_t i = 0; i < items.size(); ++i) {
      list.items.push_back(build(items[i], pointer + "/" + std::to_string(i)));
      context = context || list.items.back()->uses_context;
      if (const Value* value = as_constant(list.items.back())) constants.push_back(*value);
    }
    if (constants.size() == items.size()) return constant_node(std::move(constants));
    return make({std::move(list), context});
  }

  Ref build_members(const Value& text, const std::string& pointer) {
    Node::Members members;
    bool context = false, constant = true;
    for (const auto& [key, value] : text.as_object()) {
      const std::string here = pointer + pointer_token(key);
      Ref node = is_computed_key(key) ? build_computed(key, value, here) : build(value, here);
      if (!node) continue;
      constant = constant && !is_computed_key(key) && as_constant(node) != nullptr;
      context = context || node->uses_context;
      members.members.emplace_back(is_computed_key(key) ? key.substr(0, key.size() - 2) : key,
                                   node);
    }
    if (constant) return constant_node(text);
    return make({std::move(members), context});
  }

  Ref build_computed(const std::string& key, const Value& value, const std::string& here) {
    const std::string refused = "The value for the field '" + key +
                                "' must be a valid JSONPath or a valid intrinsic function call";
    if (!value.is_string()) {
      errors.push_back({refused, here});
      return nullptr;
    }
    auto node = computed(value.as_string(), key);
    if (auto* wrong = std::get_if<SyntaxError>(&node)) {
      errors.push_back({refused + ": " + wrong->message, here});
      return nullptr;
    }
    return std::move(std::get<Ref>(node));
  }
};

// Builds the nodes of a JSONata template: strings of the form "{% ... %}" are computed.
class JsonataBuilder {
 public:
  std::vector<TemplateError> errors;

  Ref build(const Value& text, const std::string& pointer, const std::string& location) {
    if (text.is_array()) return build_list(text.as_array(), pointer, location);
    if (text.is_object()) return build_members(text, pointer, location);
    std::string_view inner;
    if (!text.is_string() || !is_jsonata(text.as_string(), &inner)) return constant_node(text);
    auto parsed = Jsonata::parse(inner);
    if (const auto* wrong = std::get_if<JsonataError>(&parsed)) {
      const auto skipped = static_cast<std::size_t>(inner.data() - text.as_string().data());
      errors.push_back({wrong->code + ": " + wrong->message, pointer, skipped + wrong->at});
      return constant_node(Value());
    }
    auto& jsonata = std::get<Jsonata>(parsed);
    const auto& fields = jsonata.reads().states_fields;
    const bool context = jsonata.reads().whole_states ||
                         std::find(fields.begin(), fields.end(), "context") != fields.end();
    return make({Node::Expression{std::move(jsonata), location}, context});
  }

 private:
  Ref build_list(const Value::Array& items, const std::string& pointer,
                 const std::string& location) {
    Node::List list;
    bool context = false, constant = true;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::string index = std::to_string(i);
      list.items.push_back(build(items[i], pointer + "/" + index, location + "[" + index + "]"));
      context = context || list.items.back()->uses_context;
      constant = constant && as_constant(list.items.back()) != nullptr;
    }
    if (constant) return constant_node(items);
    return make({std::move(list), context});
  }

  Ref build_members(const Value& text, const std::string& pointer, const std::string& location) {
    Node::Members members;
    bool context = false, constant = true;
    for (const auto& [key, value] : text.as_object()) {
      Ref node = build(value, pointer + pointer_token(key), location + "/" + key);
      constant = constant && as_constant(node) != nullptr;
      context = context || node->uses_context;
      members.members.emplace_back(key, std::move(node));
    }
    if (constant) return constant_node(text);
    return make({std::move(members), context});
  }
};

Evaluated evaluate_node(const Node& node, const Scope& scope);

Evaluated evaluate_expression(const Node::Expression& node, const Scope& scope) {
  const JsonataScope jsonata_scope{nullptr,       &scope.variables,   &scope.input,
                                   scope.result,  scope.error_output, &scope.context,
                                   &scope.random, scope.now,          scope.edition};
  JsonataResult got = node.jsonata.evaluate(jsonata_scope);
  const auto failure = [&](const std::string& what, std::optional<std::size_t> at = {}) {
    return Failure{"States.QueryEvaluationError",
                   "The JSONata expression '" + node.jsonata.text() +
                       "' specified for the field '" + node.location + "' " + what,
                   {node.location, at, blamed_value(std::move(got.error.value))}};
  };
  switch (got.kind) {
    case JsonataResult::Kind::kValue: return std::move(got.value);
    case JsonataResult::Kind::kUndefined: return failure("returned nothing (undefined).");
    case JsonataResult::Kind::kFunction: return failure("returned an unsupported result type.");
    case JsonataResult::Kind::kError: break;
  }
  if (got.error.code == jsonata::kInternalError) {
    return failure("threw an internal error during evaluation.", got.error.at);
  }
  // U1001 is ours, for a limit that was exceeded; AWS names no code there.
  if (got.error.code == "U1001") {
    return failure("threw an error during evaluation: " + got.error.message, got.error.at);
  }
  return failure("threw an error during evaluation. " + got.error.code + ": " + got.error.message,
                 got.error.at);
}

Evaluated evaluate_path(const Node::Path& node, const Scope& scope) {
  auto found = node.path.find(scope);
  if (found) return std::move(*found);
  if (node.path.is_past_end(scope)) return Value();
  return Failure{"States.Runtime",
                 "The JSONPath '" + node.path.text() + "' specified for the field '" + node.field +
                     "' could not be found in the input '" + scope.input.to_json() + "'",
                 {node.path.text(), {}, {}}};
}

Evaluated evaluate_list(const Node::List& list, const Scope& scope) {
  Value::Array items;
  items.reserve(list.items.size());
  for (const Ref& item : list.items) {
    Evaluated value = evaluate_node(*item, scope);
    if (!value.ok()) return value;
    items.push_back(std::move(value.value()));
  }
  return Value(std::move(items));
}

Evaluated evaluate_members(const Node::Members& members, const Scope& scope) {
  Object object;
  object.reserve(members.members.size());
  for (const auto& [key, member] : members.members) {
    Evaluated value = evaluate_node(*member, scope);
    if (!value.ok()) return value;
    object.set(key, std::move(value.value()));
  }
  return Value(std::move(object));
}

Evaluated evaluate_node(const Node& node, const Scope& scope) {
  return std::visit(
      match{
          [](const Node::Constant& constant) { return Evaluated(constant.value); },
          [&](const Node::Path& path) { return evaluate_path(path, scope); },
          [&](const Node::Call& call) { return call.call.evaluate(scope, call.field); },
          [&](const Node::Expression& one) { return evaluate_expression(one, scope); },
          [&](const Node::List& list) { return evaluate_list(list, scope); },
          [&](const Node::Members& members) { return evaluate_members(members, scope); },
      },
      node.what);
}

void collect(const Node& node, std::vector<std::string>& names) {
  std::visit(match{
                 [](const Node::Constant&) {},
                 [&](const Node::Path& path) {
                   if (path.path.root() == JsonPath::Root::kVariable) {
                     names.push_back(path.path.variable());
                   }
                 },
                 [&](const Node::Call& call) { call.call.collect_variables(names); },
                 [&](const Node::Expression& one) {
                   const auto& reads = one.jsonata.reads().variables;
                   names.insert(names.end(), reads.begin(), reads.end());
                 },
                 [&](const Node::List& list) {
                   for (const Ref& item : list.items) collect(*item, names);
                 },
                 [&](const Node::Members& members) {
                   for (const auto& [key, member] : members.members) collect(*member, names);
                 },
             },
             node.what);
}

void collect(const Node& node, const std::string& pointer,
             std::vector<std::pair<std::string, Jsonata>>& found) {
  if (const auto* one = std::get_if<Node::Expression>(&node.what)) {
    found.emplace_back(pointer, one->jsonata);
  } else if (const auto* list = std::get_if<Node::List>(&node.what)) {
    for (std::size_t i = 0; i < list->items.size(); ++i) {
      collect(*list->items[i], pointer + "/" + std::to_string(i), found);
    }
  } else if (const auto* members = std::get_if<Node::Members>(&node.what)) {
    for (const auto& [key, member] : members->members) {
      collect(*member, pointer + pointer_token(key), found);
    }
  }
}

}  // namespace

Template Template::constant(Value value) { return Template(constant_node(std::move(value))); }

std::variant<Template, std::vector<TemplateError>> Template::parse_jsonpath(const Value& text) {
  Builder builder;
  Ref node = builder.build(text, "");
  if (!builder.errors.empty()) return std::move(builder.errors);
  return Template(std::move(node));
}

Parsed<Template> Template::parse_path(std::string_view text) {
  auto node = computed(text, "");
  if (auto* wrong = std::get_if<SyntaxError>(&node)) return std::move(*wrong);
  return Template(std::move(std::get<Ref>(node)));
}

std::variant<Template, std::vector<TemplateError>> Template::parse_jsonata(
    const Value& text, const std::string& field) {
  JsonataBuilder builder;
  Ref node = builder.build(text, "", field);
  if (!builder.errors.empty()) return std::move(builder.errors);
  return Template(std::move(node));
}

const Jsonata* Template::whole_expression() const {
  const auto* one = std::get_if<Node::Expression>(&node_->what);
  return one == nullptr ? nullptr : &one->jsonata;
}

std::vector<std::pair<std::string, Jsonata>> Template::expressions() const {
  std::vector<std::pair<std::string, Jsonata>> found;
  collect(*node_, "", found);
  return found;
}

Evaluated Template::evaluate(const Scope& scope) const { return evaluate_node(*node_, scope); }
bool Template::is_constant() const { return as_constant(node_) != nullptr; }
bool Template::uses_context() const { return node_->uses_context; }
void Template::collect_variables(std::vector<std::string>& names) const { collect(*node_, names); }

namespace {
constexpr std::size_t kMostBlamedBytes = 200;
}

std::string blamed_value(const Value& value) {
  return blamed_value(value.json_beginning(kMostBlamedBytes));
}

std::string blamed_value(std::string json) {
  constexpr std::size_t kMostBytes = kMostBlamedBytes;
  if (json.size() <= kMostBytes) return json;
  std::size_t end = kMostBytes;
  while (end > 0 && (static_cast<unsigned char>(json[end]) & 0xc0) == 0x80) --end;
  return json.substr(0, end) + "...";
}

}  // namespace stepwell::expr
