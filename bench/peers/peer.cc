#include "peers/peer.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string_view>

#include "measure/meeting.h"
#include "measure/point.h"

namespace peers {
namespace {

constexpr double kVisitSeconds = 0.06;

[[noreturn]] void refuse(const std::string& why) {
  std::fprintf(stderr, "%s; usage: --op OP --ranks N --sizes BYTES,... --shared PATH [--seconds S]\n", why.c_str());
  std::exit(2);
}

std::vector<std::string> parts_of(const std::string& list) {
  std::vector<std::string> parts;
  for (size_t start = 0; start <= list.size();) {
    const size_t comma = std::min(list.find(',', start), list.size());
    parts.push_back(list.substr(start, comma - start));
    start = comma + 1;
  }
  return parts;
}

}  // namespace

Work work_of(int argc, char** argv) {
  Work work;
  work.plan.rounds = 1;
  work.plan.visit_seconds = kVisitSeconds;
  measure::Operation operation = measure::Operation::kBarrier;
  std::string sizes = "0";
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    const std::string value = argv[i + 1];
    if (option == "--op") {
      if (!measure::parse(value, operation)) refuse("there is no operation " + value);
    } else if (option == "--ranks") {
      work.ranks = std::atoi(value.c_str());
    } else if (option == "--sizes") {
      sizes = value;
    } else if (option == "--shared") {
      work.shared = value;
    } else if (option == "--seconds") {
      work.plan.visit_seconds = std::atof(value.c_str());
    } else {
      refuse("there is no option " + std::string(option));
    }
  }
  if (argc % 2 == 0) refuse("an option has no value");
  if (work.shared.empty()) refuse("--shared is missing");
  if (work.ranks < 1) refuse("--ranks is no number of ranks");
  for (const std::string& size : parts_of(sizes)) {
    size_t bytes = 0;
    if (size != "0" && !measure::parse_size(size, bytes)) refuse("'" + size + "' is no size");
    work.points.push_back(measure::Shape::of(operation, measure::DataType::kF32, work.ranks, bytes));
  }
  return work;
}

int measure_rank(const Work& work, int rank, const std::string& name, const Make& make) {
  try {
    measure::bind_to_processor(rank, work.ranks);
    measure::Region region = measure::Region::join(work.shared, rank, work.ranks);
    measure::Meeting meeting(region, rank);
    measure::PlainMemory send(measure::most_send_bytes(work.points, rank));
    measure::PlainMemory recv(measure::most_recv_bytes(work.points, rank));
    const std::unique_ptr<measure::Subject> subject = make(send.data(), recv.data());
    measure::measure_rounds(meeting, *subject, work.points, work.plan, [&](const measure::Visit& visit) {
      measure::PointResult result = measure::summary(work.points[visit.point], {visit});
      result.backend = name;
      std::printf("%s\n", measure::json_line(result).c_str());
      std::fflush(stdout);
    });
    meeting.rest();  // so that no rank leaves while another still works
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s, rank %d: %s\n", name.c_str(), rank, error.what());
    return 1;
  }
}

int fork_ranks(int ranks, const std::function<int(int rank)>& body) {
  const pid_t parent = ::getpid();
  for (int rank = 0; rank < ranks; ++rank) {
    const pid_t child = ::fork();
    if (child < 0) {
      std::perror("fork");
      return 1;
    }
    if (child == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(1);
      int status = 1;
      try {
        status = body(rank);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "rank %d: %s\n", rank, error.what());
      }
      std::fflush(nullptr);
      ::_exit(status);  // no library's destructors: some wait for ranks that are gone
    }
  }
  int worst = 0;
  for (int rank = 0; rank < ranks; ++rank) {
    int status = 0;
    ::wait(&status);
    if (!WIFEXITED(status)) {
      worst = std::max(worst, 128 + WTERMSIG(status));
    } else {
      worst = std::max(worst, WEXITSTATUS(status));
    }
  }
  return worst;
}

}  // namespace peers
