# What moves data between hosts: Gloo as it is installed (Debian's libgloo-dev), or, with PS_GLOO_SOURCE, built here. Without
# either the library works within one host and says so.
#
# Sets PS_GLOO, whether the plugin is built; and where there is a Gloo the target gloo_library: what to include and to link.

option(PS_GLOO_SOURCE "Download Gloo's pinned source and build it, instead of using an installed one" OFF)

find_path(GLOO_INCLUDE_DIR gloo/transport/tcp/pair.h)
find_library(GLOO_LIBRARY gloo)
set(gloo_is_there OFF)
if(PS_GLOO_SOURCE OR (GLOO_INCLUDE_DIR AND GLOO_LIBRARY))
  set(gloo_is_there ON)
endif()
option(PS_GLOO "Build the plugin for Gloo" ${gloo_is_there})
if(PS_GLOO_SOURCE AND NOT PS_GLOO)
  message(STATUS "PS_GLOO_SOURCE turns PS_GLOO on")
  set(PS_GLOO ON CACHE BOOL "Build the plugin for Gloo" FORCE)
endif()
if(PS_GLOO AND NOT gloo_is_there)
  message(FATAL_ERROR "PS_GLOO is on, but Gloo's headers (GLOO_INCLUDE_DIR: ${GLOO_INCLUDE_DIR}) or its library "
    "(GLOO_LIBRARY: ${GLOO_LIBRARY}) are not here. Either install Debian's libgloo-dev, or have it built from source: "
    "-DPS_GLOO_SOURCE=ON, or name where a Gloo built from source is installed: -DCMAKE_PREFIX_PATH=DIR; "
    "docs/dependencies.md says which Gloo fits")
endif()
if(NOT gloo_is_there)
  return()
endif()

add_library(gloo_library INTERFACE)
if(NOT PS_GLOO_SOURCE)
  target_include_directories(gloo_library SYSTEM INTERFACE ${GLOO_INCLUDE_DIR})
  target_link_libraries(gloo_library INTERFACE ${GLOO_LIBRARY})
  if(NOT EXISTS ${GLOO_INCLUDE_DIR}/gloo/common/memory.h)
    target_include_directories(gloo_library SYSTEM INTERFACE ${CMAKE_SOURCE_DIR}/src/plugins/gloo/missing)
    target_compile_definitions(gloo_library INTERFACE PS_GLOO_LACKS_MEMORY_H)
  endif()
  return()
endif()

# Gloo has no releases. Horovod's source distribution carries a copy of it whose interface is that of Debian's (May 2022,
# 5b14351), on a registry that keeps what it has and names its checksum.
include(ExternalProject)
set(gloo_prefix ${CMAKE_BINARY_DIR}/gloo)
set(gloo_archive ${gloo_prefix}/build/gloo/libgloo.a)
ExternalProject_Add(gloo_source
  URL https://files.pythonhosted.org/packages/e4/86/da559fcc1620ac7831a16ccb2ad3acb477a8da8a631f75a83b6410507210/horovod-0.28.1.tar.gz
  URL_HASH SHA256=92a43f5a94c43907a56805bad15f19700c62ffc83b7ca483f9e104e229f67ef0
  DOWNLOAD_EXTRACT_TIMESTAMP OFF
  PREFIX ${gloo_prefix}
  SOURCE_DIR ${gloo_prefix}/source
  SOURCE_SUBDIR third_party/gloo
  BINARY_DIR ${gloo_prefix}/build
  # It asks for CMake 2.8, which CMake 4 takes for an error unless told otherwise.
  CMAKE_ARGS -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=ON
    -DCMAKE_C_COMPILER=${CMAKE_C_COMPILER} -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER} -DCMAKE_CXX_FLAGS=-w
    -DCMAKE_POLICY_VERSION_MINIMUM=3.5
  INSTALL_COMMAND ""
  BUILD_BYPRODUCTS ${gloo_archive})
add_dependencies(gloo_library gloo_source)
target_include_directories(gloo_library SYSTEM INTERFACE ${gloo_prefix}/source/third_party/gloo ${gloo_prefix}/build)
target_link_libraries(gloo_library INTERFACE ${gloo_archive})
