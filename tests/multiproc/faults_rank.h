// A rank of a test's world: a process of its own that runs a named program and speaks with the test line by line.
//
// The test starts its own executable again, with hidden arguments, for every rank: fork and exec at once, so that the
// sanitizers see ordinary processes. A check that fails in a rank ends the rank and fails the test.
#pragma once

#include <cstdint>
#include <source_location>
#include <string>
#include <vector>

#include "parallelstate.h"

namespace faults {

class Rank {
 public:
  Rank(int rank, int size, std::string directory, std::vector<std::string> arguments);

  const int rank;
  const int size;
  const std::string directory;
  const std::string rendezvous;

  const std::string& argument(size_t index) const;
  int64_t number(size_t index) const { return std::stoll(argument(index)); }

  // Rank, size and meeting place of this world; 30 s for psInit, 60 s for operations (longer under a sanitizer).
  psConfig config() const;
  // psInit with config(), which must succeed.
  psContext join() const;
  psGroup world(psContext context) const;

  // One line to the test: words separated by tabs.
  void say(const std::string& label, const std::vector<std::string>& words = {}) const;
  // The line `label`, the result's name, the text of the last error.
  void say_result(const std::string& label, psResult result) const;
  // Waits for the test to say this.
  void hear(const std::string& line) const;
  // Ends the process as if it had crashed politely: no destructor, no psFinalize.
  [[noreturn]] static void vanish();

 private:
  const std::vector<std::string> arguments_;
};

[[noreturn]] void die(const std::string& why, std::source_location where);
void must(bool condition, const std::string& what, std::source_location where = std::source_location::current());
// The call must have succeeded; else the rank dies with the error's text.
void ok(psResult result, std::source_location where = std::source_location::current());

int64_t now_ns();
// Descriptors of this process.
int count_descriptors();
// How much slower this build may be: 1, or more under a sanitizer.
int patience();

// A program that ranks can run, known by its name. A program that returns has finalized everything: its descriptors are
// counted before and after.
class RankProgram {
 public:
  RankProgram(const char* name, void (*body)(const Rank&));
};

// Runs a rank's program where the arguments ask for one; the exit status is then in `status`.
bool run_as_rank(int argc, char** argv, int& status);

}  // namespace faults
