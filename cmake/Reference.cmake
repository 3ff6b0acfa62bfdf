# `reference`: the API reference in build/docs, by Doxygen from the public header.
find_program(PS_DOXYGEN doxygen)
find_program(PS_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(PS_DOXYGEN AND PS_PYTHON)
  configure_file(${CMAKE_SOURCE_DIR}/docs/Doxyfile.in ${CMAKE_BINARY_DIR}/docs/Doxyfile @ONLY)
  add_custom_target(reference COMMAND ${PS_DOXYGEN} ${CMAKE_BINARY_DIR}/docs/Doxyfile
    COMMENT "API reference: ${CMAKE_BINARY_DIR}/docs/reference/index.html" VERBATIM)
endif()
