// Stands in until the pictures are there; their own definitions win over these weak ones.
#include "engine/expr/jsonata/error.h"
#include "engine/expr/jsonata/pictures.h"

namespace stepwell::expr::jsonata {

#define LATER __attribute__((weak))
LATER std::string format_number(double, std::string_view, const Object*) {
  raise("D3080", "later");
}
LATER std::string format_integer(double, std::string_view) { raise("D3130", "later"); }
LATER double parse_integer(std::string_view, std::string_view) { raise("D3130", "later"); }
LATER std::string format_base(double, double) { raise("D3100", "later"); }
LATER std::string format_millis(std::int64_t, std::optional<std::string_view>,
                                std::optional<std::string_view>) {
  raise("D3132", "later");
}
LATER std::optional<std::int64_t> parse_millis(std::string_view, std::optional<std::string_view>,
                                               std::int64_t) {
  raise("D3110", "later");
}

}  // namespace stepwell::expr::jsonata
