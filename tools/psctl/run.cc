// Two processes look after the ranks, each of which clears up when the other is killed: the supervisor starts them and
// does the work; its parent, which the user sees as psctl, forwards signals to it. Both are subreapers. When the
// supervisor is killed, the ranks get the parent-death signal and the parent kills what is left; when the parent is
// killed, the supervisor finds its pipe closed and ends everything.
#include "run.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <exception>

namespace psctl {
namespace {

constexpr std::array kForwarded = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

[[noreturn]] void supervise(const RunOptions& options, const WorldEnvironment& world, const Verdict& verdict,
                            Descriptor parent_alive, const sigset_t& rank_mask, const sigset_t& blocked) {
  int code = 1;
  // Out of the terminal's foreground group: what is typed there reaches the ranks once, through the parent.
  ::setpgid(0, 0);
  ::signal(SIGTTOU, SIG_IGN);
  try {
    code = Supervisor(options, world, verdict, std::move(parent_alive), rank_mask, blocked).run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "psctl run: %s\n", error.what());
  }
  world.remove_directory();
  ::_exit(code);
}

// Until the supervisor has ended; its wait status.
int forward_signals(pid_t supervisor, const sigset_t& blocked) {
  while (true) {
    const int signal = ::sigwaitinfo(&blocked, nullptr);
    if (signal < 0) continue;
    if (signal != SIGCHLD) {
      ::kill(supervisor, signal);
      continue;
    }
    int status = 0;
    for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      if (pid == supervisor) return status;
    }
  }
}

}  // namespace

int run_world(const RunOptions& options, const Verdict& verdict) {
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGCHLD);
  for (const int signal : kForwarded) sigaddset(&blocked, signal);
  ::sigprocmask(SIG_BLOCK, &blocked, &before);
  ::signal(SIGCHLD, SIG_DFL);  // not ignored, as it may have been inherited: ends would go unseen
  ::signal(SIGPIPE, SIG_IGN);

  const Descendants descendants;
  const WorldEnvironment world(options.world_size());
  Pipe alive = make_pipe();
  std::fflush(nullptr);
  const pid_t supervisor = ::fork();
  if (supervisor < 0) fail_errno("cannot start another process");
  if (supervisor == 0) {
    alive.write.reset();
    supervise(options, world, verdict, std::move(alive.read), before, blocked);
  }
  alive.read.reset();
  const int status = forward_signals(supervisor, blocked);
  descendants.kill_all();
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  std::fprintf(stderr, "psctl run: its supervisor (pid %d) was ended by signal %d (%s); all ranks were killed\n",
               supervisor, WTERMSIG(status), ::strsignal(WTERMSIG(status)));
  return 128 + WTERMSIG(status);
}

int run_command(const std::vector<std::string>& arguments) {
  RunOptions options;
  int exit_code = 0;
  if (!parse_run(arguments, options, exit_code)) return exit_code;
  return run_world(options);
}

}  // namespace psctl
