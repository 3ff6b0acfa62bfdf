#include "measure/rounds.h"

#include <algorithm>

#include "measure/clock.h"
#include "measure/line_latency.h"

namespace measure {
namespace {

constexpr int64_t kWarmUp = 5;  // iterations
constexpr int64_t kFewest = 10;

class Rounds {
 public:
  Rounds(Meeting& meeting, Subject& subject, const std::vector<Shape>& points, const Plan& plan,
         const std::function<void(const Visit&)>& done)
      : meeting_(meeting), subject_(subject), points_(points), plan_(plan), done_(done) {}

  void run() {
    for (int round = 0; round < plan_.rounds; ++round) {
      for (size_t point = 0; point < points_.size(); ++point) visit(round, point);
    }
  }

 private:
  void visit(int round, size_t point) {
    Visit visit{point, round, 0, 0, false, {}};
    subject_.prepare(points_[point]);
    visit.line_before_ns = line_latency_ns(meeting_);
    iterate(1, false);
    const bool was_right = meeting_.all(subject_.verify(iteration_));
    const int64_t iterations = meeting_.tell(chosen_iterations());
    iterate(iterations, true);
    visit.is_verified = meeting_.all(subject_.verify(iteration_)) && was_right;
    visit.line_after_ns = line_latency_ns(meeting_);
    if (meeting_.rank() == 0) {
      visit.us = times(iterations, points_[point].runs_per_time());
      done_(visit);
    }
    meeting_.rest();
  }

  // Warms up, and on rank 0 says how many iterations to run.
  int64_t chosen_iterations() {
    const int64_t start = now_ns();
    iterate(kWarmUp, false);
    const auto most = static_cast<int64_t>(meeting_.region().most_iterations());
    if (plan_.iterations > 0) return std::min(plan_.iterations, most);
    const double each = static_cast<double>(now_ns() - start) / kWarmUp;
    return std::clamp(static_cast<int64_t>(plan_.visit_seconds * 1e9 / each), std::min(kFewest, most), most);
  }

  void iterate(int64_t iterations, bool is_timed) {
    Span* const spans = meeting_.region().spans(meeting_.rank());
    for (int64_t i = 0; i < iterations; ++i) {
      meeting_.meet();  // nobody writes while others still work
      subject_.dirty(++iteration_);
      meeting_.meet();
      const int64_t start = now_ns();
      subject_.run();
      const int64_t end = now_ns();
      if (is_timed) spans[i] = {start, end};
    }
  }

  // Without what reading the clock adds: the line latency has none of it either, as its batches are long.
  std::vector<double> times(int64_t iterations, double runs) const {
    const int64_t clock = clock_cost_ns();
    std::vector<double> us;
    for (int64_t i = 0; i < iterations; ++i) {
      Span last = meeting_.region().spans(0)[i];
      for (int rank = 1; rank < meeting_.ranks(); ++rank) {
        const Span& span = meeting_.region().spans(rank)[i];
        last = {std::max(last.start_ns, span.start_ns), std::max(last.end_ns, span.end_ns)};
      }
      us.push_back(static_cast<double>(std::max<int64_t>(last.end_ns - last.start_ns - clock, 1)) / 1000 / runs);
    }
    return us;
  }

  Meeting& meeting_;
  Subject& subject_;
  const std::vector<Shape>& points_;
  const Plan& plan_;
  const std::function<void(const Visit&)>& done_;
  int64_t iteration_ = 0;
};

}  // namespace

void measure_rounds(Meeting& meeting, Subject& subject, const std::vector<Shape>& points, const Plan& plan,
                    const std::function<void(const Visit&)>& done) {
  try {
    Rounds(meeting, subject, points, plan, done).run();
  } catch (const Abandoned&) {
    throw;
  } catch (const std::exception& error) {
    meeting.abandon("rank " + std::to_string(meeting.rank()) + ": " + error.what());
    throw;
  }
}

}  // namespace measure
