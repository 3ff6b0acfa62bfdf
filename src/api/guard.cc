#include "api/guard.h"

#include <cstdio>
#include <mutex>

#include "base/fork.h"

namespace ps::api {
namespace {

// Fixed room: keeping an error must not need memory. Long enough for a hang report over some dozens of ranks.
thread_local char text_of_last_error[8192];

std::atomic<int> living_contexts{0};

}  // namespace

std::atomic<bool> forked{false};

psResult fail_with(const char* function, psResult code, const char* text) {
  std::snprintf(text_of_last_error, sizeof text_of_last_error, "%s: %s", function, text);
  return code;
}

const char* last_error() { return text_of_last_error; }

void context_opened() {
  static std::once_flag once;
  std::call_once(once, [] {
    pthread_atfork(nullptr, nullptr, [] {
      if (living_contexts.load() == 0) return;
      forked.store(true);
      ps::drop_kept_sockets();
    });
  });
  living_contexts.fetch_add(1);
}

void context_closed() { living_contexts.fetch_sub(1); }

}  // namespace ps::api
