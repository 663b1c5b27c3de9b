#include "tests/fuzz/targets.h"
#include "tests/http/conversation.h"

namespace stepwell::fuzz {

void run_http(std::string_view bytes) { http::check_any_bytes(bytes); }

}  // namespace stepwell::fuzz
