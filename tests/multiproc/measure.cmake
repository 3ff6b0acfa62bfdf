# The means of measuring, without any library that is measured.
add_executable(measure_test ${CMAKE_CURRENT_SOURCE_DIR}/multiproc/measure_test.cc)
target_compile_options(measure_test PRIVATE -Wall -Wextra ${PS_TEST_OPTIONS})
target_link_libraries(measure_test PRIVATE ps_measure GTest::gtest GTest::gtest_main)
add_test(NAME measure COMMAND measure_test)
set_tests_properties(measure PROPERTIES LABELS psctl TIMEOUT 120)
