// Intrinsic calls: parsing and evaluation.
#include "language/expr/intrinsic.h"

#include "base/match.h"

namespace stepwell::expr {

// Parses "States.Name(argument, ...)".
struct IntrinsicParser {
  std::string_view text;
  std::size_t at = 0, depth = 0;
  SyntaxError error;

  using CallRef = std::shared_ptr<const Intrinsic::Call>;

  bool fail(std::string message) {
    error = {std::move(message), at};
    return false;
  }
  void skip() {
    while (at < text.size() && text[at] == ' ') ++at;
  }
  char peek() const { return at < text.size() ? text[at] : '\0'; }

  bool read_call(CallRef& out) {
    if (++depth > kMaxExpressionDepth) return fail("the calls are nested too deeply");
    const std::size_t begin = at;
    const std::size_t open = text.find('(', at);
    if (open == std::string_view::npos) return fail("a function call needs '('");
    std::string_view name = text.substr(at, open - at);
    while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
    auto call = std::make_shared<Intrinsic::Call>();
    call->function = find_function(name);
    if (call->function == nullptr) {
      return fail("there is no intrinsic function '" + std::string(name.substr(0, 80)) + "'");
    }
    at = open + 1;
    skip();
    while (peek() != ')') {
      if (!call->arguments.empty()) {
        if (peek() != ',') return fail("',' or ')' expected");
        ++at;
        skip();
      }
      if (!read_argument(*call)) return false;
      skip();
    }
    ++at;
    const std::size_t count = call->arguments.size();
    if (count < call->function->least || count > call->function->most) {
      at = begin;
      return fail(std::string(name) + " takes " + takes(*call->function) + ", not " +
                  std::to_string(count));
    }
    call->text = std::string(text.substr(begin, at - begin));
    out = std::move(call);
    --depth;
    return true;
  }

  static std::string takes(const Function& function) {
    const std::string least = std::to_string(function.least);
    if (function.least == function.most)
      return least + (function.least == 1 ? " argument" : " arguments");
    if (function.most > 100) return "at least " + least + " arguments";
    return least + " to " + std::to_string(function.most) + " arguments";
  }

  bool read_argument(Intrinsic::Call& call) {
    std::vector<Intrinsic::Call::Argument>& out = call.arguments;
    const char c = peek();
    // The pattern of States.Format keeps its escapes: there they tell braces from places.
    if (c == '\'') {
      return read_text(call, out.empty() && call.function == find_function(kFormat));
    }
    if (c == '$') return read_path(out);
    if (text.substr(at, 7) == "States.") {
      CallRef inner;
      if (!read_call(inner)) return false;
      out.emplace_back(std::move(inner));
      return true;
    }
    return read_literal(out);
  }

  // \' \\ \{ \} are the only escapes.
  bool read_text(Intrinsic::Call& call, bool keeps_escapes) {
    std::string value, of_first_edition;
    for (++at; at < text.size() && text[at] != '\''; ++at) {
      if (text[at] != '\\') {
        value += text[at];
        of_first_edition += text[at];
        continue;
      }
      const char c = at + 1 < text.size() ? text[at + 1] : '\0';
      if (c != '\'' && c != '\\' && c != '{' && c != '}') {
        return fail("only \\' \\\\ \\{ and \\} are escapes in a string");
      }
      if (keeps_escapes) value += '\\';
      value += c;
      if (c == '{' || c == '}') of_first_edition += '\\';
      of_first_edition += c;
      ++at;
    }
    if (at >= text.size()) return fail("the string is not closed");
    ++at;
    if (of_first_edition != value) {
      call.first_edition.emplace_back(call.arguments.size(), Value(std::move(of_first_edition)));
    }
    call.arguments.emplace_back(Value(std::move(value)));
    return true;
  }

  bool read_path(std::vector<Intrinsic::Call::Argument>& out) {
    const std::size_t begin = at;
    std::size_t open = 0;
    char quote = '\0';
    for (; at < text.size(); ++at) {
      const char c = text[at];
      if (quote != '\0') {
        if (c == '\\') ++at;
        if (c == quote) quote = '\0';
        continue;
      }
      if (open > 0 && (c == '\'' || c == '"')) quote = c;
      if (c == '[' || c == '(') ++open;
      if ((c == ',' || c == ')') && open == 0) break;
      if ((c == ']' || c == ')') && open > 0) --open;
    }
    at = std::min(at, text.size());
    std::size_t end = at;
    while (end > begin && text[end - 1] == ' ') --end;
    auto path = JsonPath::parse(text.substr(begin, end - begin));
    if (auto* wrong = std::get_if<SyntaxError>(&path)) {
      error = {wrong->message, begin + wrong->at};
      return false;
    }
    out.emplace_back(std::move(std::get<JsonPath>(path)));
    return true;
  }

  bool read_literal(std::vector<Intrinsic::Call::Argument>& out) {
    const std::size_t end = std::min(text.find_first_of(",)", at), text.size());
    std::string_view word = text.substr(at, end - at);
    while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
    auto value = parse_json(word);
    const bool scalar = value.ok() && value->depth() == 0 && !value->is_string();
    if (!scalar) {
      return fail(
          "an argument is a path, a number, a string in single quotes, true, false, null or a "
          "call");
    }
    at = end;
    out.emplace_back(std::move(*value));
    return true;
  }
};

namespace {

Evaluated evaluate_call(const Intrinsic::Call& call, const Scope& scope, std::string_view field) {
  Value::Array arguments;
  arguments.reserve(call.arguments.size());
  const auto failed = [&](const char* error, const std::string& why) {
    return Failure{error,
                   "The function '" + call.text + "' had the following error: " + why,
                   {call.text, {}, blamed_value(Value(arguments))}};
  };
  for (const auto& argument : call.arguments) {
    if (const auto* value = std::get_if<Value>(&argument)) {
      arguments.push_back(*value);
    } else if (const auto* path = std::get_if<JsonPath>(&argument)) {
      auto found = path->find(scope);
      if (!found) {
        return failed("States.Runtime", "The JsonPath argument for the field '" + path->text() +
                                            "' could not be found in the input '" +
                                            scope.input.to_json() + "'");
      }
      arguments.push_back(std::move(*found));
    } else {
      auto inner = evaluate_call(*std::get<IntrinsicParser::CallRef>(argument), scope, field);
      if (!inner.ok()) return inner;
      arguments.push_back(std::move(inner.value()));
    }
  }
  if (scope.edition == Edition::kFirst) {
    for (const auto& [index, text] : call.first_edition) arguments[index] = text;
  }
  FunctionResult result = call.function->run(arguments, scope.random, scope.edition);
  if (auto* why = std::get_if<std::string>(&result)) return failed("States.IntrinsicFailure", *why);
  return std::move(std::get<Value>(result));
}

template <class Each>
void for_paths(const Intrinsic::Call& call, const Each& each) {
  for (const auto& argument : call.arguments) {
    if (const auto* path = std::get_if<JsonPath>(&argument)) each(*path);
    if (const auto* inner = std::get_if<IntrinsicParser::CallRef>(&argument))
      for_paths(**inner, each);
  }
}

}  // namespace

Parsed<Intrinsic> Intrinsic::parse(std::string_view text) {
  if (text.size() > kMaxExpressionBytes) {
    return SyntaxError{"longer than " + std::to_string(kMaxExpressionBytes) + " bytes", 0};
  }
  IntrinsicParser parser{text, 0, 0, {}};
  IntrinsicParser::CallRef call;
  if (!parser.read_call(call)) return parser.error;
  parser.skip();
  if (parser.at != text.size()) return SyntaxError{"nothing may follow the closing ')'", parser.at};
  return Intrinsic(std::move(call));
}

Evaluated Intrinsic::evaluate(const Scope& scope, std::string_view field) const {
  return evaluate_call(*call_, scope, field);
}

const std::string& Intrinsic::text() const { return call_->text; }

bool Intrinsic::uses_context() const {
  bool uses = false;
  for_paths(*call_,
            [&](const JsonPath& path) { uses = uses || path.root() == JsonPath::Root::kContext; });
  return uses;
}

void Intrinsic::collect_variables(std::vector<std::string>& names) const {
  for_paths(*call_, [&](const JsonPath& path) {
    if (path.root() == JsonPath::Root::kVariable) names.push_back(path.variable());
  });
}

}  // namespace stepwell::expr
