# `cmake --install build --prefix DIR`: the library, its header, psctl, and what pkg-config and find_package need. The
# installed tree can be moved: every path in it is relative to the file that holds it, with whatever library folder
# (lib, lib64, lib/x86_64-linux-gnu) the system uses.
#
# Three components, which are also the Debian packages (Package.cmake): library, what programs need to run; development,
# what they need to be built; tools, psctl.
include(CMakePackageConfigHelpers)

# The build's own path to the header must not reach the installed target.
set_property(TARGET parallelstate PROPERTY INTERFACE_INCLUDE_DIRECTORIES
  $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>)

# ps_relative_path(variable from to): how `to` is reached from the folder `from`, both below the prefix.
function(ps_relative_path variable from to)
  file(RELATIVE_PATH path "/${from}" "/${to}")
  string(REGEX REPLACE "/$" "" path "${path}")
  set(${variable} "${path}" PARENT_SCOPE)
endfunction()

# ps_install_library(libdir export): rules for the library and what finds it, with its folder at <prefix>/<libdir>.
function(ps_install_library libdir export)
  install(TARGETS parallelstate EXPORT ${export}
    LIBRARY DESTINATION ${libdir} COMPONENT library NAMELINK_COMPONENT development
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  if(PS_GLOO)
    install(TARGETS ps_gloo LIBRARY DESTINATION ${libdir}/parallelstate COMPONENT library)
  endif()
  install(FILES ${CMAKE_SOURCE_DIR}/include/parallelstate.h ${CMAKE_SOURCE_DIR}/include/parallelstate_plugin.h
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)

  set(config_folder ${libdir}/cmake/ParallelState)
  set(config ${CMAKE_CURRENT_BINARY_DIR}/cmake/ParallelStateConfig.cmake)
  set(version ${CMAKE_CURRENT_BINARY_DIR}/cmake/ParallelStateConfigVersion.cmake)
  configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/ParallelStateConfig.cmake.in ${config}
    INSTALL_DESTINATION ${config_folder})
  # Before 1.0 another minor version is another interface.
  if(PROJECT_VERSION_MAJOR EQUAL 0)
    write_basic_package_version_file(${version} VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
  else()
    write_basic_package_version_file(${version} VERSION ${PROJECT_VERSION} COMPATIBILITY SameMajorVersion)
  endif()
  install(EXPORT ${export} NAMESPACE ParallelState:: FILE ParallelStateTargets.cmake
    DESTINATION ${config_folder} COMPONENT development)
  install(FILES ${config} ${version} DESTINATION ${config_folder} COMPONENT development)

  set(pc_folder ${libdir}/pkgconfig)
  ps_relative_path(PS_PREFIX_FROM_PC ${pc_folder} "")
  ps_relative_path(PS_LIBDIR_FROM_PC ${pc_folder} ${libdir})
  ps_relative_path(PS_INCLUDEDIR_FROM_PC ${pc_folder} ${CMAKE_INSTALL_INCLUDEDIR})
  set(pc ${CMAKE_CURRENT_BINARY_DIR}/pkgconfig/parallelstate.pc)
  configure_file(${CMAKE_SOURCE_DIR}/pkgconfig/parallelstate.pc.in ${pc} @ONLY)
  install(FILES ${pc} DESTINATION ${pc_folder} COMPONENT development)
endfunction()

ps_install_library(${CMAKE_INSTALL_LIBDIR} ParallelStateTargets)
ps_relative_path(to_library ${CMAKE_INSTALL_BINDIR} ${CMAKE_INSTALL_LIBDIR})
set_target_properties(psctl PROPERTIES INSTALL_RPATH "$ORIGIN/${to_library}")
install(TARGETS psctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tools)

include(cmake/Package.cmake)
