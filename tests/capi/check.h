/* The first thing that is not as expected is said, and ends the program. */
#ifndef PS_TESTS_CAPI_CHECK_H
#define PS_TESTS_CAPI_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) {                                                         \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);   \
      abort();                                                                  \
    }                                                                           \
  } while (0)

#endif
