// match{...} — one lambda per alternative for std::visit; a forgotten alternative does not compile.
#pragma once

#include <variant>

namespace stepwell {

template <class... Cases>
struct match : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
match(Cases...) -> match<Cases...>;

}  // namespace stepwell
