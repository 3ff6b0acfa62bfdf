#include "processes.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "../scratch_folder.h"

extern char** environ;

namespace ps_test {
namespace {

constexpr const char* kHidden = "--as-rank";

std::string report_path(const std::string& folder, int rank) { return folder + "/failure." + std::to_string(rank); }

// A child; killed and reaped at the latest when it goes out of scope.
class Process {
 public:
  explicit Process(std::vector<std::string> arguments) {
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const int error = ::posix_spawn(&pid_, "/proc/self/exe", nullptr, nullptr, argv.data(), environ);
    if (error != 0) throw std::runtime_error(std::string("posix_spawn: ") + std::strerror(error));
    descriptor_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  }
  Process(Process&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), descriptor_(std::exchange(other.descriptor_, -1)) {}
  ~Process() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      reap();
    }
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  int descriptor() const { return descriptor_; }
  bool running() const { return pid_ > 0; }

  // Waits for its end; "" when it ended well.
  std::string reap() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    if (WIFEXITED(status)) return WEXITSTATUS(status) == 0 ? "" : "exit status " + std::to_string(WEXITSTATUS(status));
    return std::string("killed by ") + strsignal(WTERMSIG(status));
  }

 private:
  pid_t pid_ = -1;
  int descriptor_ = -1;
};

// The rank that found something wrong has said so; one that only lost its peers may have been reaped first.
std::string first_report(const std::string& folder, int size, int first) {
  std::string text;
  for (int i = 0; i < size; ++i) {
    const int rank = (first + i) % size;
    std::ifstream file(report_path(folder, rank));
    const std::string found{std::istreambuf_iterator<char>(file), {}};
    if (found.empty()) continue;
    text += "\n  rank " + std::to_string(rank) + ": " + found;
  }
  return text;
}

}  // namespace

void RankArguments::report(const char* failure) const { std::ofstream(report_path(folder, rank)) << failure; }

std::optional<RankArguments> parse_rank(int argc, char** argv) {
  if (argc != 8 || std::string_view(argv[1]) != kHidden) return std::nullopt;
  return RankArguments{argv[2],
                       std::atoi(argv[3]),
                       std::atoi(argv[4]),
                       std::atoi(argv[5]),
                       argv[6],
                       std::string("unix://") + argv[6] + "/meet",
                       argv[7]};
}

void die_with(int parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) std::_Exit(1);
}

std::string run_processes(const std::string& body, int size, const std::string& argument,
                          std::chrono::seconds deadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  const ScratchFolder folder("world");
  std::vector<Process> ranks;
  for (int rank = 0; rank < size; ++rank) {
    ranks.emplace_back(std::vector<std::string>{"rank", kHidden, body, std::to_string(rank), std::to_string(size),
                                                std::to_string(::getpid()), folder.path(), argument});
  }
  for (int left = size; left > 0;) {
    std::vector<pollfd> polled;
    for (const Process& rank : ranks) polled.push_back({rank.running() ? rank.descriptor() : -1, POLLIN, 0});
    const auto remaining = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    if (remaining <= 0) {
      std::string text = "did not end within " + std::to_string(deadline.count()) + " s; killed were the ranks";
      for (int rank = 0; rank < size; ++rank) {
        if (ranks[static_cast<size_t>(rank)].running()) text += " " + std::to_string(rank);
      }
      return text + first_report(folder.path(), size, 0);
    }
    if (::poll(polled.data(), polled.size(), static_cast<int>(remaining)) < 0 && errno != EINTR) return "poll failed";
    for (int rank = 0; rank < size; ++rank) {
      if ((polled[static_cast<size_t>(rank)].revents & POLLIN) == 0) continue;
      --left;
      const std::string how = ranks[static_cast<size_t>(rank)].reap();
      if (!how.empty())
        return "rank " + std::to_string(rank) + " failed, " + how + first_report(folder.path(), size, rank);
    }
  }
  return "";
}

}  // namespace ps_test
