// Tests of the host re-execute themselves as their plugin process.
#include <gtest/gtest.h>

#include <string_view>

#include "providers/host/plugin_main.h"

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "__plugin") return stepwell::host::plugin_main(3);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
