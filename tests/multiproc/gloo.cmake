# The same worlds with their data over Gloo's connections, on one host: a part of the sweep that has every operation, type,
# size class and alias in some pair, and of the faults what costs little. What is left out differs on purpose: data of a
# process that ended before its peer had anything to do with it is gone with it, and a failure needs its time to arrive.

if(NOT PS_GLOO)
  return()
endif()
get_property(variants GLOBAL PROPERTY PS_VARIANTS)

# ps_add_gloo_test(name TIMEOUT seconds PROGRAM target FILTER gtest-filter [ENVIRONMENT NAME=value] [ASAN])
# ASAN: with AddressSanitizer too. Gloo itself is not instrumented, so ThreadSanitizer sees races where it only does not
# see the locks.
function(ps_add_gloo_test name)
  cmake_parse_arguments(test "ASAN" "TIMEOUT;PROGRAM;FILTER;ENVIRONMENT" "" ${ARGN})
  foreach(entry IN LISTS variants)
    ps_read_variant("${entry}" gloo)
    if(variant AND NOT (test_ASAN AND variant STREQUAL asan))
      continue()
    endif()
    add_test(NAME gloo.${name}${suffix} COMMAND ${test_PROGRAM}${suffix} --gtest_filter=${test_FILTER})
    set_tests_properties(gloo.${name}${suffix} PROPERTIES LABELS ${label} TIMEOUT ${test_TIMEOUT}
      ENVIRONMENT "PS_TEST_BACKEND=gloo;PS_KILLS=20;PS_ROUNDS=150;${test_ENVIRONMENT}")
  endforeach()
endfunction()

ps_add_gloo_test(messages TIMEOUT 120 PROGRAM multiproc_messages FILTER "*" ASAN)
ps_add_gloo_test(groups TIMEOUT 120 PROGRAM multiproc_groups FILTER "*-*VeryMany*")
# What members do not reach may be any memory.
ps_add_gloo_test(memory TIMEOUT 120 PROGRAM multiproc_memory FILTER "*-*OfTheHeap*:*HasNotAllMembers")
ps_add_gloo_test(concurrency TIMEOUT 120 PROGRAM multiproc_concurrency FILTER "*-*FourWorldsAtOnce*")
ps_add_gloo_test(idle TIMEOUT 180 PROGRAM multiproc_idle FILTER "*")
ps_add_gloo_test(refusals TIMEOUT 120 PROGRAM multiproc_refusals FILTER "*")
ps_add_gloo_test(mismatch TIMEOUT 120 PROGRAM faults FILTER "Mismatch.*-*WhereBuffersAreLent" ASAN)
ps_add_gloo_test(abort TIMEOUT 120 PROGRAM faults FILTER "Abort.*" ASAN)
ps_add_gloo_test(leaving TIMEOUT 120 PROGRAM faults FILTER "Leaving.*-*FromAProcessThatHasEnded:*NeverArrived")
ps_add_gloo_test(dispatch TIMEOUT 120 PROGRAM multiproc_dispatch FILTER "*OverTheNetwork*")
ps_add_gloo_test(sweep TIMEOUT 1800 PROGRAM multiproc_sweep
  FILTER "*SmallOverProcesses/?:*LargeOverProcesses/1:*LargeOverProcesses/2:*LargeOverProcesses/6:*SmallOverThreads/2:Crowd*" ASAN)
# Large calls in many pieces.
ps_add_gloo_test(sweep_in_pieces TIMEOUT 1800 PROGRAM multiproc_sweep FILTER "*LargeOverProcesses/1:*LargeOverProcesses/2"
  ENVIRONMENT PS_HOST_BUFFER_BYTES=131072)
ps_add_gloo_test(buffers TIMEOUT 120 PROGRAM faults FILTER "Buffers.*-*BeforeAPeerHasDoneItsShare" ASAN)
ps_add_gloo_test(warm TIMEOUT 120 PROGRAM faults FILTER "Warm.*")
ps_add_gloo_test(kill TIMEOUT 120 PROGRAM faults FILTER "Kill.*-*With*Child" ASAN)
ps_add_gloo_test(faults_hosts TIMEOUT 120 PROGRAM faults FILTER "Hosts.*")
ps_add_gloo_test(beside TIMEOUT 120 PROGRAM faults FILTER "Beside.*")
ps_add_gloo_test(strangers TIMEOUT 120 PROGRAM faults FILTER "Strangers.*")
ps_add_gloo_test(making TIMEOUT 120 PROGRAM faults FILTER "MakingOverGloo.*")
