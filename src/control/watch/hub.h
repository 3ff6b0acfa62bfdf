// The store's side of the watch between hosts: hears the heartbeats of every rank, decides who is lost, and passes the
// facts about ranks on to all, in one order. One room a world. No threads, sockets or clocks: it lives on the server's
// thread and is told the time.
//
// What proves what: a rank's host mates report its death from its robust word, and that is believed at once. A
// connection that times out is believed too, since heartbeats keep it busy: the host or the link is gone. One that ends
// otherwise is a hint. A mate that lives and reports nothing in the next second refutes it; where no mate can speak, the
// rank is lost. A rank that is merely silent, on a connection whose other end still acknowledges, is stopped: that is
// told, and fails nothing.
//
// Two ranks that the store hears may not hear each other. Who says so makes the other try; when both say it, both are
// told, and nobody else: the groups that need their link fail by what these two do with it (see Doubts).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "control/store/frame.h"
#include "control/watch/loss.h"
#include "control/watch/news.h"

namespace ps {

// A rank's connection as the hub sees it.
class Attendee {
 public:
  virtual ~Attendee() = default;
  virtual void tell(FrameType type, std::string body) = 0;
};

class WatchHub {
 public:
  // False: the message cannot be true, and the connection is of no more use.
  bool attend(Attendee& attendee, const Attendance& attendance, int64_t now_ns);
  bool hear(Attendee& attendee, const std::vector<Fact>& facts, int64_t now_ns);
  bool beat(Attendee& attendee, int64_t now_ns);
  // The connection ended; `timed_out`: because nothing came through any more.
  void end(Attendee& attendee, bool timed_out, int64_t now_ns);

  // Every kBeatMs while there is anybody.
  void tick(int64_t now_ns);
  bool empty() const { return rooms_.empty(); }
  // Whether there is something to flush.
  bool has_news() const { return has_news_; }
  // Sends what attendees have not been told yet.
  void flush();

 private:
  struct Place {
    Attendee* attendee = nullptr;
    int32_t node = 0;
    int64_t heard_ns = 0;
    int64_t beaten_ns = 0;  // when it was last sent a heartbeat
    int64_t ended_ns = 0;   // when its connection ended; 0: it stands, or that is settled
    bool gone = false;      // left or lost
    size_t told = 0;        // facts
    std::vector<Fact> asides = {};  // for it alone
  };
  struct Room {
    int32_t world_size = 0;
    std::map<int32_t, Place> places;
    std::vector<Fact> facts;
    std::map<std::pair<int32_t, int32_t>, Doubt> doubts;  // of the first about its way to the second
    int32_t came = 0;      // how many ranks
    bool is_told = false;  // who is there
    int64_t empty_ns = 0;
  };
  struct Seat {
    uint64_t world = 0;
    int32_t rank = 0;
  };

  bool believes(const Room& room, const Seat& seat, const Fact& fact) const;
  void record(Room& room, const Fact& fact);
  void compare_doubts(Room& room, int32_t from, const Fact& fact);
  void tell_aside(Room& room, int32_t rank, const Fact& fact);
  static void forget_doubts(Room& room, int32_t rank);
  void settle_hints(Room& room, int64_t now_ns);
  void send_beats(Room& room, int64_t now_ns);

  std::map<uint64_t, Room> rooms_;
  std::map<Attendee*, Seat> seats_;
  bool has_news_ = false;
};

}  // namespace ps
