// Looks after the ranks of one world: one loop over their output, their ends, signals and time.
#pragma once

#include <signal.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "descendants.h"
#include "descriptor.h"
#include "rank_output.h"
#include "rank_process.h"
#include "run_nodes.h"
#include "run_options.h"
#include "world_environment.h"

namespace psctl {

struct RankEnd {
  int status = 0;             // as of waitpid
  bool was_signalled = false;  // by psctl, before it ended
};

// What the exit code is, made from how the ranks ended. Empty: that of the first that failed.
using Verdict = std::function<int(const std::vector<RankEnd>&)>;

class Supervisor {
 public:
  // `parent_alive` is at end of file when the process that asked for this run has gone. `rank_mask` is the signal mask
  // that ranks start with; the signals that are forwarded and SIGCHLD are blocked here.
  // `nodes`: the others of a world on several hosts, else nullptr.
  Supervisor(const RunOptions& options, const WorldEnvironment& world, Nodes* nodes, const Verdict& verdict,
             Descriptor parent_alive, const sigset_t& rank_mask, const sigset_t& blocked);

  // Returns the exit code when no rank and nothing that a rank has started is left.
  int run();

 private:
  struct Rank {
    const Program* program = nullptr;
    pid_t pid = -1;
    bool is_running = false;
    std::optional<RankOutput> out;
    std::optional<RankOutput> err;
    RankEnd end;
  };

  bool start_all();
  void wait_for_something();
  void read_signals();
  void reap();
  void report_end(const Rank& rank, int exec_errno);
  void watch_time();
  void hear_nodes();
  bool is_waiting_for_nodes();
  void fail(int code, const std::string& text);
  void forward(int signal);
  void signal_running(int signal, bool is_ours);
  void end_the_rest(const std::string& why);
  void drain();
  void say(const std::string& text, bool is_failure);
  int number_of(const Rank& rank) const;
  int any_running() const;
  std::string running_ranks() const;
  std::vector<RankOutput*> outputs();
  Sink& error_sink() { return err_ ? *err_ : *out_; }

  const RunOptions& options_;
  const WorldEnvironment& world_;
  Nodes* nodes_;
  const Verdict& verdict_;
  Descendants descendants_;
  Descriptor parent_alive_;
  sigset_t rank_mask_;
  Descriptor signals_;
  std::unique_ptr<Sink> out_;
  std::unique_ptr<Sink> err_;  // none where stdout and stderr are one file
  std::vector<Rank> ranks_;
  int exit_code_ = 0;  // of the first failure
  bool is_done_told_ = false;
  bool is_code_agreed_ = false;  // by the nodes' log
  bool has_failed_ = false;
  bool is_ending_ = false;
  bool is_abandoned_ = false;  // the parent has gone, or the user insists
  int interrupts_ = 0;
  int64_t timeout_at_ms_ = -1;
  int64_t kill_at_ms_ = -1;
};

}  // namespace psctl
