# What psctl measures, with real ranks.

find_program(PS_PYTHON python3 PATHS /usr/bin /usr/local/bin NO_DEFAULT_PATH)
if(NOT PS_PYTHON)
  find_program(PS_PYTHON python3)
endif()
if(PS_PYTHON)
  add_test(NAME psctl.bench COMMAND ${PS_PYTHON} ${PROJECT_SOURCE_DIR}/tests/multiproc/psctl_bench_test.py
           $<TARGET_FILE:psctl>)
  set_tests_properties(psctl.bench PROPERTIES LABELS psctl TIMEOUT 300)
endif()
