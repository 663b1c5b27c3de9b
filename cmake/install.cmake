# What `cmake --install` puts where, and the package that find_package(stepwell) finds.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The library that an embedder links: the engine with all its modules, as static libraries.
set(modules base schema expr program step dsl store postgres loop observe task runtime)
list(TRANSFORM modules PREPEND stepwell_)
foreach(module IN LISTS modules)
  if(NOT TARGET ${module})
    return()  # Without the engine there is nothing to install.
  endif()
endforeach()
add_library(stepwell_library INTERFACE)
add_library(Stepwell::stepwell ALIAS stepwell_library)
set_target_properties(stepwell_library PROPERTIES EXPORT_NAME stepwell)
target_link_libraries(stepwell_library INTERFACE stepwell_runtime)
target_include_directories(stepwell_library INTERFACE
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>)
target_compile_features(stepwell_library INTERFACE cxx_std_20)

install(TARGETS stepwell_library ${modules} EXPORT stepwell_targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/stepwell)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/stepwell)
install(EXPORT stepwell_targets NAMESPACE Stepwell:: DESTINATION ${package_folder})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/stepwellConfig.cmake.in
  ${PROJECT_BINARY_DIR}/stepwellConfig.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/stepwellConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/stepwellConfig.cmake
  ${PROJECT_BINARY_DIR}/stepwellConfigVersion.cmake DESTINATION ${package_folder})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/stepwell DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/docs/licences.md
  DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The binary, and what it reads: providers and workflows (not the C++ beside them).
if(TARGET stepwell)
  install(TARGETS stepwell RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/workflows ${PROJECT_SOURCE_DIR}/providers
    DESTINATION ${CMAKE_INSTALL_DATADIR}/stepwell
    PATTERN "host" EXCLUDE PATTERN "fake" EXCLUDE PATTERN "*.test.yaml" EXCLUDE)
endif()
