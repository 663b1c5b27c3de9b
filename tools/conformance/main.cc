// stepwell-conformance — the engine held against recorded executions, in memory.
//
//   stepwell-conformance asl|jsonpath|test_state|validate CASES.jsonl      ("-" reads standard
//   input) stepwell-conformance jsonata CASES.jsonl DATASETS.json
#include <fstream>
#include <iostream>
#include <string_view>

#include "tools/conformance/modes.h"

namespace {

constexpr int kUsageError = 2;

using Mode = int (*)(std::istream&, std::ostream&);

Mode mode_named(std::string_view name) {
  using namespace stepwell::conformance;
  if (name == "asl") return run_asl;
  if (name == "test_state") return run_test_state;
#ifdef STEPWELL_CONFORMANCE_JSONPATH
  if (name == "jsonpath") return run_jsonpath;
#endif
#ifdef STEPWELL_CONFORMANCE_VALIDATE
  if (name == "validate") return run_validate;
#endif
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::string_view(argv[1]) == "jsonata") {
    std::ifstream cases(argv[2], std::ios::binary), datasets(argv[3], std::ios::binary);
    if (!cases || !datasets) {
      std::cerr << "stepwell-conformance: cannot read " << argv[cases ? 3 : 2] << '\n';
      return kUsageError;
    }
    return stepwell::conformance::run_jsonata(cases, datasets, std::cout);
  }
  const Mode mode = argc == 3 ? mode_named(argv[1]) : nullptr;
  if (mode == nullptr) {
    std::cerr << "usage: stepwell-conformance asl|jsonpath|test_state|validate CASES.jsonl\n"
                 "       stepwell-conformance jsonata CASES.jsonl DATASETS.json\n";
    return kUsageError;
  }
  std::ios::sync_with_stdio(false);
  if (std::string_view(argv[2]) == "-") return mode(std::cin, std::cout);
  std::ifstream file(argv[2], std::ios::binary);
  if (!file) {
    std::cerr << "stepwell-conformance: cannot read " << argv[2] << '\n';
    return kUsageError;
  }
  return mode(file, std::cout);
}
