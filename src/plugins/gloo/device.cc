#include "device.h"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <map>
#include <mutex>

namespace ps::gloo_transport {

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
  is_polled_.store(false);
  if (gives_way_.load()) set_policy();
}

void EventLoop::give_way() {
  if (is_polled_.load() != gives_way_.load()) set_policy();
}

// A batch thread that is woken waits for the end of a slice where a normal one would interrupt who runs there.
void EventLoop::set_policy() {
  const std::lock_guard lock(policy_mutex_);
  if (!is_thread_known_) {
    is_thread_known_ = true;
    // Where the program has chosen, it stays so.
    if (::sched_getscheduler(0) == SCHED_OTHER) thread_ = static_cast<pid_t>(::syscall(SYS_gettid));
  }
  const bool gives_way = is_polled_.load();
  const sched_param none{};
  if (thread_ != 0) ::sched_setscheduler(thread_, gives_way ? SCHED_BATCH : SCHED_OTHER, &none);
  gives_way_.store(gives_way);
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
