// The test's side of a world of processes: starts ranks, hears their lines, kills and stops them, and looks for what
// they leave behind. Every wait has a deadline; when it passes the test fails and all its processes are killed.
#pragma once

#include <sys/types.h>

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "../scratch_folder.h"

namespace faults {

inline constexpr int kReportDescriptor = 3;
inline constexpr char kRankMark[] = "--run-as-rank";
inline constexpr char kFailed[] = "FAILED";

// A line of a rank: its label and the words after it.
struct Line {
  std::string label;
  std::vector<std::string> words;

  // Of Rank::say_result.
  const std::string& code() const { return words.at(0); }
  const std::string& text() const { return words.at(1); }
};

class World {
 public:
  // Starts ranks 0 .. size - 1 with one program. `environment`: "NAME=value" each.
  World(const std::string& program, int size, const std::vector<std::string>& arguments = {},
        const std::vector<std::string>& environment = {});
  // Starts nobody.
  explicit World(int size, const std::vector<std::string>& environment = {});
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Starts one process; its index is the number of processes started before. `size` 0: this world's.
  int start(const std::string& program, int rank, const std::vector<std::string>& arguments = {}, int size = 0);

  int size() const { return size_; }
  pid_t pid(int index) const { return processes_.at(static_cast<size_t>(index)).pid; }
  // "rank 2 (pid 77 on host h)", as the library's texts name it.
  std::string name(int index) const;

  // The next line of a process, which must have this label.
  Line hear(int index, const std::string& label);
  std::vector<Line> hear_all(const std::string& label);
  void tell(int index, const std::string& line);
  void tell_all(const std::string& line);
  void signal(int index, int number);
  // SIGKILL, and waits for its end.
  void kill(int index);
  // Waits for the end of a process that ends by itself; returns waitpid's status.
  int wait(int index);

  // Waits for all processes that were not killed; they must end with status 0 and leave nothing: no child, no abstract
  // socket, no file in /dev/shm, none in the world's folder but `may_remain`.
  void end(const std::set<std::string>& may_remain = {});

 private:
  struct Process {
    pid_t pid = -1;
    int rank = 0;
    int pidfd = -1;
    int commands = -1;
    int reports = -1;
    std::string partial;
    std::deque<Line> lines;
    bool closed = false;
    bool reaped = false;
    int status = 0;
    bool killed = false;
  };

  // Reads what has come; waits for more until the deadline.
  void pump(int timeout_ms);
  void take(Process& process);
  bool reap(Process& process);
  [[noreturn]] void give_up(const std::string& why);
  int remaining_ms() const;

  int size_;
  std::vector<std::string> environment_;
  const ps_test::ScratchFolder folder_{"faults"};
  const std::string directory_ = folder_.path();
  int64_t deadline_ns_;
  std::map<std::string, std::string> traces_before_;  // name, and as what it is held
  std::vector<Process> processes_;
};

// Fails the test unless `text` holds every one of `parts`.
void expect_contains(const std::string& text, const std::vector<std::string>& parts);

}  // namespace faults
