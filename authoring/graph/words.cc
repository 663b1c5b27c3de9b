#include "authoring/graph/words.h"

#include <string_view>

namespace stepwell::graph {

namespace {

std::string text_of(const Value& object, std::string_view key) {
  const Value* value = object.find(key);
  if (value == nullptr) return "";
  return value->is_string() ? value->as_string() : value->to_json();
}

// "{% $x > 3 %}" -> "$x > 3"; runs of blanks become one.
std::string bare(const std::string& text) {
  std::string_view inner = text;
  if (inner.size() >= 4 && inner.starts_with("{%") && inner.ends_with("%}")) {
    inner = inner.substr(2, inner.size() - 4);
  }
  std::string out;
  for (const char c : inner) {
    const bool is_blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!is_blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

struct Sign {
  std::string_view end, sign;
};
constexpr Sign kSigns[] = {{"LessThanEquals", "≤"}, {"GreaterThanEquals", "≥"},
                           {"LessThan", "<"},       {"GreaterThan", ">"},
                           {"Equals", "="},         {"Matches", "like"}};

struct Property {
  std::string_view name, yes, no;
};
constexpr Property kProperties[] = {{"IsPresent", "is there", "is missing"},
                                    {"IsNull", "is null", "is not null"},
                                    {"IsNumeric", "is a number", "is not a number"},
                                    {"IsString", "is a string", "is not a string"},
                                    {"IsBoolean", "is true or false", "is not true or false"},
                                    {"IsTimestamp", "is a timestamp", "is not a timestamp"}};

std::string test_in_words(const Value& rule) {
  const std::string variable = text_of(rule, "Variable");
  for (const auto& [key, operand] : rule.as_object()) {
    for (const Property& property : kProperties) {
      if (key != property.name) continue;
      const bool is_yes = operand.is_bool() && operand.as_bool();
      return variable + " " + std::string(is_yes ? property.yes : property.no);
    }
    std::string_view name = key;
    const bool is_path = name.ends_with("Path");
    if (is_path) name.remove_suffix(4);
    const bool is_comparison = name.starts_with("String") || name.starts_with("Numeric") ||
                               name.starts_with("Boolean") || name.starts_with("Timestamp");
    if (!is_comparison) continue;
    for (const Sign& sign : kSigns) {
      if (!name.ends_with(sign.end)) continue;
      const std::string right =
          is_path && operand.is_string() ? operand.as_string() : operand.to_json();
      return variable + " " + std::string(sign.sign) + " " + right;
    }
  }
  return variable;
}

bool is_compound(const Value& rule) {
  return rule.find("And") != nullptr || rule.find("Or") != nullptr;
}

std::string seconds(const std::string& number) { return number + " s"; }

// "lambda:invoke" of "arn:aws:states:::lambda:invoke.waitForTaskToken"; a function's own name.
std::string short_resource(const std::string& resource) {
  constexpr std::string_view kFunction = ":function:";
  constexpr std::string_view kService = ":states:::";
  constexpr std::string_view kActivity = ":activity:";
  if (!resource.starts_with("arn:")) return resource;
  for (const std::string_view mark : {kFunction, kService, kActivity}) {
    const std::size_t at = resource.find(mark);
    if (at != std::string::npos) return resource.substr(at + mark.size());
  }
  return resource;
}

std::string map_in_words(const Value& state) {
  std::string what = bare(text_of(state, state.find("ItemsPath") ? "ItemsPath" : "Items"));
  if (what.empty()) what = state.find("ItemReader") != nullptr ? "item of a file" : "item";
  std::string words = what.starts_with("item") ? "each " + what : "each of " + what;
  const std::string most =
      text_of(state, state.find("MaxConcurrency") ? "MaxConcurrency" : "MaxConcurrencyPath");
  if (!most.empty() && most != "0") words += ", " + bare(most) + " at a time";
  return words;
}

std::string wait_in_words(const Value& state) {
  for (const char* field : {"Seconds", "SecondsPath"}) {
    if (state.find(field) != nullptr) return seconds(bare(text_of(state, field)));
  }
  for (const char* field : {"Timestamp", "TimestampPath"}) {
    if (state.find(field) != nullptr) return "until " + bare(text_of(state, field));
  }
  return "";
}

}  // namespace

std::string shorten(const std::string& text, std::size_t most) {
  std::size_t characters = 0, cut = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) == 0x80) continue;
    if (characters + 1 == most) cut = i;
    ++characters;
  }
  return characters <= most ? text : text.substr(0, cut) + "…";
}

std::string rule_in_words(const Value& rule) {
  if (!rule.is_object()) return "";
  if (rule.find("Condition") != nullptr) return bare(text_of(rule, "Condition"));
  for (const auto& [key, word] : {std::pair{"And", " and "}, std::pair{"Or", " or "}}) {
    const Value* list = rule.find(key);
    if (list == nullptr || !list->is_array()) continue;
    std::string words;
    for (const Value& one : list->as_array()) {
      const std::string inner = rule_in_words(one);
      if (!words.empty()) words += word;
      words += is_compound(one) ? "(" + inner + ")" : inner;
    }
    return words;
  }
  const Value* negated = rule.find("Not");
  if (negated != nullptr) return "not (" + rule_in_words(*negated) + ")";
  return test_in_words(rule);
}

std::string errors_in_words(const Value& owner) {
  const Value* errors = owner.find("ErrorEquals");
  if (errors == nullptr || !errors->is_array()) return "";
  std::string words;
  for (const Value& error : errors->as_array()) {
    if (!error.is_string()) continue;
    const bool is_any = error.as_string() == "States.ALL";
    words += (words.empty() ? "" : ", ") + (is_any ? std::string("any error") : error.as_string());
  }
  return words;
}

std::string retrier_in_words(const Value& retrier) {
  const auto field = [&](const char* name, const char* otherwise) {
    const std::string text = text_of(retrier, name);
    return text.empty() ? std::string(otherwise) : text;
  };
  const std::string attempts = field("MaxAttempts", "3");
  std::string words = errors_in_words(retrier) + ": ";
  if (attempts == "0") return words + "never";
  words += attempts == "1" ? "once" : attempts + " times";
  words += ", after " + seconds(field("IntervalSeconds", "1"));
  if (attempts != "1") words += ", each time " + field("BackoffRate", "2.0") + " times as long";
  const std::string most = field("MaxDelaySeconds", "");
  if (attempts != "1" && !most.empty()) words += ", at most " + seconds(most);
  return words;
}

std::string detail_in_words(const std::string& type, const Value& state) {
  if (type == "Task") return short_resource(text_of(state, "Resource"));
  if (type == "Wait") return wait_in_words(state);
  if (type == "Map") return map_in_words(state);
  if (type == "Fail") {
    return bare(text_of(state, state.find("Error") != nullptr ? "Error" : "ErrorPath"));
  }
  return "";
}

}  // namespace stepwell::graph
