# The Python binding: its mirrors against the header, and its tests alone, with threads and with processes as ranks.
# The interpreter is the system's, which has numpy as a package; numpy's absence skips tests, the interpreter's all.

find_program(PS_PYTHON python3 PATHS /usr/bin /usr/local/bin NO_DEFAULT_PATH)
if(NOT PS_PYTHON)
  find_program(PS_PYTHON python3)
endif()
if(NOT PS_PYTHON)
  message(STATUS "Tests of the Python binding are left out: there is no python3")
  return()
endif()

set(tests ${PROJECT_SOURCE_DIR}/bindings/python/tests)
set(environment PS_LIBRARY=${CMAKE_BINARY_DIR}/lib/libparallelstate.so PYTHONDONTWRITEBYTECODE=1)

add_test(NAME python.layout COMMAND ${PS_PYTHON} ${PROJECT_SOURCE_DIR}/tests/abi/python_layout_test.py)
add_test(NAME python.buffers COMMAND ${PS_PYTHON} ${tests}/test_buffers.py)
add_test(NAME python.library COMMAND ${PS_PYTHON} ${tests}/test_library.py)
add_test(NAME python.lifetime COMMAND ${PS_PYTHON} ${tests}/test_lifetime.py)
add_test(NAME python.threads COMMAND ${PS_PYTHON} ${tests}/test_threads.py)
add_test(NAME python.death COMMAND ${PS_PYTHON} ${tests}/test_death.py)
foreach(ranks 2 4)
  add_test(NAME python.processes_${ranks}
           COMMAND ${CMAKE_BINARY_DIR}/bin/psctl run -n ${ranks} -- ${PS_PYTHON} ${tests}/test_processes.py)
endforeach()
set_tests_properties(python.layout python.buffers python.library python.lifetime python.threads python.death
                     python.processes_2 python.processes_4
                     PROPERTIES LABELS python TIMEOUT 180 ENVIRONMENT "${environment}")
