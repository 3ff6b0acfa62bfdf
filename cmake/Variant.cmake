# The library is built from rooms (src/<room>), each a static library that may use the rooms below it. A variant is the
# whole of it under one set of compiler flags: "" is what is shipped, "asan" and "tsan" serve the tests.

set(PS_ROOMS base layout control host group api)

# ps_read_variant(entry label): of an entry of the property PS_VARIANTS, sets `variant` (its name), `suffix` (of its
# targets), `flags` (of its compiler) and `label` (of its tests: `label` for what is shipped, else the variant's name).
macro(ps_read_variant entry plain_label)
  string(REPLACE ":" "" variant "${entry}")
  set(suffix "")
  set(label ${plain_label})
  if(variant)
    set(suffix "_${variant}")
    set(label ${variant})
  endif()
  get_property(flags GLOBAL PROPERTY "PS_FLAGS${suffix}")
endmacro()

function(ps_target_defaults target variant flags)
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR}/include)
  target_compile_options(${target} PRIVATE -Wall -Wextra ${flags})
  target_link_options(${target} PRIVATE ${flags})
endfunction()

# What most files include, read once for a target. The shipped variant does without, so that each file is known to
# include what it uses.
function(ps_precompile target variant)
  if(variant)
    target_precompile_headers(${target} PRIVATE <algorithm> <atomic> <chrono> <cstring> <functional> <map> <memory> <mutex>
                              <optional> <string> <thread> <unordered_map> <variant> <vector> ${ARGN})
  endif()
endfunction()

# What fmt does not have in its headers: compiled once, for all variants and for psctl.
add_library(ps_fmt STATIC ${CMAKE_SOURCE_DIR}/src/base/format.cc)
target_compile_options(ps_fmt PRIVATE -Wall -Wextra)
target_include_directories(ps_fmt SYSTEM PUBLIC ${FMT_INCLUDE_DIR})

function(ps_add_variant variant flags)
  set(suffix "")
  if(variant)
    set(suffix "_${variant}")
  endif()
  set_property(GLOBAL APPEND PROPERTY PS_VARIANTS "${variant}:")
  set_property(GLOBAL PROPERTY "PS_FLAGS${suffix}" "${flags}")

  set(below "")
  foreach(room IN LISTS PS_ROOMS)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${room}/*.cc")
    list(FILTER sources EXCLUDE REGEX "/src/(base/format|host/reduce/kernels)\\.cc$")
    add_library(ps_${room}${suffix} STATIC ${sources})
    ps_target_defaults(ps_${room}${suffix} "${variant}" "${flags}")
    # Line numbers are enough of debug information, the rest of which takes a fifth of the time of compiling; but from the
    # public functions' the binary interface is read.
    if(NOT room STREQUAL api)
      target_compile_options(ps_${room}${suffix} PRIVATE $<$<CONFIG:RelWithDebInfo>:-g1>)
    endif()
    target_link_libraries(ps_${room}${suffix} PUBLIC ${below} ps_fmt Threads::Threads ${CMAKE_DL_LIBS})
    # Looking at each pointer takes a third of the time of compiling. A null one that is used is found all the same; types
    # are laid over memory in base and host.
    if(variant STREQUAL asan AND NOT room MATCHES "^(base|host)$")
      target_compile_options(ps_${room}${suffix} PRIVATE -fno-sanitize=null,alignment,object-size,vptr)
    endif()
    ps_precompile(ps_${room}${suffix} "${variant}" <fmt/core.h>)
    set(below ps_${room}${suffix} ${below})
  endforeach()
  target_include_directories(ps_control${suffix} SYSTEM PRIVATE ${ASIO_INCLUDE_DIR} ${SODIUM_INCLUDE_DIR})
  target_compile_definitions(ps_control${suffix} PRIVATE ASIO_STANDALONE ASIO_NO_DEPRECATED)
  target_link_libraries(ps_control${suffix} PRIVATE ${SODIUM_STATIC})
  target_link_libraries(ps_layout${suffix} PRIVATE nlohmann_json::nlohmann_json)
  target_link_libraries(ps_group${suffix} PRIVATE nlohmann_json::nlohmann_json)
  target_link_libraries(ps_api${suffix} PRIVATE nlohmann_json::nlohmann_json)
  ps_add_reduce_targets(ps_host${suffix} "${flags}")

  add_library(parallelstate${suffix} SHARED $<TARGET_OBJECTS:ps_api${suffix}>)
  ps_target_defaults(parallelstate${suffix} "${variant}" "${flags}")
  target_link_libraries(parallelstate${suffix} PRIVATE ps_group${suffix})
  target_link_options(parallelstate${suffix} PRIVATE
    -Wl,--version-script=${CMAKE_SOURCE_DIR}/src/api/exports.map
    -Wl,--exclude-libs,ALL -Wl,--no-undefined -Wl,-z,nodelete -Wl,-z,relro,-z,now)
  set_target_properties(parallelstate${suffix} PROPERTIES
    OUTPUT_NAME parallelstate
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
    LINK_DEPENDS ${CMAKE_SOURCE_DIR}/src/api/exports.map
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${variant}/lib)
  ps_add_gloo("${variant}" "${suffix}" "${flags}")
endfunction()

# The plugin ps_gloo.so, where the library looks for it first. It sees the public headers alone, and exports its entry
# alone: Gloo may be an archive, and the program may have a Gloo of its own.
function(ps_add_gloo variant suffix flags)
  if(NOT PS_GLOO)
    return()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/plugins/gloo/*.cc)
  set(target ps_gloo${suffix})
  add_library(${target} MODULE ${sources})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/include)
  target_compile_options(${target} PRIVATE -Wall -Wextra ${flags})
  set(exports ${CMAKE_SOURCE_DIR}/src/plugins/gloo/exports.map)
  target_link_options(${target} PRIVATE ${flags} -Wl,--version-script=${exports} -Wl,--no-undefined -Wl,-z,relro,-z,now)
  target_link_libraries(${target} PRIVATE gloo_library Threads::Threads)
  set_target_properties(${target} PROPERTIES PREFIX "" OUTPUT_NAME ps_gloo LINK_DEPENDS ${exports}
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${variant}/lib/parallelstate)
  # Programs that link the library find the plugin beside it.
  add_dependencies(parallelstate${suffix} ${target})
endfunction()

# The reduction kernels are plain loops in one file, compiled once for each target and chosen at run time by CPUID.
# FMA contraction is off everywhere, so that every target gives the same bits.
function(ps_add_reduce_targets target flags)
  set(kernels ${CMAKE_SOURCE_DIR}/src/host/reduce/kernels.cc)
  if(NOT EXISTS ${kernels})
    return()
  endif()
  # Sanitizers look at what the loops touch, and find that without their being vectorised.
  set(optimisation -O3)
  if(flags)
    set(optimisation -O1)
  endif()
  set(levels baseline)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    list(APPEND levels v3 v4)
  endif()
  foreach(level IN LISTS levels)
    set(object ${target}_kernels_${level})
    add_library(${object} OBJECT ${kernels})
    ps_target_defaults(${object} "" "${flags}")
    target_compile_options(${object} PRIVATE ${optimisation} -ffp-contract=off $<$<CONFIG:RelWithDebInfo>:-g1>)
    target_compile_definitions(${object} PRIVATE PS_REDUCE_TARGET=${level})
    if(NOT level STREQUAL baseline)
      target_compile_options(${object} PRIVATE -fno-sanitize=undefined) # the loops are the same
    endif()
    if(level STREQUAL v3)
      target_compile_options(${object} PRIVATE -march=x86-64-v3)
    elseif(level STREQUAL v4)
      target_compile_options(${object} PRIVATE -march=x86-64-v4 -mprefer-vector-width=512)
    endif()
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${object}>)
  endforeach()
endfunction()
