# `cpack -G DEB` in the build folder makes the Debian packages: libparallelstate0 (what programs need to run),
# libparallelstate-dev (what they need to be built) and psctl. What goes where is in cmake/debian/CMakeLists.txt.
add_subdirectory(cmake/debian EXCLUDE_FROM_ALL)

set(CPACK_PACKAGE_NAME parallelstate)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "ParallelState maintainers <maintainers@parallelstate.example>")
set(CPACK_PACKAGE_VENDOR "ParallelState")
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_GENERATOR DEB)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)

set(CPACK_COMPONENTS_ALL library development tools)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_INSTALL_CMAKE_PROJECTS "${CMAKE_BINARY_DIR}/cmake/debian;ParallelState;ALL;/")

# The names and the versions of the dependencies on each other follow the project; all others are what
# dpkg-shlibdeps finds in the binaries.
set(soname_package libparallelstate${PROJECT_VERSION_MAJOR})
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_BINARY_DIR}/lib)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)

set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each package has its own
set(about "A world of ranks, named parallel groups cut out of it, and collectives and
messages through them, behind a plain C interface. A dead peer, a mismatched
call or a missing rank is an error that names who and what, not a hang.
")

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME ${soname_package})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/cmake/debian/triggers)
set(CPACK_DEBIAN_LIBRARY_DESCRIPTION "groups of ranks and communication between them: library
${about}
This package holds the shared library.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libparallelstate-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${soname_package} (= ${PROJECT_VERSION}), libc6-dev")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "groups of ranks and communication between them: development files
${about}
This package holds the header and what pkg-config and CMake need.")

set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME psctl)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_TOOLS_PACKAGE_DEPENDS "${soname_package} (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_TOOLS_DESCRIPTION "groups of ranks and communication between them: command
${about}
This package holds psctl, which starts worlds and tells what the library finds
on the machine.")

include(CPack)
