#include "peers/calls.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <vector>

#include "measure/clock.h"
#include "measure/line_latency.h"
#include "measure/point.h"
#include "measure/statistics.h"
#include "peers/peer.h"

namespace {

constexpr int kBatches = 21;
constexpr int64_t kCalls = 2000;  // a batch: some milliseconds

class Lent : public measure::Patterned {
 public:
  Lent(int rank, void* send, void* recv, bool in_place, Prepare prepare, Run run)
      : Patterned(rank, send, recv), in_place_(in_place), prepare_(prepare), run_(run) {}

  void prepare(const measure::Shape& shape) override {
    Patterned::prepare(shape);
    prepare_(measure::name_of(shape.operation), static_cast<int64_t>(shape.count), send(),
             static_cast<int64_t>(shape.send_bytes(rank())), recv(), static_cast<int64_t>(shape.recv_bytes(rank())));
  }
  void run() override { run_(); }
  bool verify(int64_t iteration) override {
    const bool at_input = in_place_ && shape().operation == measure::Operation::kAllReduce;
    return measure::output_is_right(shape(), rank(), iteration, at_input ? send() : recv());
  }

 private:
  bool in_place_;
  Prepare prepare_;
  Run run_;
};

}  // namespace

int peer_time_calls(const char* shared, int rank, int ranks, MakeCalls make_calls) {
  try {
    measure::bind_to_processor(rank, ranks);
    measure::Region region = measure::Region::join(shared, rank, ranks);
    measure::Meeting meeting(region, rank);
    make_calls(kCalls);
    std::vector<double> us;
    const double before = measure::line_latency_ns(meeting);
    for (int batch = 0; batch < kBatches; ++batch) {
      meeting.meet();
      const int64_t start = measure::now_ns();
      make_calls(kCalls);
      us.push_back(static_cast<double>(measure::now_ns() - start) / 1000 / kCalls);
    }
    const double line = (before + measure::line_latency_ns(meeting)) / 2;
    if (rank == 0) {
      std::printf("{\"op\": \"call\", \"ranks\": %d, \"bytes\": 8, \"registered\": false, \"median_us\": %.4f, "
                  "\"p99_us\": %.4f, \"line_ns\": %.1f, \"verified\": true}\n",
                  ranks, measure::median(us), measure::quantile(us, 0.99), line);
      std::fflush(stdout);
    }
    meeting.rest();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rank %d: %s\n", rank, error.what());
    return 1;
  }
}

int peer_measure(int count, char** arguments, int rank, const char* name, int in_place, Prepare prepare,
                 Run run) {
  const peers::Work work = peers::work_of(count, arguments);
  return peers::measure_rank(work, rank, name, [&](void* send, void* recv) {
    return std::make_unique<Lent>(rank, send, recv, in_place != 0, prepare, run);
  });
}
