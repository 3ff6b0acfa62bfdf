// Gloo's TCP connection between two ranks, opened to what a step function needs: connecting without waiting, completion
// without waiting, and a signal when either has happened; and to what any network may do to it: a connection counts when it
// says the pair's word, and what is wrong with one ends it alone. All by the protected interface that Gloo's own TLS
// connection derives from.
#pragma once

#include <gloo/transport/tcp/context.h>
#include <gloo/transport/tcp/pair.h>
#include <gloo/transport/tcp/unbound_buffer.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "callers.h"
#include "device.h"

namespace ps::gloo_transport {

// Says to one waiting thread that something happened. Costs an atomic where nobody waits.
class Signal {
 public:
  void raise();
  // True when it was raised since the last call that said so, or is within the time.
  bool wait(std::chrono::milliseconds most);

 private:
  std::atomic<uint64_t> raised_{0};
  uint64_t seen_ = 0;  // of the waiting thread
  std::atomic<bool> waiting_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
};

class Buffer final : public gloo::transport::tcp::UnboundBuffer {
 public:
  using gloo::transport::tcp::UnboundBuffer::UnboundBuffer;

  // Whether the one operation on it has completed. Throws what its connection ended with.
  bool received();
  bool sent();
  // With the lock of its pair, where it has one.
  void move(void* to);
};

class Pair final : public gloo::transport::tcp::Pair {
 public:
  Pair(gloo::transport::tcp::Context* context, EventLoop& loop, int rank, std::chrono::milliseconds timeout,
       std::shared_ptr<Signal> signal);
  ~Pair() override { close(); }

  // What the peer must say where it is the one that connects.
  const Word& word() const { return callers_.word(); }
  // With the peer's address and word.
  void connect(const std::vector<char>& address, const Word& word);
  // As the base, but in order: what was sent is still delivered.
  void close() override;
  // As the base, but for who connects, and what it throws is the connection's end and not the event loop's. Where another
  // thread holds the connection the base comes back at once, as long as there is something to read: on the CPU of that
  // thread the event loop would keep it from going on until the scheduler's tick.
  void handleEvents(int events) override;

  // As the base, but for announcements of what is sent. They serve those who receive from anybody, and cost a write and a
  // wake-up for each message; what is sent here goes when its receiver has said that it is ready.
  void recv(gloo::transport::UnboundBuffer* buffer, uint64_t slot, size_t offset, size_t bytes) override;

  enum class Stage { kConnecting, kUp, kDown };
  // With the reason where down.
  Stage stage(std::string& why);
  // Takes in what has come, on the thread of who waits for `wanted`: the event loop's would have to be woken, and it again by
  // that. Raises the signal for what else has completed.
  void poll(Buffer& wanted);
  // From now on the memory of a buffer that this pair may be sending or receiving is `to`.
  void move(Buffer& buffer, void* to);
  // What is left that this rank has sent and the peer's system has not confirmed: bytes, and messages that wait behind them.
  size_t unsent();

 protected:
  // The thread that drives connecting looks at the stage instead.
  void waitUntilConnected(std::unique_lock<std::mutex>&, bool) override {}
  void handleReadWrite(int events) override;
  bool read() override;
  bool write(gloo::transport::tcp::Op& op) override;
  void changeState(state next) noexcept override;

 private:
  void handle(int events);
  void answer();
  void say_word() const;

  EventLoop& loop_;
  std::shared_ptr<Signal> signal_;
  Callers callers_;
  Word peer_word_{};
  int completed_ = 0;  // sends and receives in this turn of the loop or of a poll
  bool is_settled_ = false;  // closed, and the loop has nothing of it in hand
};

class Context final : public gloo::transport::tcp::Context {
 public:
  // Of the device the base keeps the whole loop.
  Context(const std::shared_ptr<EventLoop>& loop, int rank, int size, std::shared_ptr<Signal> signal)
      : gloo::transport::tcp::Context({loop, &loop->device()}, rank, size), loop_(*loop), signal_(std::move(signal)) {
    setTimeout(std::chrono::seconds(30));
  }

  std::unique_ptr<gloo::transport::Pair>& createPair(int rank) override;
  EventLoop& loop() { return loop_; }
  // As if the rank had announced what it will send.
  void note_announced(int rank, uint64_t slot) { Mutator(*this, slot, rank).pushRemotePendingSend(); }

 private:
  EventLoop& loop_;
  std::shared_ptr<Signal> signal_;
};

}  // namespace ps::gloo_transport
