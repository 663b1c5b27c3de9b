#include "dsl/tables/resource.h"

#include <vector>

namespace stepwell::dsl {

namespace {

// At most `most` pieces; the last holds the rest.
std::vector<std::string_view> split(std::string_view text, std::size_t most) {
  std::vector<std::string_view> pieces;
  while (pieces.size() + 1 < most) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) break;
    pieces.push_back(text.substr(0, colon));
    text.remove_prefix(colon + 1);
  }
  pieces.push_back(text);
  return pieces;
}

// arn:PARTITION:states:REGION:ACCOUNT:SERVICE:ACTION, or ...:aws-sdk:SERVICE:ACTION
std::optional<ResourceName> parse_states_arn(std::string_view rest) {
  constexpr std::string_view kSdk = "aws-sdk:";
  std::string type;
  if (rest.starts_with(kSdk)) {
    type = kSdk;
    rest.remove_prefix(kSdk.size());
  }
  const std::size_t colon = rest.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == rest.size()) {
    return std::nullopt;
  }
  const std::string_view service = rest.substr(0, colon), action = rest.substr(colon + 1);
  if (service == "activity") return ResourceName{TaskFamily::kActivity, "", ""};
  return ResourceName{TaskFamily::kTask, std::string(action), type + std::string(service)};
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == '/' || c == ':';
}

}  // namespace

std::optional<ResourceName> parse_resource(std::string_view resource) {
  if (is_arn(resource)) {
    const std::vector<std::string_view> parts = split(resource, 6);
    if (parts.size() < 6 || parts[5].empty()) return std::nullopt;
    if (parts[2] == "states") return parse_states_arn(parts[5]);
    if (parts[2] == "lambda" && parts[5].starts_with("function:") && parts[5].size() > 9) {
      return ResourceName{TaskFamily::kLambda, "", ""};
    }
    return std::nullopt;
  }
  if (resource.empty()) return std::nullopt;
  for (const char c : resource) {
    if (!is_name_character(c)) return std::nullopt;
  }
  const std::size_t dot = resource.find('.');
  if (dot == std::string_view::npos) {
    return ResourceName{TaskFamily::kTask, std::string(resource), "stepwell"};
  }
  return ResourceName{TaskFamily::kTask, std::string(resource.substr(dot + 1)),
                      std::string(resource.substr(0, dot))};
}

}  // namespace stepwell::dsl
