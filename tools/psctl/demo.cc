#include "demo.h"

#include <signal.h>
#include <sys/wait.h>

#include <cstdio>
#include <string>
#include <vector>

#include "demo_participants.h"
#include "run.h"

namespace psctl {
namespace {

constexpr double kTimeoutSeconds = 120;
constexpr int kVictim = 2;

int verdict(const std::vector<RankEnd>& ends, bool kill) {
  bool as_expected = true;
  for (size_t i = 0; i < ends.size(); ++i) {
    const int status = ends[i].status;
    const bool is_victim = kill && i == kVictim;
    const bool killed_itself = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !ends[i].was_signalled;
    as_expected = as_expected && (is_victim ? killed_itself : status == 0);
  }
  if (!as_expected) {
    std::printf("\nThe demonstration did NOT go as expected: see what the ranks printed above.\n");
  } else if (kill) {
    std::printf(
        "\nAll as expected: rank %d is dead, and every other rank got an error that names it instead of hanging.\n",
        kVictim);
  } else {
    std::printf("\nAll as expected.\n");
  }
  std::fflush(stdout);
  return as_expected ? 0 : 1;
}

}  // namespace

int demo_command(const DemoOptions& options) {
  const std::vector<Participant> participants = find_participants(options);
  RunOptions run;
  for (const Participant& participant : participants) {
    if (!participant.obstacle.empty()) {
      std::printf("%s cannot take part (%s); C++ takes its place.\n", participant.language.c_str(),
                  participant.obstacle.c_str());
    }
    const Participant& takes_part = participant.obstacle.empty() ? participant : participants.front();
    run.programs.push_back(takes_part.program);
    run.programs.back().variables.emplace_back("PS_DEMO_KILL", options.kill ? "1" : "0");
  }
  std::printf("A world of four ranks, each a process, in the groups tp = [0,1] [2,3] and dp = [0,2] [1,3].\n\n");
  run.timeout_s = kTimeoutSeconds;
  run.keep_going = true;
  run.quiet = true;
  return run_world(run, [&](const std::vector<RankEnd>& ends) { return verdict(ends, options.kill); });
}

}  // namespace psctl
