// Two processes look after the ranks, each of which clears up when the other is killed: the supervisor starts them and
// does the work; its parent, which the user sees as psctl, forwards signals to it. Both are subreapers. When the
// supervisor is killed, the ranks get the parent-death signal and the parent kills what is left; when the parent is
// killed, the supervisor finds its pipe closed and ends everything.
#include "run.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <optional>

namespace psctl {
namespace {

constexpr std::array kForwarded = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

// Ends the wait for other nodes, when there is nothing yet to look after.
void check_wanted(const Descriptor& parent_alive, const sigset_t& blocked) {
  const timespec now{0, 0};
  const int signal = ::sigtimedwait(&blocked, nullptr, &now);
  if (signal > 0 && signal != SIGCHLD) {
    std::fprintf(stderr, "psctl run: ended by signal %d (%s) before the other nodes had come\n", signal,
                 ::strsignal(signal));
    ::_exit(128 + signal);
  }
  pollfd parent{parent_alive.get(), POLLIN, 0};
  if (::poll(&parent, 1, 0) > 0) ::_exit(1);
}

int supervise_ranks(const RunOptions& options, WorldEnvironment& world, const Verdict& verdict, Descriptor parent_alive,
                    const sigset_t& rank_mask, const sigset_t& blocked) {
  std::optional<Nodes> nodes;
  if (options.nnodes > 1) {
    nodes.emplace(options, world.job(), world.master_port(), [&] { check_wanted(parent_alive, blocked); });
    world.spread(nodes->place());
  }
  Nodes* const others = nodes ? &*nodes : nullptr;
  return Supervisor(options, world, others, verdict, std::move(parent_alive), rank_mask, blocked).run();
}

[[noreturn]] void supervise(const RunOptions& options, WorldEnvironment& world, const Verdict& verdict,
                            Descriptor parent_alive, const sigset_t& rank_mask, const sigset_t& blocked) {
  int code = 1;
  // Out of the terminal's foreground group: what is typed there reaches the ranks once, through the parent.
  ::setpgid(0, 0);
  ::signal(SIGTTOU, SIG_IGN);
  try {
    code = supervise_ranks(options, world, verdict, std::move(parent_alive), rank_mask, blocked);
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
  WorldEnvironment world(options.local_size());
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
  if (!options.secret_file.empty()) {
    // For psctl's own store and for the ranks, which may go to other folders.
    ::setenv("PS_SECRET_FILE", std::filesystem::absolute(options.secret_file).c_str(), 1);
    ::unsetenv("PS_SECRET");
  }
  return run_world(options);
}

}  // namespace psctl
