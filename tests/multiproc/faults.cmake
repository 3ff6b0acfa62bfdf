# Death, stops, departures, aborts and mismatches, with real processes. One program, a test a suite.

get_property(variants GLOBAL PROPERTY PS_VARIANTS)
set(fault_suites Kill Leaving Joining Abort Mismatch Wake Beside Layout Memory Making Buffers Warm Domains NoMemory)

foreach(entry IN LISTS variants)
  ps_read_variant("${entry}" faults)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/faults_*.cc)
  set(target faults${suffix})
  add_executable(${target} ${sources})
  target_compile_options(${target} PRIVATE -Wall -Wextra ${flags} ${PS_TEST_OPTIONS})
  target_link_options(${target} PRIVATE ${flags})
  ps_precompile(${target} "${variant}" <gtest/gtest.h>)
  target_link_libraries(${target} PRIVATE parallelstate${suffix} GTest::gtest Threads::Threads)
  foreach(suite IN LISTS fault_suites)
    # A sanitizer has its own allocator.
    if(suite STREQUAL NoMemory AND variant)
      continue()
    endif()
    # The undefined-behaviour sanitizer asks by a pipe whether an object can be read, and here there is no descriptor left.
    if(suite STREQUAL Making AND variant STREQUAL asan)
      continue()
    endif()
    # Threads meet in these as in the others.
    if(suite MATCHES "^(Layout|Domains)$" AND variant STREQUAL tsan)
      continue()
    endif()
    string(TOLOWER ${suite} name)
    add_test(NAME faults.${name}${suffix} COMMAND ${target} "--gtest_filter=${suite}.*:*/${suite}*.*")
    set_tests_properties(faults.${name}${suffix} PROPERTIES LABELS ${label} TIMEOUT 600)
  endforeach()
endforeach()
