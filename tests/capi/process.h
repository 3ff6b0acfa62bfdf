/* What a process holds, as the kernel counts it. */
#ifndef PS_TESTS_CAPI_PROCESS_H
#define PS_TESTS_CAPI_PROCESS_H

#include <dirent.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#include "check.h"

/* The number of entries of a folder, "." and ".." not counted. */
static inline int ps_count_entries(const char* folder) {
  DIR* directory = opendir(folder);
  CHECK(directory != NULL);
  int count = 0;
  while (readdir(directory) != NULL) ++count;
  closedir(directory);
  return count - 2;
}

/* Descriptors, the one that counts them included. */
static inline int ps_count_descriptors(void) { return ps_count_entries("/proc/self/fd"); }

static inline int ps_count_threads(void) { return ps_count_entries("/proc/self/task"); }

/* A joined thread leaves /proc a moment after its join; waits for that, at most 10 s. */
static inline int ps_settled_threads(int expected) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const time_t end = now.tv_sec + 10;
  int count = ps_count_threads();
  while (count > expected && now.tv_sec < end) {
    sched_yield();
    clock_gettime(CLOCK_MONOTONIC, &now);
    count = ps_count_threads();
  }
  return count;
}

/* Mappings in /proc/self/maps. */
static inline int ps_count_mappings(void) {
  FILE* maps = fopen("/proc/self/maps", "re");
  CHECK(maps != NULL);
  int count = 0;
  for (int c = fgetc(maps); c != EOF; c = fgetc(maps)) count += c == '\n';
  fclose(maps);
  return count;
}

#endif
