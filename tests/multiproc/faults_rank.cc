#include "faults_rank.h"

#include <dirent.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "faults_world.h"

namespace faults {
namespace {

std::map<std::string, void (*)(const Rank&)>& programs() {
  static std::map<std::string, void (*)(const Rank&)> known;
  return known;
}

void write_line(std::string line) {
  for (char& c : line) {
    if (c == '\n') c = ' ';
  }
  line += '\n';
  for (size_t done = 0; done < line.size();) {
    const ssize_t wrote = ::write(kReportDescriptor, line.data() + done, line.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) ::_exit(3);
    done += static_cast<size_t>(wrote);
  }
}

}  // namespace

Rank::Rank(int own_rank, int world_size, std::string folder, std::vector<std::string> arguments)
    : rank(own_rank),
      size(world_size),
      directory(std::move(folder)),
      rendezvous("unix://" + directory + "/meet"),
      arguments_(std::move(arguments)) {}

const std::string& Rank::argument(size_t index) const {
  must(index < arguments_.size(), "the program wants more arguments");
  return arguments_[index];
}

psConfig Rank::config() const {
  psConfig config = PS_CONFIG_INIT;
  config.flags = PS_NO_ENVIRONMENT;
  config.rank = rank;
  config.world_size = size;
  config.rendezvous = rendezvous.c_str();
  config.backend = std::getenv("PS_TEST_BACKEND");  // NULL: chosen by the library
  config.init_timeout_ms = 30'000 * patience();
  config.timeout_ms = 60'000 * patience();
  return config;
}

psContext Rank::join() const {
  const psConfig own = config();
  psContext context = nullptr;
  ok(psInit(&own, &context));
  return context;
}

psGroup Rank::world(psContext context) const {
  psGroup group = nullptr;
  ok(psGetGroup(context, "world", &group));
  return group;
}

void Rank::say(const std::string& label, const std::vector<std::string>& words) const {
  std::string line = label;
  for (const std::string& word : words) line += "\t" + word;
  write_line(line);
}

void Rank::say_result(const std::string& label, psResult result) const {
  say(label, {psResultName(result), result < 0 ? psLastError() : ""});
}

void Rank::hear(const std::string& line) const {
  std::string heard;
  for (char c = 0;;) {
    const ssize_t got = ::read(STDIN_FILENO, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    must(got == 1, "the test ended before it said '" + line + "'");
    if (c == '\n') break;
    heard += c;
  }
  must(heard == line, "the test said '" + heard + "' where '" + line + "' was due");
}

void Rank::vanish() { ::_exit(0); }

void die(const std::string& why, std::source_location where) {
  write_line(std::string(kFailed) + "\t" + where.file_name() + ":" + std::to_string(where.line()) + ": " + why);
  ::_exit(1);
}

void must(bool condition, const std::string& what, std::source_location where) {
  if (!condition) die(what, where);
}

void ok(psResult result, std::source_location where) {
  if (result != PS_OK) die(std::string(psResultName(result)) + ": " + psLastError(), where);
}

int64_t now_ns() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

int count_descriptors() {
  DIR* directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) return -1;
  int count = 0;
  while (::readdir(directory) != nullptr) ++count;
  ::closedir(directory);
  return count;
}

int patience() {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  return 3;
#else
  return 1;
#endif
}

RankProgram::RankProgram(const char* name, void (*body)(const Rank&)) { programs()[name] = body; }

bool run_as_rank(int argc, char** argv, int& status) {
  if (argc < 6 || std::string(argv[1]) != kRankMark) return false;
  status = 0;
  const auto program = programs().find(argv[2]);
  if (program == programs().end()) die(std::string("no program is named ") + argv[2], std::source_location::current());
  const Rank rank(std::atoi(argv[3]), std::atoi(argv[4]), argv[5], {argv + 6, argv + argc});
  const int before = count_descriptors();
  program->second(rank);
  const int after = count_descriptors();
  must(after == before, "the rank had " + std::to_string(before) + " descriptors before its program and has " +
                            std::to_string(after) + " after it");
  return true;
}

}  // namespace faults
