/* One rank that a test talks to: a line on stdin is a command, a line on stdout its answer.
 *
 *   state RANK         "state RANK NAME SILENT_MS"
 *   await RANK NAME    the same, once the rank's state is NAME
 *   group A,B,...      makes a group and keeps it as the current one: "group PS_OK", or the error and its text
 *   failure            of the current group, once it has failed: "failure PS_ERR_...: text"
 *   whole              of the current group, which must not have failed: "whole"
 *   reduce             a sum over the current group: "reduce PS_OK", or the error and its text
 *   sums COUNT         sums of COUNT float32 each over the current group, one after the other until one fails:
 *                      "summing" after the first, then "sums ROUNDS", and the error and its text, or "sums ROUNDS wrong"
 *                      as soon as one that succeeded is not right in every element
 *   get KEY            "get PS_OK", or the error and its text
 *   threads            the names of this process's threads
 *   fork               a child that holds all descriptors and sleeps: "fork PID"
 *   finalize           psFinalize, and the end
 *
 * Arguments: none. The end of stdin is the end without psFinalize. */
#include <dirent.h>
#include <parallelstate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { kMostMembers = 64 };

static void say_result(const char* what, psResult result) {
  printf("%s %s%s%s\n", what, psResultName(result), result < 0 ? ": " : "", result < 0 ? psLastError() : "");
}

static const char* state_name(psRankState state) {
  switch (state) {
    case PS_RANK_ALIVE: return "alive";
    case PS_RANK_SILENT: return "silent";
    case PS_RANK_LEFT: return "left";
    case PS_RANK_DEAD: return "dead";
    default: return "?";
  }
}

static void pause_a_little(void) {
  const struct timespec time = {0, 2 * 1000 * 1000};
  nanosleep(&time, NULL);
}

static void tell_state(psContext context, int32_t rank, const char* awaited) {
  psRankInfo info = PS_RANK_INFO_INIT;
  while (psGetRankInfo(context, rank, &info) == PS_OK && awaited != NULL && strcmp(state_name(info.state), awaited) != 0) {
    pause_a_little();
  }
  printf("state %d %s %lld\n", rank, state_name(info.state), (long long)info.silent_ms);
}

static psResult make_group(psContext context, char* list, psGroup* group) {
  int32_t members[kMostMembers];
  size_t count = 0;
  for (char* word = strtok(list, ","); word != NULL && count < kMostMembers; word = strtok(NULL, ",")) {
    members[count++] = atoi(word);
  }
  psGroupFree(*group);
  *group = NULL;
  return psNewGroup(context, members, count, NULL, group);
}

static void tell_failure(psGroup group, int is_awaited) {
  psGroupInfo info = PS_GROUP_INFO_INIT;
  while (psGetGroupInfo(group, &info) == PS_OK && info.failure == PS_OK && is_awaited) pause_a_little();
  if (info.failure == PS_OK) {
    printf("whole\n");
  } else {
    printf("failure %s: %s\n", psResultName(info.failure), info.failure_text);
  }
}

static float input_of(int32_t rank, int32_t round, size_t i) {
  return (float)((rank + 1) * (round % 5 + 1)) + (float)(i % 7);
}

static void sum_on(psGroup group, size_t count) {
  psGroupInfo info = PS_GROUP_INFO_INIT;
  psGetGroupInfo(group, &info);
  float* const in = malloc(count * sizeof *in);
  float* const out = malloc(count * sizeof *out);
  for (int32_t round = 0;; ++round) {
    for (size_t i = 0; i < count; ++i) in[i] = input_of(info.rank, round, i);
    const psResult result = psAllReduce(group, in, out, count, PS_FLOAT32, PS_SUM, NULL, NULL);
    if (result != PS_OK) {
      char label[32];
      snprintf(label, sizeof label, "sums %d", round);
      say_result(label, result);
      break;
    }
    size_t right = 0;
    for (size_t i = 0; i < count; ++i) {
      float sum = 0;
      for (int32_t rank = 0; rank < info.size; ++rank) sum += input_of(rank, round, i);
      right += out[i] == sum;
    }
    if (right < count) {
      printf("sums %d wrong\n", round);
      break;
    }
    if (round == 0) {
      printf("summing\n");
      fflush(stdout);
    }
  }
  free(out);
  free(in);
}

static void tell_threads(void) {
  DIR* folder = opendir("/proc/self/task");
  printf("threads");
  for (const struct dirent* entry; (entry = readdir(folder)) != NULL;) {
    char path[300], name[64] = "";
    snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
    FILE* file = fopen(path, "r");
    if (file == NULL) continue;
    if (fscanf(file, "%63s", name) == 1) printf(" %s", name);
    fclose(file);
  }
  closedir(folder);
  printf("\n");
}

static void answer(psContext context, psGroup* group, const char* command, char* rest) {
  if (strcmp(command, "state") == 0) {
    tell_state(context, atoi(rest), NULL);
  } else if (strcmp(command, "await") == 0) {
    const int32_t rank = atoi(strtok(rest, " "));
    tell_state(context, rank, strtok(NULL, " "));
  } else if (strcmp(command, "group") == 0) {
    say_result("group", make_group(context, rest, group));
  } else if (strcmp(command, "failure") == 0 || strcmp(command, "whole") == 0) {
    tell_failure(*group, strcmp(command, "failure") == 0);
  } else if (strcmp(command, "reduce") == 0) {
    int32_t value = 1;
    say_result("reduce", psAllReduce(*group, &value, &value, 1, PS_INT32, PS_SUM, NULL, NULL));
  } else if (strcmp(command, "sums") == 0) {
    sum_on(*group, strtoull(rest, NULL, 10));
  } else if (strcmp(command, "get") == 0) {
    psStore store = NULL;
    psBytes bytes = NULL;
    psResult result = psGetStore(context, &store);
    if (result == PS_OK) result = psStoreGet(store, rest, -1, &bytes);
    say_result("get", result);
    psBytesFree(bytes);
    psStoreFree(store);
  } else if (strcmp(command, "threads") == 0) {
    tell_threads();
  } else if (strcmp(command, "fork") == 0) {
    const pid_t child = fork();
    if (child == 0) {
      for (;;) pause();
    }
    printf("fork %d\n", (int)child);
  } else {
    printf("unknown command %s\n", command);
  }
  fflush(stdout);
}

int main(void) {
  psContext context = NULL;
  psGroup group = NULL;
  const psResult joined = psInit(NULL, &context);
  say_result("joined", joined);
  fflush(stdout);
  if (joined != PS_OK) return 1;
  char line[1024];
  while (fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    char* rest = strchr(line, ' ');
    if (rest != NULL) *rest++ = '\0';
    if (strcmp(line, "finalize") == 0) {
      psGroupFree(group);
      say_result("finalize", psFinalize(context));
      return 0;
    }
    answer(context, &group, line, rest != NULL ? rest : line + strlen(line));
  }
  _exit(0);
}
