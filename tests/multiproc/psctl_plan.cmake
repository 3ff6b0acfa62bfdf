# Layouts through `psctl plan`: the golden ones, what it prints for eyes, pictures, and what it refuses.

find_program(PS_PYTHON python3 PATHS /usr/bin /usr/local/bin NO_DEFAULT_PATH)
if(NOT PS_PYTHON)
  find_program(PS_PYTHON python3)
endif()
if(PS_PYTHON)
  add_test(NAME psctl.plan COMMAND ${PS_PYTHON} ${PROJECT_SOURCE_DIR}/tests/multiproc/psctl_plan_test.py
           $<TARGET_FILE:psctl> ${PROJECT_SOURCE_DIR}/tests/golden/layouts.json ${PROJECT_SOURCE_DIR}/docs/layouts.md)
  set_tests_properties(psctl.plan PROPERTIES LABELS psctl TIMEOUT 180)
endif()
