/* The store: the world's, and one that this process serves. */
#include <string.h>

#include "smoke.h"

static int holds(psBytes bytes, const char* expected) {
  const void* data = NULL;
  size_t size = 0;
  EXPECT(psBytesAt(bytes, 0, &data, &size, NULL), PS_OK);
  return size == strlen(expected) && memcmp(data, expected, size) == 0;
}

static void values_are_kept(psStore store) {
  psBytes value = NULL;
  EXPECT(psStoreSet(store, "colour", "green", 5, -1), PS_OK);
  EXPECT(psStoreGet(store, "colour", -1, &value), PS_OK);
  CHECK(holds(value, "green"));
  EXPECT(psBytesFree(value), PS_OK);
  EXPECT(psStoreSet(store, "empty", NULL, 0, 0), PS_OK);
  EXPECT(psStoreGet(store, "empty", 0, &value), PS_OK);
  CHECK(holds(value, ""));
  EXPECT(psBytesFree(value), PS_OK);

  value = NULL;
  EXPECT(psStoreGet(store, "never set", 0, &value), PS_ERR_TIMEOUT);
  EXPECT(psStoreGet(store, "never set", 20, &value), PS_ERR_TIMEOUT);
  CHECK(value == NULL && strstr(psLastError(), "never set") != NULL);

  EXPECT(psStoreSet(NULL, "k", "v", 1, 0), PS_ERR_ARGUMENT);
  EXPECT(psStoreSet(store, NULL, "v", 1, 0), PS_ERR_ARGUMENT);
  EXPECT(psStoreSet(store, "", "v", 1, 0), PS_ERR_ARGUMENT);
  EXPECT(psStoreSet(store, "k", NULL, 1, 0), PS_ERR_ARGUMENT);
  EXPECT(psStoreSet(store, "k", "v", 1, -2), PS_ERR_ARGUMENT);
  EXPECT(psStoreSet(store, "\x01library's own", "v", 1, 0), PS_ERR_ARGUMENT);
  EXPECT(psStoreGet(NULL, "k", 0, &value), PS_ERR_ARGUMENT);
  EXPECT(psStoreGet(store, NULL, 0, &value), PS_ERR_ARGUMENT);
  EXPECT(psStoreGet(store, "k", 0, NULL), PS_ERR_ARGUMENT);
  EXPECT(psStoreGet(store, "k", -2, &value), PS_ERR_ARGUMENT);

  char long_key[1100];
  memset(long_key, 'k', sizeof(long_key));
  long_key[1025] = '\0';
  EXPECT(psStoreSet(store, long_key, "v", 1, 0), PS_ERR_ARGUMENT);
  long_key[1024] = '\0';
  EXPECT(psStoreSet(store, long_key, "v", 1, 0), PS_OK);
}

static void numbers_are_added(psStore store) {
  int64_t sum = 0;
  EXPECT(psStoreAdd(store, "hits", 40, &sum), PS_OK);
  CHECK(sum == 40);
  EXPECT(psStoreAdd(store, "hits", 2, NULL), PS_OK);
  EXPECT(psStoreAdd(store, "hits", -100, &sum), PS_OK);
  CHECK(sum == -58);
  psBytes text = NULL;
  EXPECT(psStoreGet(store, "hits", 0, &text), PS_OK);
  CHECK(holds(text, "-58"));
  EXPECT(psBytesFree(text), PS_OK);

  EXPECT(psStoreAdd(store, "colour", 1, &sum), PS_ERR_ARGUMENT);
  EXPECT(psStoreAdd(store, "limit", INT64_MAX, NULL), PS_OK);
  EXPECT(psStoreAdd(store, "limit", 1, &sum), PS_ERR_ARGUMENT);
  CHECK(sum == -58);
  EXPECT(psStoreAdd(NULL, "hits", 1, &sum), PS_ERR_ARGUMENT);
  EXPECT(psStoreAdd(store, NULL, 1, &sum), PS_ERR_ARGUMENT);
}

static void values_are_swapped_and_deleted(psStore store) {
  int32_t done = 7;
  EXPECT(psStoreCompareAndSet(store, "lock", NULL, 0, "me", 2, 0, &done), PS_OK);
  CHECK(done == 1);
  EXPECT(psStoreCompareAndSet(store, "lock", NULL, 0, "you", 3, 0, &done), PS_OK);
  CHECK(done == 0);
  EXPECT(psStoreCompareAndSet(store, "lock", "me", 2, "you", 3, 0, NULL), PS_OK);
  EXPECT(psStoreCompareAndSet(store, "lock", "me", 2, "them", 4, 0, &done), PS_OK);
  CHECK(done == 0);
  EXPECT(psStoreCompareAndSet(NULL, "lock", NULL, 0, "x", 1, 0, &done), PS_ERR_ARGUMENT);
  EXPECT(psStoreCompareAndSet(store, NULL, NULL, 0, "x", 1, 0, &done), PS_ERR_ARGUMENT);
  EXPECT(psStoreCompareAndSet(store, "lock", NULL, 0, NULL, 1, 0, &done), PS_ERR_ARGUMENT);

  EXPECT(psStoreDelete(store, "lock", &done), PS_OK);
  CHECK(done == 1);
  EXPECT(psStoreDelete(store, "lock", &done), PS_OK);
  CHECK(done == 0);
  EXPECT(psStoreDelete(store, "lock", NULL), PS_OK);
  EXPECT(psStoreDelete(NULL, "lock", &done), PS_ERR_ARGUMENT);
  EXPECT(psStoreDelete(store, NULL, &done), PS_ERR_ARGUMENT);
}

static void a_freed_store_answers(psStore store) {
  psBytes value = NULL;
  const char* url = NULL;
  EXPECT(psStoreFree(store), PS_ERR_ARGUMENT);
  EXPECT(psStoreSet(store, "k", "v", 1, 0), PS_ERR_ARGUMENT);
  EXPECT(psStoreGet(store, "k", 0, &value), PS_ERR_ARGUMENT);
  EXPECT(psStoreAdd(store, "k", 1, NULL), PS_ERR_ARGUMENT);
  EXPECT(psStoreCompareAndSet(store, "k", NULL, 0, "v", 1, 0, NULL), PS_ERR_ARGUMENT);
  EXPECT(psStoreDelete(store, "k", NULL), PS_ERR_ARGUMENT);
  EXPECT(psStoreAddress(store, &url), PS_ERR_ARGUMENT);
}

void smoke_store(psContext context) {
  psStore store = NULL;
  psStore again = NULL;
  EXPECT(psGetStore(context, &store), PS_OK);
  EXPECT(psGetStore(context, &again), PS_OK);
  EXPECT(psGetStore(NULL, &store), PS_ERR_ARGUMENT);
  EXPECT(psGetStore(context, NULL), PS_ERR_ARGUMENT);

  values_are_kept(store);
  numbers_are_added(store);
  values_are_swapped_and_deleted(store);

  const char* url = NULL;
  EXPECT(psStoreAddress(store, &url), PS_OK);
  CHECK(url != NULL);
  EXPECT(psStoreAddress(store, NULL), PS_ERR_ARGUMENT);
  EXPECT(psStoreAddress(NULL, &url), PS_ERR_ARGUMENT);

  EXPECT(psStoreFree(NULL), PS_OK);
  EXPECT(psStoreFree(again), PS_OK);
  EXPECT(psStoreSet(store, "still", "here", 4, 0), PS_OK);
  EXPECT(psStoreFree(store), PS_OK);
}

void smoke_store_served(void) {
  psStoreOptions options = PS_STORE_OPTIONS_INIT;
  options.flags = PS_SERVE;
  options.secret = "between us";
  options.timeout_ms = 10000;
  options.max_value_bytes = 1024;
  psStore host = NULL;
  EXPECT(psStoreOpen("tcp://127.0.0.1:0", &options, NULL), PS_ERR_ARGUMENT);
  EXPECT(psStoreOpen(NULL, &options, &host), PS_ERR_ARGUMENT);
  EXPECT(psStoreOpen("nonsense", &options, &host), PS_ERR_ARGUMENT);
  options.flags = PS_SERVE | PS_DETERMINISTIC;
  EXPECT(psStoreOpen("tcp://127.0.0.1:0", &options, &host), PS_ERR_ARGUMENT);
  options.flags = PS_SERVE;
  options.struct_size = 4;
  EXPECT(psStoreOpen("tcp://127.0.0.1:0", &options, &host), PS_ERR_ARGUMENT);
  options.struct_size = (uint32_t)sizeof(options);
  CHECK(host == NULL);

  EXPECT(psStoreOpen("tcp://127.0.0.1:0", &options, &host), PS_OK);
  const char* url = NULL;
  EXPECT(psStoreAddress(host, &url), PS_OK);
  CHECK(strncmp(url, "tcp://127.0.0.1:", 16) == 0 && strcmp(url + 16, "0") != 0);

  psStore client = NULL;
  options.flags = 0;
  EXPECT(psStoreOpen(url, &options, &client), PS_OK);
  values_are_kept(client);
  numbers_are_added(client);
  values_are_swapped_and_deleted(client);
  char large[2048] = {0};
  EXPECT(psStoreSet(client, "large", large, sizeof(large), 0), PS_ERR_ARGUMENT);

  options.secret = "a guess";
  psStore stranger = NULL;
  EXPECT(psStoreOpen(url, &options, &stranger), PS_ERR_DENIED);
  CHECK(stranger == NULL);

  EXPECT(psStoreFree(client), PS_OK);
  EXPECT(psStoreFree(host), PS_OK);
  a_freed_store_answers(host);
}
