#include "tests/fuzz/targets.h"

namespace stepwell::fuzz {

const std::vector<Target>& targets() {
  static const std::vector<Target> kAll = {
      {"yaml", run_yaml},       {"json", run_json},         {"jsonpath", run_jsonpath},
      {"jsonata", run_jsonata}, {"pictures", run_pictures}, {"step", run_step},
      {"http", run_http},       {"patterns", run_patterns}, {"shared", run_shared},
  };
  return kAll;
}

}  // namespace stepwell::fuzz
