// Runs cases of the sweep on one rank and compares all memory they may touch, and some they may not, with what must be
// there afterwards.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "arena.h"
#include "cases.h"
#include "reference.h"

namespace ps_test {

class Sweep {
 public:
  // `arena`: where buffers lie that others reach; nullptr: none does. `hosts`: as for Pattern.
  Sweep(psGroup group, int rank, int size, Arena* arena = nullptr, std::string hosts = "");
  ~Sweep();
  Sweep(const Sweep&) = delete;
  Sweep& operator=(const Sweep&) = delete;

  // Runs them in order, asynchronous ones with others in flight. Throws Failure.
  void run(const std::vector<Case>& cases);

 private:
  // A buffer between guard bytes, and what all of it must be at the end.
  class Region;
  struct Flight;

  std::shared_ptr<const Pattern> pattern(psDataType dtype, psReduceOp op);
  psReduceOp reduction(const Case& c);
  std::unique_ptr<Flight> start(const Case& c);
  void call(Flight& flight);
  void call_message(Flight& flight);
  void finish(Flight& flight);
  void compare_hashes();

  psGroup group_;
  int rank_;
  int size_;
  Arena* arena_;
  const std::string hosts_;
  std::map<psDataType, psReduceOp> scaled_;
  std::deque<std::shared_ptr<const Pattern>> patterns_;
  std::deque<std::unique_ptr<Flight>> flights_;
  uint64_t hash_ = 0;  // of all results that are equal on all ranks
};

}  // namespace ps_test
