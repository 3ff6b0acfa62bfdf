/* Results of calls: one that is not as expected is said, with the library's own text, and ends the program. Apart from
 * check.h because it needs the library to be linked. */
#ifndef PS_TESTS_CAPI_EXPECT_H
#define PS_TESTS_CAPI_EXPECT_H

#include "check.h"
#include "parallelstate.h"

/* The call gives this result. */
#define EXPECT(call, expected) ps_expect(__FILE__, __LINE__, #call, (call), (expected))

/* A refusal or failure also leaves a text that says something. */
static inline void ps_expect(const char* file, int line, const char* call, psResult result, psResult expected) {
  if (result != expected) {
    fprintf(stderr, "%s:%d: %s\n  gave %s, not %s; last error: %s\n", file, line, call, psResultName(result),
            psResultName(expected), psLastError());
    abort();
  }
  if (expected < 0 && psLastError()[0] == '\0') {
    fprintf(stderr, "%s:%d: %s\n  gave %s and no text\n", file, line, call, psResultName(result));
    abort();
  }
}

#endif
