// A rank's side of the watch between hosts: one thread and one control connection to the world's store, in a world that
// spans hosts. It beats, tells what this host's kernel has proven, and writes what it hears of other hosts into the host
// segment, where the guardians and all that waits find it in the same order on all ranks of this host.
//
// When the store is lost the rank watches the others itself, by their beacons: a lost store takes nobody with it but
// those who really cannot be reached. It knocks at the beacons as soon as the store is silent, so that both are known
// about three seconds after a cut. While the store answers it goes by what the store says, and looks itself only at
// those on other hosts that are awaited for long: see Doubts.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "control/host_segment.h"
#include "control/store/dialer.h"
#include "control/watch/beacon.h"
#include "control/watch/doubts.h"
#include "control/watch/news.h"

namespace ps {

class Watch {
 public:
  // `self.port` is found here; `address` is this rank's own. Errors: those of Dialer::dial.
  Watch(std::shared_ptr<HostSegment> segment, const Logger& logger, Dialer dialer, const Attendance& self,
        const std::string& address, std::vector<Neighbour> neighbours, Deadline deadline);
  ~Watch() { stop(); }

  // Says goodbye and ends the thread, within about two seconds. What was seen stays readable.
  void stop();

  // The death log may have grown.
  void look() { wake(); }
  void tell_abandoned(uint64_t attempt);

  // Of neighbours: time since its heart was last heard, 0 while it beats.
  int64_t silent_ms(int32_t rank) const;
  bool has_abandoned(int32_t rank, uint64_t attempt) const;
  // See Doubts.
  void note_awaited(int32_t rank) { doubts_.note_awaited(rank); }
  bool is_cut_off(int32_t rank) const { return doubts_.is_cut_off(rank); }
  bool any_cut_off() const { return doubts_.any_cut_off(); }

 private:
  // How the control connection ended.
  enum class End { kInOrder, kByPeer, kCut };

  void run();
  void wake();
  void wait();
  void attend(std::unique_ptr<Connection> connection);
  void tick(int64_t now_ns);
  void tell_news();
  void send(FrameType type, const std::string& body);
  void hear();
  void take(const Frame& frame);
  void apply(const Fact& fact);
  void lose(End how);
  void start_probes();
  void look_at_probes();
  void look_at_doubts();
  std::optional<Probe> knock(int32_t rank, int64_t most_ms) const;
  void say_goodbye();
  bool is_gone(int32_t rank) const;
  int64_t store_silent_ms(int64_t now_ns) const { return (now_ns - heard_ns_) / 1'000'000; }

  const std::shared_ptr<HostSegment> segment_;
  const Logger& logger_;
  Dialer dialer_;
  Attendance self_;
  const std::vector<Neighbour> neighbours_;  // by rank
  std::vector<bool> is_neighbour_;  // by rank
  Beacon beacon_;
  Doubts doubts_;
  Descriptor wake_;
  std::atomic<bool> stop_{false};

  // Of the thread alone.
  std::unique_ptr<Connection> connection_;
  bool rank0_serves_ = false;
  bool alone_ = false;  // the store is lost
  int64_t heard_ns_ = 0;
  int64_t beaten_ns_ = 0;
  int64_t next_tick_ns_ = 0;
  size_t told_deaths_ = 0;
  std::map<int32_t, uint16_t> beacons_;
  std::map<int32_t, Probe> probes_;

  std::vector<std::atomic<int64_t>> silent_since_ns_;  // by rank; 0: it beats
  mutable std::mutex mutex_;
  std::vector<uint64_t> untold_abandoned_;
  std::map<int32_t, std::set<uint64_t>> abandoned_;

  std::thread thread_;
};

}  // namespace ps
