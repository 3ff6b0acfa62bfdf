// How the processes of a measurement wait for each other, without the library that is measured.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "measure/region.h"

namespace measure {

// Another process has given up, or did not come in time.
class Abandoned : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// One process's part in it. All of them call the same functions in the same order.
class Meeting {
 public:
  Meeting(Region& region, int rank);

  int rank() const { return rank_; }
  int ranks() const { return region_.ranks(); }
  Region& region() const { return region_; }

  // Returns when all have come, on all of them within about a line's latency: what is timed starts after it. Spins, and
  // yields when there are more processes than processors.
  void meet();
  // The same, asleep: for what is not timed and must not disturb those who still work.
  void rest();
  // Rank 0's number, on every rank.
  int64_t tell(int64_t of_rank_0);
  // Whether it holds on every rank.
  bool all(bool here);

  // Ends the waiting of every other process.
  void abandon(const std::string& reason);

 private:
  void check(int64_t until) const;

  Region& region_;
  int rank_;
  int spins_;
  uint64_t meetings_ = 0;
};

// Binds this thread to one of the processors that it may use, a different one for each rank; false, and nothing is
// done, when there are more ranks than processors.
bool bind_to_processor(int rank, int ranks);

}  // namespace measure
