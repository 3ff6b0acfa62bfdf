#include "api/guard.h"

#include <pthread.h>

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <span>

#include "base/fork.h"

namespace ps::api {
namespace {

// Long enough for a hang report over some dozens of ranks. Allocated by a thread's first error: in static thread-local
// memory every thread of the program would pay for it. Where there is no memory, a short text is kept all the same.
constexpr size_t kLongText = 8192;
thread_local char* long_text = nullptr;
thread_local char short_text[256];

void free_text(void* text) {
  long_text = nullptr;
  std::free(text);
}

// A key rather than a destructor: to register one needs memory, and ends the process where there is none. Made when the
// library is loaded: in the child of a fork nobody could wait for another thread that makes it.
pthread_key_t at_thread_end;
const bool has_key = ::pthread_key_create(&at_thread_end, free_text) == 0;

std::span<char> room_for_text() {
  if (long_text == nullptr && has_key) {
    char* const text = static_cast<char*>(std::malloc(kLongText));
    if (text != nullptr && ::pthread_setspecific(at_thread_end, text) == 0) {
      long_text = text;
    } else {
      std::free(text);
    }
  }
  return long_text != nullptr ? std::span(long_text, kLongText) : std::span(short_text);
}

std::atomic<int> living_contexts{0};

}  // namespace

std::atomic<bool> forked{false};

psResult fail_with(const char* function, psResult code, const char* text) {
  const std::span<char> room = room_for_text();
  std::snprintf(room.data(), room.size(), "%s: %s", function, text);
  return code;
}

const char* last_error() { return long_text != nullptr ? long_text : short_text; }

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
