# `cmake --install build --prefix DIR`: the library, its header, psctl, and what pkg-config and find_package need. The
# installed tree can be moved: every path in it is relative to the file that holds it, with whatever library folder
# (lib, lib64, lib/x86_64-linux-gnu) the system uses.
include(CMakePackageConfigHelpers)

# The build's own path to the header must not reach the installed target.
set_property(TARGET parallelstate PROPERTY INTERFACE_INCLUDE_DIRECTORIES
  $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>)
install(TARGETS parallelstate EXPORT ParallelStateTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${CMAKE_SOURCE_DIR}/include/parallelstate.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

if(TARGET psctl)
  file(RELATIVE_PATH to_library "/${CMAKE_INSTALL_BINDIR}" "/${CMAKE_INSTALL_LIBDIR}")
  set_target_properties(psctl PROPERTIES INSTALL_RPATH "$ORIGIN/${to_library}")
  install(TARGETS psctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/ParallelState)
install(EXPORT ParallelStateTargets NAMESPACE ParallelState:: DESTINATION ${config_folder})
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/ParallelStateConfig.cmake.in
  ${CMAKE_BINARY_DIR}/cmake/ParallelStateConfig.cmake INSTALL_DESTINATION ${config_folder})
# Before 1.0 another minor version is another interface.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/cmake/ParallelStateConfigVersion.cmake
  VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/cmake/ParallelStateConfig.cmake
  ${CMAKE_BINARY_DIR}/cmake/ParallelStateConfigVersion.cmake DESTINATION ${config_folder})

set(pc_folder ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH PS_PREFIX_FROM_PC "/${pc_folder}" "/")
string(REGEX REPLACE "/$" "" PS_PREFIX_FROM_PC "${PS_PREFIX_FROM_PC}")
file(RELATIVE_PATH PS_LIBDIR_FROM_PC "/${pc_folder}" "/${CMAKE_INSTALL_LIBDIR}")
file(RELATIVE_PATH PS_INCLUDEDIR_FROM_PC "/${pc_folder}" "/${CMAKE_INSTALL_INCLUDEDIR}")
configure_file(${CMAKE_SOURCE_DIR}/pkgconfig/parallelstate.pc.in ${CMAKE_BINARY_DIR}/pkgconfig/parallelstate.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/pkgconfig/parallelstate.pc DESTINATION ${pc_folder})
