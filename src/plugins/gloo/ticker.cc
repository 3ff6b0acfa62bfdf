#include "ticker.h"

#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <thread>

namespace ps::gloo_transport {
namespace {

constexpr unsigned long kSlackNs = 90'000'000;
constexpr auto kNap = std::chrono::microseconds(20);

}  // namespace

Ticker::Slack::Slack() : before_(::prctl(PR_GET_TIMERSLACK)) { ::prctl(PR_SET_TIMERSLACK, kSlackNs); }

Ticker::Slack::~Slack() { ::prctl(PR_SET_TIMERSLACK, static_cast<unsigned long>(before_)); }

Ticker::Ticker() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ < 0) throw std::runtime_error("no descriptor for Gloo's event loop");
}

Ticker::~Ticker() { ::close(descriptor_); }

void Ticker::begin() {
  if (waiting_.fetch_add(1) == 0) ring();
}

void Ticker::ring() const { ::eventfd_write(descriptor_, 1); }

void Ticker::pass_a_turn() {
  const Turning turning(*this);
  // The first may be of the events in hand.
  for (const uint64_t until = turns_.load() + 2; turns_.load() < until;) std::this_thread::sleep_for(kNap);
}

void Ticker::handleEvents(int) {
  turns_.fetch_add(1);
  if (waiting_.load() > 0) return nap();
  eventfd_t rung = 0;
  ::eventfd_read(descriptor_, &rung);
  // Who began in between may have rung before the read.
  if (waiting_.load() > 0) ring();
}

void Ticker::nap() {
  ::prctl(PR_SET_TIMERSLACK, 1UL);
  std::this_thread::sleep_for(kNap);
  ::prctl(PR_SET_TIMERSLACK, kSlackNs);
}

}  // namespace ps::gloo_transport
