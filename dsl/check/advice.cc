#include "dsl/check/advice.h"

namespace stepwell::dsl {

namespace {

struct Found {
  const Node* node = nullptr;
  const Member* member = nullptr;
};

std::string unescaped(std::string_view token) {
  std::string text;
  for (std::size_t i = 0; i < token.size(); ++i) {
    const bool is_escape = token[i] == '~' && i + 1 < token.size();
    text += !is_escape ? token[i] : token[++i] == '1' ? '/' : '~';
  }
  return text;
}

Found find(const Node& root, std::string_view pointer) {
  Found found{&root, nullptr};
  for (std::size_t at = 1; at <= pointer.size();) {
    const std::size_t end = std::min(pointer.find('/', at), pointer.size());
    const std::string token = unescaped(pointer.substr(at, end - at));
    Found next;
    for (const Member& member : found.node->members) {
      if (member.key == token) next = {member.node, &member};
    }
    for (std::size_t i = 0; i < found.node->items.size() && next.node == nullptr; ++i) {
      if (std::to_string(i) == token) next = {found.node->items[i], nullptr};
    }
    if (next.node == nullptr) return {};
    found = next;
    at = end + 1;
  }
  return found;
}

}  // namespace

const Member* Advising::member_at(std::string_view pointer) const {
  return find(*document.root, pointer).member;
}

const Node* Advising::node_at(std::string_view pointer) const {
  return find(*document.root, pointer).node;
}

void advise(const Program& program, const Document& document, Findings& findings) {
  const Advising advising{program, document, findings};
  check_group_entries(advising);
  advise_on_ends(advising);
  advise_on_choices(advising);
  advise_on_conditions(advising);
  advise_on_errors(advising);
  advise_on_lost_errors(advising);
  advise_on_unused(advising);
  advise_on_results(advising);
}

}  // namespace stepwell::dsl
