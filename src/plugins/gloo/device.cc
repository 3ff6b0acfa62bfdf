#include "device.h"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <mutex>

namespace ps::gloo_transport {
namespace {

constexpr int64_t kPolledNs = 100'000;

}  // namespace

EventLoop::EventLoop(const std::string& address) {
  // The loop's thread inherits the mask: the program's signal handlers never run on it.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    const Ticker::Slack slack;
    gloo::transport::tcp::attr where;
    where.hostname = address;
    device_ = std::make_shared<gloo::transport::tcp::Device>(gloo::transport::tcp::CreateDeviceAttr(where));
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  device_->registerDescriptor(ticker_.descriptor(), EPOLLIN, &ticker_);
}

EventLoop::~EventLoop() {
  // The loop's thread sees in its next turn that it shall end.
  const Ticker::Turning turning(ticker_);
  device_.reset();
}

void EventLoop::note_rest() {
  polled_ns_.store(0);
  if (gives_way_.load()) set_policy();
}

void EventLoop::give_way() {
  if (is_polled() != gives_way_.load()) set_policy();
}

// Who has come to the end of a call may not say so.
bool EventLoop::is_polled() const {
  return std::chrono::steady_clock::now().time_since_epoch().count() - polled_ns_.load() < kPolledNs;
}

// A batch thread that is woken waits for the end of a slice where a normal one would interrupt who runs there.
void EventLoop::set_policy() {
  const std::lock_guard lock(policy_mutex_);
  // The first to come here is the loop's thread, as it gives way to nobody yet.
  if (thread_ == 0) thread_ = static_cast<pid_t>(::syscall(SYS_gettid));
  bool gives_way;
  do {
    gives_way = is_polled();
    const int policy = ::sched_getscheduler(thread_);
    const sched_param none{};
    // Another one is the program's choice.
    if (policy == SCHED_OTHER || policy == SCHED_BATCH) {
      ::sched_setscheduler(thread_, gives_way ? SCHED_BATCH : SCHED_OTHER, &none);
    }
    gives_way_.store(gives_way);
    // Who has come to rest meanwhile may have seen that it did not give way yet.
  } while (is_polled() != gives_way);
}

std::shared_ptr<EventLoop> event_loop_at(const std::string& address) {
  static std::mutex mutex;
  static auto& loops = *new std::map<std::string, std::weak_ptr<EventLoop>>;
  const std::lock_guard lock(mutex);
  if (auto loop = loops[address].lock()) return loop;
  const auto loop = std::make_shared<EventLoop>(address);
  loops[address] = loop;
  return loop;
}

namespace {

sigset_t broken_pipe() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  return set;
}

}  // namespace

NoBrokenPipe::NoBrokenPipe() {
  const sigset_t set = broken_pipe();
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &set, &before);
  blocked_ = sigismember(&before, SIGPIPE) == 0;
}

NoBrokenPipe::~NoBrokenPipe() {
  if (!blocked_) return;
  const sigset_t set = broken_pipe();
  sigset_t pending;
  sigpending(&pending);
  if (sigismember(&pending, SIGPIPE) != 0) {
    const timespec now{};
    sigtimedwait(&set, nullptr, &now);
  }
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace ps::gloo_transport
