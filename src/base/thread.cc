#include "base/thread.h"

#include <pthread.h>
#include <signal.h>

#include <system_error>
#include <utility>

#include "base/error.h"

namespace ps {

std::thread start_thread(const char* name, std::function<void()> body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  // A thread inherits its creator's mask, so there is no moment in which a signal could land on it.
  struct Restore {
    const sigset_t& mask;
    ~Restore() { pthread_sigmask(SIG_SETMASK, &mask, nullptr); }
  } restore{before};
  std::thread thread;
  try {
    thread = std::thread(std::move(body));
  } catch (const std::system_error& error) {
    fail(PS_ERR_NO_MEMORY, "cannot start the thread {}: {}; its stack may not fit (ulimit -v), or there are too many "
         "threads (ulimit -u, pids.max)", name, error.what());
  }
  pthread_setname_np(thread.native_handle(), name);
  return thread;
}

}  // namespace ps
