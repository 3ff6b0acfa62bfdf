/* Version, names, the last error, and lists of bytes. */
#include <string.h>

#include "smoke.h"

static void results_have_names(void) {
  CHECK(psVersion() == PS_VERSION);
  CHECK(strcmp(psResultName(PS_OK), "PS_OK") == 0);
  CHECK(strcmp(psResultName(PS_IN_PROGRESS), "PS_IN_PROGRESS") == 0);
  for (psResult result = PS_ERR_DENIED; result <= PS_ERR_ARGUMENT; ++result) {
    CHECK(strncmp(psResultName(result), "PS_ERR_", 7) == 0);
  }
  CHECK(strcmp(psResultName(PS_ERR_TIMEOUT), "PS_ERR_TIMEOUT") == 0);
  CHECK(strcmp(psResultName(12345), "unknown result") == 0);
  CHECK(strcmp(psResultName(-12345), "unknown result") == 0);
}

void smoke_library(void) {
  CHECK(strcmp(psLastError(), "") == 0);
  results_have_names();

  psBytes json = NULL;
  EXPECT(psGetLibraryInfo(NULL), PS_ERR_ARGUMENT);
  EXPECT(psGetLibraryInfo(&json), PS_OK);
  CHECK(psLastError()[0] != '\0'); /* success does not clear the text of the failure before it */

  size_t count = 77;
  EXPECT(psBytesCount(json, &count), PS_OK);
  CHECK(count == 1);
  EXPECT(psBytesCount(NULL, &count), PS_ERR_ARGUMENT);
  EXPECT(psBytesCount(json, NULL), PS_ERR_ARGUMENT);

  const void* data = NULL;
  size_t size = 0;
  psContentType type = 0;
  EXPECT(psBytesAt(json, 0, &data, &size, &type), PS_OK);
  CHECK(type == PS_CONTENT_JSON && size > 2);
  const char* text = data;
  CHECK(text[0] == '{' && text[size] == '\0' && strlen(text) == size);
  CHECK(strstr(text, "0.1.0") != NULL);
  EXPECT(psBytesAt(json, 0, NULL, NULL, NULL), PS_OK);
  EXPECT(psBytesAt(NULL, 0, &data, &size, &type), PS_ERR_ARGUMENT);

  const void* untouched = &untouched;
  EXPECT(psBytesAt(json, 1, &untouched, NULL, NULL), PS_ERR_ARGUMENT);
  CHECK(untouched == &untouched);

  EXPECT(psBytesFree(json), PS_OK);
  EXPECT(psBytesFree(json), PS_ERR_ARGUMENT);
  EXPECT(psBytesCount(json, &count), PS_ERR_ARGUMENT);
  EXPECT(psBytesAt(json, 0, &data, &size, &type), PS_ERR_ARGUMENT);
  EXPECT(psBytesFree(NULL), PS_OK);
}
