// Gloo's event loop turns 100 times a second for those who take a descriptor from it and wait for its next turn. That is
// much for a rank that idles and slow for one that connects. So the loop's thread gets a timer with slack, which the
// system lets expire together with others, and whoever waits for turns has them at once.
#pragma once

#include <gloo/transport/tcp/device.h>

#include <atomic>
#include <cstdint>

namespace ps::gloo_transport {

class Ticker final : public gloo::transport::tcp::Handler {
 public:
  Ticker();
  ~Ticker() override;

  // On the thread that makes the device: its loop's thread inherits the slack.
  class Slack {
   public:
    Slack();
    ~Slack();
    Slack(const Slack&) = delete;
    Slack& operator=(const Slack&) = delete;

   private:
    int before_;
  };

  // While one lives the loop turns all the time.
  class Turning {
   public:
    explicit Turning(Ticker& ticker) : ticker_(ticker) { ticker_.begin(); }
    ~Turning() { ticker_.waiting_.fetch_sub(1); }
    Turning(const Turning&) = delete;
    Turning& operator=(const Turning&) = delete;

   private:
    Ticker& ticker_;
  };

  // Returns when nothing is handled any more that the loop had in hand before. Not on its own thread.
  void pass_a_turn();

  // Readable while the loop shall turn; the ticker handles it there.
  int descriptor() const { return descriptor_; }
  void handleEvents(int events) override;
  // Of the loop's thread: long enough for another thread to take its CPU.
  static void nap();

 private:
  void begin();
  void ring() const;

  std::atomic<int> waiting_{0};
  std::atomic<uint64_t> turns_{0};
  int descriptor_;
};

}  // namespace ps::gloo_transport
