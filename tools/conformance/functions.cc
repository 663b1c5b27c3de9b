#include "tools/conformance/functions.h"

#include <cmath>
#include <cstdio>

#include "base/ids.h"

namespace stepwell::conformance {

namespace {

constexpr std::string_view kInvoke = "arn:aws:states:::lambda:invoke";
constexpr Millis kUsual(100);  // How long a function takes.

void append_escaped(std::string& out, std::string_view text) {
  const std::string quoted = json_quote(text);
  for (std::size_t i = 0; i < quoted.size();) {
    const auto lead = static_cast<unsigned char>(quoted[i]);
    if (lead < 0x80) {
      out += quoted[i++];
      continue;
    }
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    std::uint32_t code = lead & (0xffu >> (length + 1));
    for (std::size_t k = 1; k < length && i + k < quoted.size(); ++k) {
      code = code << 6 | (static_cast<unsigned char>(quoted[i + k]) & 0x3fu);
    }
    i += length;
    char buffer[16];
    if (code >= 0x10000) {
      code -= 0x10000;
      std::snprintf(buffer, sizeof buffer, "\\u%04x\\u%04x", 0xd800 + (code >> 10),
                    0xdc00 + (code & 0x3ff));
    } else {
      std::snprintf(buffer, sizeof buffer, "\\u%04x", code);
    }
    out += buffer;
  }
}

void append_python(std::string& out, const Value& value) {
  bool first = true;
  const auto comma = [&] {
    if (!first) out += ", ";
    first = false;
  };
  if (value.is_array()) {
    out += '[';
    for (const Value& item : value.as_array()) {
      comma();
      append_python(out, item);
    }
    out += ']';
  } else if (value.is_object()) {
    out += '{';
    for (const auto& [key, member] : value.as_object()) {
      comma();
      append_escaped(out, key);
      out += ": ";
      append_python(out, member);
    }
    out += '}';
  } else if (value.is_string()) {
    append_escaped(out, value.as_string());
  } else {
    out += value.to_json();
  }
}

// Python's repr() of a JSON value, near enough for the recorded ones.
std::string python_repr(const Value& value) {
  if (value.is_null()) return "None";
  if (value.is_bool()) return value.as_bool() ? "True" : "False";
  if (value.is_string()) {
    const char quote = value.as_string().find('\'') == std::string::npos ? '\'' : '"';
    return quote + value.as_string() + quote;
  }
  if (value.is_number()) return value.to_json();
  std::string out;
  if (value.is_array()) {
    for (const Value& item : value.as_array()) out += (out.empty() ? "" : ", ") + python_repr(item);
    return "[" + out + "]";
  }
  for (const auto& [key, member] : value.as_object()) {
    out += (out.empty() ? "'" : ", '") + key + "': " + python_repr(member);
  }
  return "{" + out + "}";
}

std::string text_of(const Value& value, std::string_view key) {
  const Value* found = value.find(key);
  return found != nullptr && found->is_string() ? found->as_string() : std::string();
}

// What lambda:invoke makes of a function's result.
Value wrapped(Value result) {
  return Object{{"ExecutedVersion", "$LATEST"},
                {"Payload", std::move(result)},
                {"SdkHttpMetadata", Object()},
                {"SdkResponseMetadata", Object()},
                {"StatusCode", 200}};
}

// The event that lambda:invoke hands on: a text is taken for JSON, nothing for {}.
Value invoke_event(const Value& input) {
  const Value* payload = input.find("Payload");
  if (payload == nullptr || payload->is_null()) return Object();
  if (!payload->is_string()) return *payload;
  auto parsed = parse_json(payload->as_string());
  return parsed.ok() ? std::move(parsed).value() : *payload;
}

}  // namespace

std::string python_json(const Value& value) {
  std::string out;
  append_python(out, value);
  return out;
}

bool Functions::serves(const std::string& resource) {
  return resource == kInvoke || resource.find(":function:") != std::string::npos;
}

std::optional<Answer> Functions::call(const RunTask& task, std::string& why) {
  const bool integration = task.resource == kInvoke;
  const std::string name = integration ? text_of(task.input, "FunctionName") : task.resource;
  if (!serves(task.resource)) {
    why = "no function serves " + task.resource;
    return std::nullopt;
  }
  Answer answer;
  if (const Value* function = find(name)) {
    const Value event = integration ? invoke_event(task.input) : task.input;
    const Value* behaviour = function->find("behaviour");
    answer = behave(behaviour != nullptr ? *behaviour : Value(), event, integration);
  } else {
    answer.body = TaskFailed{"Lambda.ResourceNotFoundException",
                             "Function not found: " + name +
                                 " (Service: Lambda, Status Code: 404, Request ID: " +
                                 Uuid::v4(random_.next(), random_.next()).text() + ")",
                             std::nullopt};
    answer.after = kUsual;
  }
  for (const auto& [limit, heartbeat] :
       {std::pair{task.timeout, false}, std::pair{task.heartbeat, true}}) {
    if (limit && *limit < answer.after) answer = Answer{TaskTimedOut{heartbeat}, *limit};
  }
  return answer;
}

const Value* Functions::find(const std::string& name_or_arn) const {
  if (!lambdas_.is_object()) return nullptr;
  for (const auto& [name, function] : lambdas_.as_object()) {
    const std::string arn = text_of(function, "arn");
    if (name == name_or_arn || arn == name_or_arn || arn + ":$LATEST" == name_or_arn) {
      return &function;
    }
  }
  return nullptr;
}

Answer Functions::behave(const Value& behaviour, const Value& event, bool integration) {
  const std::string kind = text_of(behaviour, "kind");
  if (kind == "error") return raise(behaviour, integration);
  Answer answer{TaskSucceeded{}, kUsual};
  Value result = event;
  if (kind == "fixed") {
    if (const Value* value = behaviour.find("value")) result = *value;
  } else if (kind == "large") {
    const Value* bytes = behaviour.find("bytes");
    const std::int64_t count = bytes != nullptr && bytes->is_int() ? bytes->as_int() : 263'168;
    result = std::string(static_cast<std::size_t>(std::min<std::int64_t>(count, 1 << 24)), 'a');
  } else if (kind == "format") {
    result = "input-event-" + (event.is_string() ? event.as_string() : python_repr(event));
  } else if (kind == "sleep") {
    const Value* seconds = behaviour.find("seconds");
    const double count = seconds != nullptr && seconds->is_number() ? seconds->as_double() : 60;
    answer.after = Millis(std::llround(count * 1000));
  }
  answer.body = TaskSucceeded{integration ? wrapped(std::move(result)) : std::move(result)};
  return answer;
}

Answer Functions::raise(const Value& behaviour, bool integration) {
  const std::string type = text_of(behaviour, "errorType");
  const std::string message = text_of(behaviour, "errorMessage");
  const Value* trace = behaviour.find("stackTrace");
  const bool custom = message.empty();
  const std::string line = "  File \"/var/task/handler.py\", line " +
                           std::string(custom ? "9" : "2") + ", in handler\n    raise " + type +
                           "(" + (custom ? "" : json_quote(message)) + ")\n";
  const Value cause =
      Object{{"errorMessage", message},
             {"errorType", type},
             {"requestId", Uuid::v4(random_.next(), random_.next()).text()},
             {"stackTrace", trace != nullptr ? *trace : Value(Value::Array{Value(line)})}};
  // A function's own text has spaces; the service integration writes it anew, without.
  return {TaskFailed{type, integration ? cause.to_json() : python_json(cause), std::nullopt},
          kUsual};
}

}  // namespace stepwell::conformance
