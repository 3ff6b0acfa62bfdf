# psctl from outside: what it starts, what it prints, and that it leaves nothing behind.

find_program(PS_PYTHON python3 PATHS /usr/bin /usr/local/bin NO_DEFAULT_PATH)
if(NOT PS_PYTHON)
  find_program(PS_PYTHON python3)
endif()
if(PS_PYTHON)
  add_test(NAME psctl.run COMMAND ${PS_PYTHON} ${PROJECT_SOURCE_DIR}/tests/multiproc/psctl_run_test.py
           $<TARGET_FILE:psctl>)
  set_tests_properties(psctl.run PROPERTIES LABELS psctl TIMEOUT 180)
endif()

add_test(NAME psctl.demo COMMAND psctl demo --python-path ${PROJECT_SOURCE_DIR}/bindings/python)
add_test(NAME psctl.demo_without_kill COMMAND psctl demo --no-kill --python /nonexistent --rust /nonexistent
         --go /nonexistent)
add_test(NAME psctl.info COMMAND psctl info)
add_test(NAME psctl.info_json COMMAND psctl info --format json)
add_test(NAME psctl.info_dispatch COMMAND psctl info --dispatch)
add_test(NAME psctl.info_dispatch_json COMMAND psctl info --dispatch --format json)
set_tests_properties(psctl.info_dispatch psctl.info_dispatch_json PROPERTIES
  ENVIRONMENT "PS_DISPATCH=all_reduce:shm:<=8ranks,<=1M=two-shot")
add_test(NAME psctl.info_dispatch_refused COMMAND psctl info --dispatch)
set_tests_properties(psctl.info_dispatch_refused PROPERTIES ENVIRONMENT "PS_DISPATCH=all_redoce=two-shot")
# One rank in each language whose tools are here.
set(rust "C\\+\\+")
set(go "C\\+\\+")
if(TARGET rust_demo)
  set(rust Rust)
endif()
if(TARGET go_demo)
  set(go Go)
endif()
# Its Python rank runs in the source tree, which other tests copy meanwhile.
set_tests_properties(psctl.demo PROPERTIES ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
set_tests_properties(psctl.demo PROPERTIES PASS_REGULAR_EXPRESSION
  " 0  C\\+\\+ .* 1  Python .* 2  ${rust} .* 3  ${go} .*All as expected: rank 2 is dead")
set_tests_properties(psctl.demo_without_kill PROPERTIES PASS_REGULAR_EXPRESSION
  "Python cannot.*Rust cannot.*Go cannot.*All as expected")
set_tests_properties(psctl.info PROPERTIES PASS_REGULAR_EXPRESSION "version +[0-9]+\\.[0-9]+\\.[0-9]+.*backends\n.*shm +yes")
set_tests_properties(psctl.info_json PROPERTIES PASS_REGULAR_EXPRESSION "\"backends\": \\[")
set_tests_properties(psctl.info_dispatch PROPERTIES PASS_REGULAR_EXPRESSION
  "all_reduce +shm +<=8ranks +<=1M +two-shot +PS_DISPATCH\n.*pipeline +library\n")
set_tests_properties(psctl.info_dispatch_json PROPERTIES PASS_REGULAR_EXPRESSION "^\\[\n.*\"max_bytes\": 1048576,")
set_tests_properties(psctl.info_dispatch_refused PROPERTIES PASS_REGULAR_EXPRESSION
  "at character 1, \"all_redoce\" is no operation; known are all_reduce, ")
set_tests_properties(psctl.info_dispatch psctl.info_dispatch_json psctl.info_dispatch_refused PROPERTIES
  LABELS psctl TIMEOUT 60)
set_tests_properties(psctl.demo psctl.demo_without_kill psctl.info psctl.info_json PROPERTIES LABELS psctl TIMEOUT 150)
