# Every kind of rendezvous, end to end.
find_program(PS_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
add_test(NAME multiproc.rendezvous COMMAND ${PS_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/rendezvous_test.py)
set_tests_properties(multiproc.rendezvous PROPERTIES LABELS faults TIMEOUT 300
  ENVIRONMENT "PS_LIBRARY=${CMAKE_BINARY_DIR}/lib/libparallelstate.so;PYTHONDONTWRITEBYTECODE=1")
