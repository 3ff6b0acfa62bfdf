#include "supervisor.h"

#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>

namespace psctl {
namespace {

constexpr int kTimeoutCode = 124;
constexpr int kInterruptsToInsist = 3;
constexpr size_t kReadAtOnce = 64 << 10;
constexpr size_t kReadAtEnd = 64 << 20;

bool are_one_file(int first, int second) {
  struct stat a;
  struct stat b;
  return ::fstat(first, &a) == 0 && ::fstat(second, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return "signal " + std::to_string(signal) + (name != nullptr ? std::string(" (SIG") + name + ")" : "");
}

std::string seconds(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + " s";
}

int code_of(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

}  // namespace

Supervisor::Supervisor(const RunOptions& options, const WorldEnvironment& world, Nodes* nodes, const Verdict& verdict,
                       Descriptor parent_alive, const sigset_t& rank_mask, const sigset_t& blocked)
    : options_(options),
      world_(world),
      nodes_(nodes),
      verdict_(verdict),
      parent_alive_(std::move(parent_alive)),
      rank_mask_(rank_mask),
      signals_(::signalfd(-1, &blocked, SFD_CLOEXEC | SFD_NONBLOCK)),
      out_(std::make_unique<Sink>(STDOUT_FILENO)) {
  if (!signals_) fail_errno("cannot make a signal descriptor");
  if (!are_one_file(STDOUT_FILENO, STDERR_FILENO)) err_ = std::make_unique<Sink>(STDERR_FILENO);
  for (const Program& program : options.programs) {
    for (int i = 0; i < program.count; ++i) ranks_.emplace_back().program = &program;
  }
  if (options.timeout_s > 0) timeout_at_ms_ = now_ms() + static_cast<int64_t>(options.timeout_s * 1000);
}

int Supervisor::run() {
  if (!start_all()) end_the_rest("");
  while ((any_running() > 0 || is_waiting_for_nodes()) && !is_abandoned_) wait_for_something();
  if (is_abandoned_ && nodes_ != nullptr) nodes_->tell(NodeEvent::Kind::kFailed, 128 + SIGKILL, "psctl was killed");
  descendants_.kill_all();
  if (parent_alive_) drain();
  if (is_abandoned_ && any_running() > 0) return exit_code_ != 0 ? exit_code_ : 128 + SIGKILL;
  std::vector<RankEnd> ends;
  for (const Rank& rank : ranks_) ends.push_back(rank.end);
  return verdict_ && exit_code_ != kTimeoutCode ? verdict_(ends) : exit_code_;
}

bool Supervisor::start_all() {
  for (size_t i = 0; i < ranks_.size(); ++i) {
    Rank& rank = ranks_[i];
    const int number = static_cast<int>(i);
    try {
      RankProcess process =
          start_rank(rank.program->command, world_.of_rank(number, rank.program->variables), rank_mask_);
      rank.pid = process.pid;
      rank.is_running = true;
      rank.out.emplace(std::move(process.out), number_of(rank), *out_);
      rank.err.emplace(std::move(process.err), number_of(rank), error_sink());
      if (process.exec_errno == 0) continue;
      ::waitpid(rank.pid, &rank.end.status, 0);
      rank.is_running = false;
      report_end(rank, process.exec_errno);
    } catch (const std::system_error& error) {
      const std::string text = "rank " + std::to_string(number_of(rank)) + " could not be started: " + error.what();
      say(text, true);
      fail(1, text);
    }
    return false;
  }
  return true;
}

void Supervisor::wait_for_something() {
  // A negative descriptor is passed over.
  std::vector<pollfd> polls = {{signals_.get(), POLLIN, 0},
                               {parent_alive_.get(), POLLIN, 0},
                               {nodes_ != nullptr ? nodes_->descriptor() : -1, POLLIN, 0}};
  for (const Sink* sink : {out_.get(), err_.get()}) {
    if (sink != nullptr && !sink->is_empty()) polls.push_back({sink->fd(), POLLOUT, 0});
  }
  const size_t first_output = polls.size();
  std::vector<RankOutput*> polled;
  int64_t due = -1;
  const auto earlier = [&due](int64_t time) {
    if (time >= 0 && (due < 0 || time < due)) due = time;
  };
  for (RankOutput* output : outputs()) {
    earlier(output->unfinished_due_ms());
    if (output->is_waiting_for_sink()) continue;
    polled.push_back(output);
    polls.push_back({output->fd(), POLLIN, 0});
  }
  earlier(timeout_at_ms_);
  earlier(kill_at_ms_);
  const int64_t wait = due < 0 ? -1 : std::clamp<int64_t>(due - now_ms(), 0, 1'000'000);
  if (::poll(polls.data(), polls.size(), static_cast<int>(wait)) < 0 && errno != EINTR) fail_errno("poll");

  for (size_t i = 0; i < polled.size(); ++i) {
    if (polls[first_output + i].revents != 0) polled[i]->read(kReadAtOnce);
    if (polled[i]->has_lost_its_reader()) polled[i]->finish();
  }
  if (polls[0].revents != 0) read_signals();
  if (polls[2].revents != 0) hear_nodes();
  if (polls[1].revents != 0) {
    parent_alive_.reset();
    is_abandoned_ = true;
  }
  watch_time();
  out_->flush();
  if (err_) err_->flush();
}

void Supervisor::read_signals() {
  signalfd_siginfo info;
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    if (static_cast<int>(info.ssi_signo) != SIGCHLD) forward(static_cast<int>(info.ssi_signo));
  }
  reap();
}

void Supervisor::reap() {
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    const auto rank = std::find_if(ranks_.begin(), ranks_.end(),
                                   [pid](const Rank& r) { return r.is_running && r.pid == pid; });
    if (rank == ranks_.end()) continue;  // an orphan that a rank has left
    rank->is_running = false;
    rank->end.status = status;
    rank->out->read(kReadAtEnd);
    rank->err->read(kReadAtEnd);
    report_end(*rank, 0);
  }
}

void Supervisor::report_end(const Rank& rank, int exec_errno) {
  const int number = number_of(rank);
  const int status = rank.end.status;
  const bool failed = status != 0;
  std::string text = "rank " + std::to_string(number) + " (pid " + std::to_string(rank.pid) + ") ";
  if (exec_errno != 0) {
    text += "could not run \"" + rank.program->command.front() + "\": " + ::strerror(exec_errno);
    if (exec_errno == ENOENT && rank.program->command.front().find('/') == std::string::npos) {
      text += " (no such command in PATH)";
    }
  } else if (WIFSIGNALED(status)) {
    text += "was ended by " + signal_name(WTERMSIG(status));
    const bool is_ours = WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGKILL;
    if (rank.end.was_signalled && is_ours) text += ", which psctl sent";
  } else {
    text += "exited with code " + std::to_string(WEXITSTATUS(status));
  }
  say(text, failed && !is_ending_);
  if (!failed || has_failed_ || is_ending_) return;
  fail(code_of(status), text);
  const int others = any_running();
  if (options_.keep_going || others == 0) return;
  end_the_rest("rank " + std::to_string(number) + " failed; ending the " + std::to_string(others) + " still running");
}

// The first failure here, and as far as this node knows.
void Supervisor::fail(int code, const std::string& text) {
  has_failed_ = true;
  if (!is_code_agreed_) exit_code_ = code;
  if (nodes_ != nullptr) nodes_->tell(NodeEvent::Kind::kFailed, code, text);
}

void Supervisor::hear_nodes() {
  for (const NodeEvent& event : nodes_->take()) {
    const bool is_own = event.node == world_.node() && event.kind != NodeEvent::Kind::kLost;
    if (event.kind == NodeEvent::Kind::kFailed && !is_code_agreed_) {
      is_code_agreed_ = true;
      exit_code_ = event.number;
    }
    if (is_own || event.kind == NodeEvent::Kind::kDone) continue;
    if (event.kind == NodeEvent::Kind::kSignalled) {
      say(signal_name(event.number) + " came on " + nodes_->name(event.node), false);
      signal_running(event.number, false);
      continue;
    }
    const bool is_lost = event.kind == NodeEvent::Kind::kLost;
    const std::string text = is_lost ? event.text : "on " + nodes_->name(event.node) + ": " + event.text;
    if (is_lost && exit_code_ == 0) exit_code_ = 1;
    const int others = any_running();
    if (is_ending_ || others == 0 || (options_.keep_going && !is_lost)) {
      say(text, true);
    } else {
      has_failed_ = true;
      end_the_rest(text + "; ending the " + std::to_string(others) + " ranks still running here");
    }
  }
}

// What other nodes do still concerns this one: how they end is part of the exit code, and the first serves the store.
bool Supervisor::is_waiting_for_nodes() {
  if (nodes_ == nullptr || any_running() > 0) return false;
  if (!std::exchange(is_done_told_, true)) nodes_->tell(NodeEvent::Kind::kDone);
  // What comes after this look is left to wake the next wait: heard here, it would not be looked at again.
  if (!nodes_->all_done() && interrupts_ < kInterruptsToInsist) return true;
  hear_nodes();  // what has come before the end
  return false;
}

void Supervisor::end_the_rest(const std::string& why) {
  if (is_ending_) return;
  is_ending_ = true;
  if (!why.empty()) {
    say(why + " (SIGTERM now, SIGKILL after " + seconds(options_.grace_s) + ")", true);
  }
  signal_running(SIGTERM, true);
  kill_at_ms_ = now_ms() + static_cast<int64_t>(options_.grace_s * 1000);
}

void Supervisor::watch_time() {
  const int64_t now = now_ms();
  for (RankOutput* output : outputs()) output->show_unfinished_line(kReadAtOnce);
  if (timeout_at_ms_ >= 0 && now >= timeout_at_ms_) {
    timeout_at_ms_ = -1;
    if (any_running() > 0 && !is_ending_) {
      const std::string text =
          "the time limit of " + seconds(options_.timeout_s) + " has passed and " + running_ranks() + " still running";
      exit_code_ = kTimeoutCode;
      if (nodes_ != nullptr) nodes_->tell(NodeEvent::Kind::kFailed, kTimeoutCode, text);
      end_the_rest(text);
    }
  }
  if (kill_at_ms_ >= 0 && now >= kill_at_ms_) {
    kill_at_ms_ = -1;
    if (any_running() > 0) say(running_ranks() + " still running: killing", true);
    signal_running(SIGKILL, true);
  }
}

void Supervisor::forward(int signal) {
  const bool is_interrupt = signal == SIGINT || signal == SIGTERM;
  if (is_interrupt && ++interrupts_ >= kInterruptsToInsist) {
    say("third SIGINT or SIGTERM: killing all ranks", true);
    is_ending_ = true;
    if (exit_code_ == 0) exit_code_ = 128 + signal;
    if (nodes_ != nullptr) nodes_->tell(NodeEvent::Kind::kFailed, 128 + signal, "all ranks were killed by the user");
    signal_running(SIGKILL, true);
    return;
  }
  if (is_interrupt && nodes_ != nullptr) nodes_->tell(NodeEvent::Kind::kSignalled, signal);
  signal_running(signal, false);
}

void Supervisor::signal_running(int signal, bool is_ours) {
  for (Rank& rank : ranks_) {
    if (!rank.is_running) continue;
    if (is_ours) rank.end.was_signalled = true;
    ::kill(-rank.pid, signal);
  }
}

void Supervisor::drain() {
  for (Rank& rank : ranks_) {
    for (auto* output : {&rank.out, &rank.err}) {
      if (!output->has_value()) continue;
      (*output)->read(kReadAtEnd);
      (*output)->finish();
    }
  }
  for (Sink* sink : {out_.get(), err_.get()}) {
    if (sink == nullptr) continue;
    sink->close_line();
    while (!sink->is_empty() && interrupts_ < kInterruptsToInsist && parent_alive_) {
      sink->flush();
      if (!sink->is_empty()) wait_for_something();
    }
  }
}

void Supervisor::say(const std::string& text, bool is_failure) {
  if (options_.quiet && !is_failure) return;
  error_sink().add(this, "psctl run: ", text, true);
}

int Supervisor::number_of(const Rank& rank) const {
  return world_.first_rank() + static_cast<int>(&rank - ranks_.data());
}

int Supervisor::any_running() const {
  return static_cast<int>(std::count_if(ranks_.begin(), ranks_.end(), [](const Rank& r) { return r.is_running; }));
}

std::string Supervisor::running_ranks() const {
  std::string text;
  for (const Rank& rank : ranks_) {
    if (rank.is_running) text += (text.empty() ? "" : ", ") + std::to_string(number_of(rank));
  }
  return any_running() == 1 ? "rank " + text + " is" : "ranks " + text + " are";
}

std::vector<RankOutput*> Supervisor::outputs() {
  std::vector<RankOutput*> open;
  for (Rank& rank : ranks_) {
    for (auto* output : {&rank.out, &rank.err}) {
      if (output->has_value() && (*output)->is_open()) open.push_back(&**output);
    }
  }
  return open;
}

}  // namespace psctl
