// Ranks as processes: this program, spawned once a rank, told by its arguments what to be. Never a bare fork.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace ps_test {

// What a spawned rank is told.
struct RankArguments {
  std::string body;
  int rank = 0;
  int size = 0;
  int parent = 0;
  std::string folder;  // for this world alone
  std::string rendezvous;
  std::string argument;

  // Leaves the text where the parent finds it.
  void report(const char* failure) const;
};

// Empty when the arguments are not those of a rank.
std::optional<RankArguments> parse_rank(int argc, char** argv);

// This process is killed when its parent ends.
void die_with(int parent);

// Spawns the ranks and waits for them. Returns why the world failed, "" if it did not. No rank lives on.
std::string run_processes(const std::string& body, int size, const std::string& argument,
                          std::chrono::seconds deadline);

}  // namespace ps_test
