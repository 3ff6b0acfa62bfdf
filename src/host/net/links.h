// What one communicator has to each peer, opened together when this rank first has to do with it: three lanes, so that
// frames of collectives, of messages and notices do not wait for each other, and the streams of large collectives.
#pragma once

#include <functional>
#include <mutex>

#include "host/net/lane.h"
#include "host/net/piece_stream.h"

namespace ps {

class Links {
 public:
  // Bytes, the same on all members.
  struct Sizes {
    size_t begin;    // of a frame that begins a collective, with what it carries of it
    size_t message;  // of a frame of a message
    size_t piece;    // of a large collective
  };
  // `on_use`: called when a link has been opened.
  Links(Transport& transport, int rank, int size, const Sizes& sizes, std::function<void(int)> on_use);

  int rank() const { return rank_; }
  int size() const { return static_cast<int>(links_.size()); }
  const Sizes& sizes() const { return sizes_; }
  Transport& transport() const { return transport_; }

  Lane& collectives(int peer) { return use(peer).collectives; }
  Lane& messages(int peer) { return use(peer).messages; }
  Lane& notices(int peer) { return use(peer).notices; }
  // What a member contributes, to whoever reduces or reads it.
  PieceStream& contributions(int peer, PieceStream::Way way) { return use(peer).contributions[static_cast<size_t>(way)]; }
  // What a member has reduced.
  PieceStream& results(int peer, PieceStream::Way way) { return use(peer).results[static_cast<size_t>(way)]; }
  void begin_streams();
  // No buffer of a call is touched afterwards. For the last one: its group has failed.
  void abandon_streams();

  // The caller's data is to go by the link, or to come by it; else it has only been opened to tell and hear more than that
  // takes.
  void need(int peer) { links_[static_cast<size_t>(peer)]->needed.store(true, std::memory_order_relaxed); }

  // Any thread.
  bool is_needed(int peer) const { return links_[static_cast<size_t>(peer)]->needed.load(std::memory_order_relaxed); }
  bool is_used(int peer) const { return links_[static_cast<size_t>(peer)]->used.load(std::memory_order_acquire); }
  // Whether all that was sent to the peer is on its way.
  bool all_sent(int peer);
  bool data_is_sent(int peer);  // all but notices

 private:
  template <class Visit>
  void visit_streams(Visit&& visit);

  struct Link {
    Link(Transport& transport, int peer, const Sizes& sizes);
    Lane collectives;
    Lane messages;
    Lane notices;
    PieceStream contributions[2];  // by way
    PieceStream results[2];
    std::once_flag once;
    std::atomic<bool> used{false};
    std::atomic<bool> needed{false};
  };
  Link& use(int peer);

  Transport& transport_;
  const int rank_;
  const Sizes sizes_;
  const std::function<void(int)> on_use_;
  std::vector<std::unique_ptr<Link>> links_;
};

}  // namespace ps
