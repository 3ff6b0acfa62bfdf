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
add_test(NAME python.direct COMMAND ${PS_PYTHON} ${tests}/test_direct.py)
add_test(NAME python.tensors COMMAND ${PS_PYTHON} ${tests}/test_tensors.py)
add_test(NAME python.library COMMAND ${PS_PYTHON} ${tests}/test_library.py)
add_test(NAME python.lifetime COMMAND ${PS_PYTHON} ${tests}/test_lifetime.py)
add_test(NAME python.threads COMMAND ${PS_PYTHON} ${tests}/test_threads.py)
add_test(NAME python.layouts COMMAND ${PS_PYTHON} ${tests}/test_layouts.py)
add_test(NAME python.layouts_alike COMMAND ${PS_PYTHON} ${tests}/test_layouts_alike.py ${PROJECT_SOURCE_DIR}/include
         ${CMAKE_BINARY_DIR}/lib/libparallelstate.so Rust=${CMAKE_BINARY_DIR}/bin/parallelstate-layouts-rust
         Go=${CMAKE_BINARY_DIR}/bin/parallelstate-layouts-go)
add_test(NAME python.model_parallel COMMAND ${PS_PYTHON} ${tests}/test_model_parallel.py)
add_test(NAME python.memory COMMAND ${PS_PYTHON} ${tests}/test_memory.py)
add_test(NAME python.memory_processes
         COMMAND ${CMAKE_BINARY_DIR}/bin/psctl run -n 3 -- ${PS_PYTHON} ${tests}/test_memory.py)
add_test(NAME python.death COMMAND ${PS_PYTHON} ${tests}/test_death.py)
foreach(ranks 2 4)
  add_test(NAME python.processes_${ranks}
           COMMAND ${CMAKE_BINARY_DIR}/bin/psctl run -n ${ranks} -- ${PS_PYTHON} ${tests}/test_processes.py)
endforeach()
add_test(NAME python.wheel COMMAND ${PS_PYTHON} ${tests}/test_wheel.py
         ${CMAKE_BINARY_DIR}/lib/libparallelstate.so ${CMAKE_BINARY_DIR}/python/wheel)
set_tests_properties(python.layout python.buffers python.direct python.tensors python.library python.lifetime
                     python.threads python.layouts python.layouts_alike python.model_parallel python.memory
                     python.memory_processes python.death
                     python.processes_2 python.processes_4 python.wheel
                     PROPERTIES LABELS python TIMEOUT 180 ENVIRONMENT "${environment}")
# With PS_TEST_FULL it compiles the library.
set_tests_properties(python.wheel PROPERTIES TIMEOUT 900)

find_program(PS_MYPY mypy PATHS /usr/bin NO_DEFAULT_PATH)
if(PS_MYPY)
  add_test(NAME python.types COMMAND ${PS_PYTHON} ${tests}/test_types.py ${PS_MYPY} ${CMAKE_BINARY_DIR}/python/types)
  set_tests_properties(python.types PROPERTIES LABELS python TIMEOUT 180 ENVIRONMENT "${environment}")
else()
  message(STATUS "The types of the Python binding are not checked: there is no /usr/bin/mypy")
endif()
