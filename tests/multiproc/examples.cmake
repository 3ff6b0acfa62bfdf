# The programs in examples/ build without a warning and run in a world of four.

set(examples ${PROJECT_SOURCE_DIR}/examples)
set(run ${CMAKE_BINARY_DIR}/bin/psctl run -n 4 --)
foreach(source hello.c raii.cc)
  cmake_path(GET source STEM name)
  add_executable(example_${name} ${examples}/${source})
  target_compile_options(example_${name} PRIVATE -Wall -Wextra)
  target_link_libraries(example_${name} PRIVATE parallelstate)
  add_test(NAME examples.${name} COMMAND ${run} $<TARGET_FILE:example_${name}>)
  list(APPEND tests_of_examples examples.${name})
endforeach()
set_tests_properties(examples.hello PROPERTIES PASS_REGULAR_EXPRESSION "\\[3\\] 4 ranks\n")
set_tests_properties(examples.raii PROPERTIES PASS_REGULAR_EXPRESSION "\\[3\\] averages: 1 to 1000\n")
find_program(PS_PYTHON python3 PATHS /usr/bin /usr/local/bin NO_DEFAULT_PATH)
if(PS_PYTHON)
  add_test(NAME examples.hello_python COMMAND ${run} ${PS_PYTHON} ${examples}/hello.py)
  set_tests_properties(examples.hello_python PROPERTIES
    PASS_REGULAR_EXPRESSION "\\[3\\] rank 3 of 4: the sum is 6, of \\[0.0, 1.0, 2.0, 3.0\\]\n"
    ENVIRONMENT "PYTHONPATH=${PROJECT_SOURCE_DIR}/bindings/python;PYTHONDONTWRITEBYTECODE=1")
  set_property(TEST examples.hello_python APPEND PROPERTY
    ENVIRONMENT PS_LIBRARY=${CMAKE_BINARY_DIR}/lib/libparallelstate.so)
  list(APPEND tests_of_examples examples.hello_python)
endif()
set_tests_properties(${tests_of_examples} PROPERTIES LABELS examples TIMEOUT 120
  FAIL_REGULAR_EXPRESSION "exited with code [1-9];was ended by")
