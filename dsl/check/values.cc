// What may stand in a field: types, bounds, words; and fields that are unknown or missing.
#include <algorithm>
#include <cmath>

#include "base/time.h"
#include "dsl/check/rules.h"

namespace stepwell::dsl {

namespace {

constexpr std::size_t kShownCharacters = 40;

std::string number_text(double number) {
  return Value(static_cast<std::int64_t>(number)).to_json();
}

// A hint where the value has the wrong form and the right one is obvious: quotes around a number.
std::string cure(const Node& node, std::string_view wanted) {
  const Value& value = node.value;
  const bool wants_number = wanted.find("number") != std::string_view::npos;
  if (wants_number && value.is_string()) {
    const Result<Value> inner = parse_json(value.as_string());
    if (inner.ok() && inner->is_number()) return "write " + value.as_string() + " without quotes";
  }
  if (wanted.starts_with("true") && value.is_string() && !node.is_quoted) {
    return "only true and false are truth values in YAML 1.2";
  }
  if (wanted == "a string" && (value.is_number() || value.is_bool())) {
    return "write " + json_quote(value.to_json()) + " in quotes";
  }
  return {};
}

}  // namespace

std::string in_words(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull: return "null";
    case Value::Kind::kBool:
    case Value::Kind::kInt:
    case Value::Kind::kDouble:
      return (value.is_bool() ? std::string() : "the number ") + value.to_json();
    case Value::Kind::kString: {
      const std::string& text = value.as_string();
      if (text.size() <= kShownCharacters) return "the string " + json_quote(text);
      std::size_t end = kShownCharacters;
      while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
      return "the string " + json_quote(text.substr(0, end) + "...");
    }
    case Value::Kind::kArray: return "a list";
    case Value::Kind::kObject: return "an object";
  }
  return "";
}

bool is_jsonata(const Value& value) {
  if (!value.is_string()) return false;
  const std::string& text = value.as_string();
  return text.size() >= 4 && text.starts_with("{%") && text.ends_with("%}");
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string near = nearest(word, candidates);
  return near.empty() ? near : "did you mean " + json_quote(near) + "?";
}

std::string unset_substitution(const Value& value) {
  if (!value.is_string()) return {};
  const std::string& text = value.as_string();
  const std::size_t begin = text.find("${");
  const std::size_t end = begin == std::string::npos ? begin : text.find('}', begin);
  return end == std::string::npos ? "" : text.substr(begin + 2, end - begin - 2);
}

Diagnostic& report_unset(Checking& check, const Spot& spot, const std::string& name) {
  return check.findings.error(
      "unset-substitution", spot.node.place, spot.pointer, "nothing is given for ${" + name + "}",
      "--set " + name + "=VALUE, or a file of such values: --set-file FILE");
}

Diagnostic& wrong_type(Checking& check, const Spot& spot, std::string_view field,
                       std::string_view wanted) {
  if (is_jsonata(spot.node.value) && check.language == Language::kJsonata) {
    return check.findings.error(
        "wrong-type", spot.node.place, spot.pointer,
        json_quote(field) + " must be " + std::string(wanted) + "; no expression can stand here");
  }
  if (is_jsonata(spot.node.value)) {
    return check.findings.error(
        "jsonata-in-jsonpath", spot.node.place, spot.pointer,
        json_quote(field) + " holds a JSONata expression, but this state speaks JSONPath",
        "use the ...Path form of the field, or a state with QueryLanguage: JSONata");
  }
  const std::string unset = unset_substitution(spot.node.value);
  if (!unset.empty()) return report_unset(check, spot, unset);
  return check.findings.error(
      "wrong-type", spot.node.place, spot.pointer,
      json_quote(field) + " must be " + std::string(wanted) + ", not " + in_words(spot.node.value),
      cure(spot.node, wanted));
}

bool is_text(Checking& check, const Spot& spot, std::string_view field) {
  if (spot.node.value.is_string()) return true;
  in_aws_words(wrong_type(check, spot, field, "a string"),
               {"", "Expected value of type String", spot.pointer});
  return false;
}

bool is_object(Checking& check, const Spot& spot, std::string_view field) {
  if (spot.node.value.is_object()) return true;
  in_aws_words(wrong_type(check, spot, field, "an object"),
               {"", "Expected value of type Object", spot.pointer});
  return false;
}

bool is_item(Checking& check, const Spot& spot, const std::string& what) {
  if (spot.node.value.is_object()) return true;
  check.findings.error("wrong-type", spot.node.place, spot.pointer,
                       what + " must be an object, not " + in_words(spot.node.value));
  return false;
}

bool is_filled_array(Checking& check, const Spot& spot, std::string_view field) {
  if (!spot.node.value.is_array()) {
    in_aws_words(wrong_type(check, spot, field, "a list"),
                 {"", "Expected value of type Array", spot.pointer});
    return false;
  }
  if (spot.node.value.size() > 0) return true;
  in_aws_words(check.findings.error("empty-list", spot.node.place, spot.pointer,
                                    json_quote(field) + " must not be empty"),
               {"", "Value cannot be empty", spot.pointer});
  return false;
}

bool is_number(Checking& check, const Spot& spot, std::string_view field, double least, double most,
               bool is_whole) {
  std::string wanted = is_whole ? "a whole number" : "a number";
  wanted += std::isfinite(most) ? " from " + number_text(least) + " to " + number_text(most)
                                : " of at least " + number_text(least);
  const Value& value = spot.node.value;
  const bool is_form = is_whole ? value.is_int() : value.is_number();
  if (!is_form) {
    Diagnostic& diagnostic = wrong_type(check, spot, field, wanted);
    in_aws_words(diagnostic,
                 {"", is_whole ? "Expected value of type Integer" : "Expected value of type Number",
                  spot.pointer});
    return false;
  }
  if (value.as_double() >= least && value.as_double() <= most) return true;
  const bool is_less = value.as_double() < least;
  const std::string bound = number_text(is_less ? least : most) + (is_whole ? "" : ".0");
  in_aws_words(
      check.findings.error("out-of-range", spot.node.place, spot.pointer,
                           json_quote(field) + " must be " + wanted + ", not " + value.to_json()),
      {"", (is_less ? "Minimum value is " : "Maximum value is ") + bound, spot.pointer});
  return false;
}

bool is_timestamp(Checking& check, const Spot& spot, std::string_view field) {
  const Value& value = spot.node.value;
  if (value.is_string() && parse_rfc3339(value.as_string())) return true;
  Diagnostic& diagnostic =
      value.is_string() && !is_jsonata(value) && unset_substitution(value).empty()
          ? check.findings.error(
                "bad-timestamp", spot.node.place, spot.pointer,
                json_quote(field) + " must be an RFC 3339 timestamp, not " + in_words(value),
                "with T and a zone: \"2026-11-21T07:30:00Z\"")
          : wrong_type(check, spot, field, "an RFC 3339 timestamp in a string");
  in_aws_words(diagnostic, {"", "String does not match RFC3339 timestamp", spot.pointer});
  return false;
}

bool is_word(Checking& check, const Spot& spot, std::string_view field) {
  if (!is_text(check, spot, field)) return false;
  const std::string& text = spot.node.value.as_string();
  if (const std::string unset = unset_substitution(spot.node.value); !unset.empty()) {
    report_unset(check, spot, unset);
    return false;
  }
  const std::vector<std::string>& words = words_in(field);
  std::string all;
  for (const std::string& word : words) {
    if (word == text) return true;
    all += (all.empty() ? "" : " or ") + word;
  }
  check.findings.error("unknown-value", spot.node.place, spot.pointer,
                       json_quote(field) + " must be " + all + ", not " + json_quote(text),
                       did_you_mean(text, words));
  return false;
}

void check_members(Checking& check, const Spot& object, ObjectKind kind, const std::string& whose) {
  const std::vector<std::string>& legal = fields_in(kind, check.language);
  for (const Member& member : object.node.members) {
    if (member.key == "Comment") is_text(check, object.under(member), member.key);
    if (is_free(member.key)) continue;
    if (std::find(legal.begin(), legal.end(), member.key) != legal.end()) continue;
    const Spot spot = object.under(member);
    std::string hint = instead_of(member.key, check.language);
    if (member.key == "<<") hint = "YAML 1.2 has no merge keys; write the fields out";
    if (hint.empty()) hint = did_you_mean(member.key, legal);
    in_aws_words(check.findings.error("unknown-field", member.key_place, spot.pointer,
                                      json_quote(member.key) + " is not a field of " + whose,
                                      std::move(hint)),
                 {"", "Field '" + member.key + "' is not supported",
                  object.pointer.empty() ? "/" : object.pointer});
  }
}

bool is_misspelt(const Node& object, const std::vector<std::string>& fields) {
  for (const Member& member : object.members) {
    const bool is_known = field_anywhere(member.key) != nullptr || is_free(member.key) ||
                          member.key == "StartAt" || member.key == "States";
    if (!is_known && !nearest(member.key, fields).empty()) return true;
  }
  return false;
}

void check_required(Checking& check, const Spot& object, const Place& place,
                    const std::vector<std::string>& required, const std::string& whose,
                    std::string hint) {
  std::string missing, in_quotes;
  for (const std::string& field : required) {
    if (object.node.find(field) != nullptr || is_misspelt(object.node, {field})) continue;
    missing += (missing.empty() ? "" : ", ") + field;
    in_quotes += (in_quotes.empty() ? "" : " and ") + json_quote(field);
  }
  if (missing.empty()) return;
  in_aws_words(check.findings.error("missing-field", place, object.pointer,
                                    whose + " needs " + in_quotes, std::move(hint)),
               {"", "These fields are required: [" + missing + "]",
                object.pointer.empty() ? "/" : object.pointer});
}

}  // namespace stepwell::dsl
