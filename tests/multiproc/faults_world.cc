#include "faults_world.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "faults_rank.h"

extern char** environ;

namespace faults {
namespace {

constexpr int64_t kWorldMs = 90'000;
constexpr int64_t kTracesMs = 10'000;

std::set<std::string> files_of(const std::string& folder) {
  std::set<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(folder.c_str()), ::closedir);
  if (!directory) return names;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.insert(name);
  }
  return names;
}

// What the living processes of this machine have open or mapped: "socket:[inode]" and paths.
std::set<std::string> held() {
  std::set<std::string> found;
  for (const std::string& process : files_of("/proc")) {
    if (process.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string folder = "/proc/" + process;
    for (const std::string& descriptor : files_of(folder + "/fd")) {
      char target[PATH_MAX];
      const ssize_t length = ::readlink((folder + "/fd/" + descriptor).c_str(), target, sizeof target);
      if (length > 0) found.insert(std::string(target, static_cast<size_t>(length)));
    }
    std::ifstream maps(folder + "/maps");
    for (std::string line; std::getline(maps, line);) {
      const size_t at = line.find("/dev/shm/");
      if (at != std::string::npos) found.insert(line.substr(at));
    }
  }
  return found;
}

// Abstract sockets and files of /dev/shm, of everybody on this machine: what they are called, and as what they are held.
std::map<std::string, std::string> traces() {
  std::map<std::string, std::string> found;
  std::ifstream sockets("/proc/net/unix");
  for (std::string line; std::getline(sockets, line);) {
    std::istringstream words(line);
    std::string word, inode, name;
    for (int i = 0; i < 6; ++i) words >> word;
    words >> inode >> name;
    if (name.starts_with('@')) found["abstract socket " + name] = "socket:[" + inode + "]";
  }
  for (const std::string& name : files_of("/dev/shm")) found["/dev/shm/" + name] = "/dev/shm/" + name;
  return found;
}

// What was not there before and belongs to nobody: other programs of this machine come and go as well, and what one of
// them holds is its own, since the world's processes have ended.
std::string traces_since(const std::map<std::string, std::string>& before) {
  std::map<std::string, std::string> fresh = traces();
  std::erase_if(fresh, [&](const auto& trace) { return before.contains(trace.first); });
  const int64_t until = now_ns() + kTracesMs * 1'000'000;
  while (!fresh.empty() && now_ns() < until) {
    const std::set<std::string> others = held();
    const std::map<std::string, std::string> present = traces();
    std::erase_if(fresh, [&](const auto& trace) {
      return !present.contains(trace.first) || others.contains(trace.second);
    });
    if (!fresh.empty()) ::poll(nullptr, 0, 20);
  }
  return fresh.empty() ? "" : fresh.begin()->first;
}

void close_on_exec_pipe(int (&ends)[2]) {
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
}

Line parse(const std::string& text) {
  Line line;
  std::istringstream stream(text);
  std::getline(stream, line.label, '\t');
  for (std::string word; std::getline(stream, word, '\t');) line.words.push_back(word);
  // An empty last word has no end to be read up to.
  if (!text.empty() && text.back() == '\t') line.words.emplace_back();
  return line;
}

std::string host() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace

World::World(int size, const std::vector<std::string>& environment)
    : size_(size),
      environment_(environment),
      deadline_ns_(now_ns() + kWorldMs * 1'000'000 * patience()),
      traces_before_(traces()) {
  // Orphans of a rank come to this process, and are found by waitpid.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  environment_.push_back("TMPDIR=" + directory_);
  environment_.push_back("XDG_RUNTIME_DIR=" + directory_);
}

World::World(const std::string& program, int size, const std::vector<std::string>& arguments,
             const std::vector<std::string>& environment)
    : World(size, environment) {
  for (int rank = 0; rank < size; ++rank) start(program, rank, arguments);
}

World::~World() {
  for (Process& process : processes_) {
    if (!process.reaped) {
      ::kill(process.pid, SIGKILL);
      ::waitpid(process.pid, nullptr, 0);
    }
    for (const int descriptor : {process.pidfd, process.commands, process.reports}) {
      if (descriptor >= 0) ::close(descriptor);
    }
  }
}

int World::start(const std::string& program, int rank, const std::vector<std::string>& arguments, int size) {
  int commands[2];
  int reports[2];
  close_on_exec_pipe(commands);
  close_on_exec_pipe(reports);
  std::vector<std::string> words = {
      "/proc/self/exe", kRankMark, program, std::to_string(rank), std::to_string(size > 0 ? size : size_), directory_};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::vector<char*> environment;
  for (std::string& word : environment_) environment.push_back(word.data());
  for (char** word = environ; *word != nullptr; ++word) environment.push_back(*word);
  environment.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, commands[0], STDIN_FILENO);
  // From a number above the others': a duplicate onto itself would stay close-on-exec.
  const int report = ::fcntl(reports[1], F_DUPFD_CLOEXEC, 100);
  ::posix_spawn_file_actions_adddup2(&actions, report, kReportDescriptor);
  // This program ignores SIGPIPE; a rank must be seen to raise none.
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  Process process;
  const int failed =
      ::posix_spawn(&process.pid, "/proc/self/exe", &actions, &attributes, argv.data(), environment.data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(commands[0]);
  ::close(reports[1]);
  ::close(report);
  process.rank = rank;
  process.commands = commands[1];
  process.reports = reports[0];
  ::fcntl(process.reports, F_SETFL, O_NONBLOCK);
  if (failed != 0) throw std::runtime_error(std::string("no process: ") + std::strerror(failed));
  process.pidfd = static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0));
  processes_.push_back(std::move(process));
  return static_cast<int>(processes_.size()) - 1;
}

std::string World::name(int index) const {
  const Process& process = processes_.at(static_cast<size_t>(index));
  return "rank " + std::to_string(process.rank) + " (pid " + std::to_string(process.pid) + " on host " + host() + ")";
}

int World::remaining_ms() const {
  return static_cast<int>(std::max<int64_t>((deadline_ns_ - now_ns()) / 1'000'000, 0));
}

void World::give_up(const std::string& why) {
  std::string text = why;
  for (size_t i = 0; i < processes_.size(); ++i) {
    text += "\n  process " + std::to_string(i) + ", rank " + std::to_string(processes_[i].rank);
    text += processes_[i].reaped ? ", has ended with status " + std::to_string(processes_[i].status) : ", lives";
    for (const Line& line : processes_[i].lines) {
      text += "\n    unheard: " + line.label;
      for (const std::string& word : line.words) text += " | " + word;
    }
  }
  throw std::runtime_error(text);
}

void World::take(Process& process) {
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::read(process.reports, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return;
    if (got == 0) {
      process.closed = true;
      return;
    }
    process.partial.append(buffer, static_cast<size_t>(got));
    for (size_t end = 0; (end = process.partial.find('\n')) != std::string::npos;) {
      Line line = parse(process.partial.substr(0, end));
      process.partial.erase(0, end + 1);
      if (line.label == kFailed)
        give_up("a check failed in rank " + std::to_string(process.rank) + ": " + line.words.at(0));
      process.lines.push_back(std::move(line));
    }
  }
}

void World::pump(int timeout_ms) {
  std::vector<pollfd> polls;
  std::vector<Process*> owners;
  for (Process& process : processes_) {
    if (!process.closed) {
      polls.push_back({.fd = process.reports, .events = POLLIN, .revents = 0});
      owners.push_back(&process);
    }
    if (!process.reaped) {
      polls.push_back({.fd = process.pidfd, .events = POLLIN, .revents = 0});
      owners.push_back(&process);
    }
  }
  ::poll(polls.data(), polls.size(), timeout_ms);
  for (size_t i = 0; i < polls.size(); ++i) {
    if (polls[i].revents == 0) continue;
    if (polls[i].fd == owners[i]->reports) take(*owners[i]);
    if (polls[i].fd == owners[i]->pidfd) reap(*owners[i]);
  }
}

bool World::reap(Process& process) {
  if (process.reaped) return true;
  if (::waitpid(process.pid, &process.status, WNOHANG) == process.pid) process.reaped = true;
  return process.reaped;
}

Line World::hear(int index, const std::string& label) {
  Process& process = processes_.at(static_cast<size_t>(index));
  while (process.lines.empty()) {
    if (process.closed || (process.reaped && (take(process), process.lines.empty()))) {
      give_up("process " + std::to_string(index) + " ended before it said '" + label + "'");
    }
    if (remaining_ms() == 0) give_up("process " + std::to_string(index) + " did not say '" + label + "' in time");
    pump(remaining_ms());
  }
  Line line = std::move(process.lines.front());
  process.lines.pop_front();
  if (line.label != label) {
    give_up("process " + std::to_string(index) + " said '" + line.label + "' where '" + label + "' was due" +
            (line.words.empty() ? "" : ": " + line.words.back()));
  }
  return line;
}

std::vector<Line> World::hear_all(const std::string& label) {
  std::vector<Line> lines;
  for (size_t i = 0; i < processes_.size(); ++i) lines.push_back(hear(static_cast<int>(i), label));
  return lines;
}

void World::tell(int index, const std::string& line) {
  const std::string text = line + "\n";
  if (::write(processes_.at(static_cast<size_t>(index)).commands, text.data(), text.size()) !=
      static_cast<ssize_t>(text.size())) {
    give_up("process " + std::to_string(index) + " does not hear '" + line + "'");
  }
}

void World::tell_all(const std::string& line) {
  for (size_t i = 0; i < processes_.size(); ++i) tell(static_cast<int>(i), line);
}

void World::signal(int index, int number) { ::kill(pid(index), number); }

void World::kill(int index) {
  signal(index, SIGKILL);
  wait(index);
}

int World::wait(int index) {
  Process& process = processes_.at(static_cast<size_t>(index));
  process.killed = true;
  while (!reap(process)) {
    if (remaining_ms() == 0) give_up("process " + std::to_string(index) + " did not end in time");
    pump(remaining_ms());
  }
  return process.status;
}

void World::end(const std::set<std::string>& may_remain) {
  for (size_t i = 0; i < processes_.size(); ++i) {
    Process& process = processes_[i];
    const bool by_itself = !process.killed;
    if (by_itself && wait(static_cast<int>(i)) != 0) {
      take(process);
      ADD_FAILURE() << "rank " << process.rank << " ended with status " << process.status;
    }
  }
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a process of the world is left";
  for (const std::string& name : files_of(directory_)) {
    EXPECT_TRUE(may_remain.contains(name)) << "the world left the file " << name;
  }
  EXPECT_EQ(traces_since(traces_before_), "");
}

void expect_contains(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    EXPECT_NE(text.find(part), std::string::npos) << "the text\n  " << text << "\nlacks\n  " << part;
  }
}

}  // namespace faults
