# stepwell_module(NAME step USES stepwell_program ... LIBRARIES PkgConfig::X ...)
#
# A static library of every .cc below the calling folder (subfolders with a CMakeLists of their own
# excepted), so that no source file can be forgotten.  LIBRARIES are third-party and stay private.
function(stepwell_module)
  cmake_parse_arguments(arg "" "NAME" "USES;LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  if(NOT sources)  # Headers only.
    add_library(stepwell_${arg_NAME} INTERFACE)
    target_link_libraries(stepwell_${arg_NAME} INTERFACE ${arg_USES})
    return()
  endif()
  add_library(stepwell_${arg_NAME} STATIC ${sources} ${arg_UNPARSED_ARGUMENTS})
  stepwell_flags(stepwell_${arg_NAME})
  target_link_libraries(stepwell_${arg_NAME} PUBLIC ${arg_USES} PRIVATE ${arg_LIBRARIES})
endfunction()

# What every target of ours is compiled with.
function(stepwell_flags target)
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/generated>)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
    -Woverloaded-virtual -Wimplicit-fallthrough -Werror=switch
    # A fold must come out the same on every machine.
    -ffp-contract=off)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 at -O2 warns falsely about variants of strings, and about "x" + string (PR 105651).
    target_compile_options(${target} PRIVATE -Wduplicated-cond -Wlogical-op
      -Wno-maybe-uninitialized -Wno-restrict)
  endif()
  if(STEPWELL_TSAN)
    # Without the rooms that have no threads and write nothing that threads share (tidy sees to
    # that): they are half of what there is to compile, and so ccache has their objects from `dev`.
    cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY ${PROJECT_SOURCE_DIR}
      OUTPUT_VARIABLE folder)
    if(NOT folder MATCHES "^(language|dsl|authoring)(/|$)")
      target_compile_options(${target} PRIVATE -fsanitize=thread -fno-omit-frame-pointer)
    endif()
    target_link_options(${target} PUBLIC -fsanitize=thread)
  endif()
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_compile_options(${target} PRIVATE -Wthread-safety)
  endif()
  if(STEPWELL_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()

# stepwell_test(NAME expr_test SOURCES a.cc b.cc USES stepwell_expr ... [LABELS unit|postgres|...])
# A GoogleTest executable, run as one ctest case.  The label `timing` is for whatever uses a clock,
# a thread or the database (a test holds the labels to that): ./dev flaky runs those, and preset
# tsan builds them, as target timing_tests.  no-asan, no-tsan: not under that sanitizer.
function(stepwell_test)
  cmake_parse_arguments(arg "" "NAME" "SOURCES;USES;LIBRARIES;LABELS" ${ARGN})
  add_executable(${arg_NAME} ${arg_SOURCES})
  stepwell_flags(${arg_NAME})
  target_link_libraries(${arg_NAME} PRIVATE ${arg_USES} ${arg_LIBRARIES} GTest::gtest_main)
  add_test(NAME ${arg_NAME} COMMAND ${arg_NAME} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${arg_NAME} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT 300)
  if("timing" IN_LIST arg_LABELS)
    add_dependencies(timing_tests ${arg_NAME})
  endif()
endfunction()
