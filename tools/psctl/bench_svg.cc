#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "bench_report.h"
#include "svg.h"

namespace psctl {
namespace {

using measure::Operation;
using measure::PointResult;

constexpr int kWidth = 1040;
constexpr int kPanelTop = 108;
constexpr int kPanelHeight = 380;
constexpr int kPanelWidth = 420;
constexpr std::array kPanelLeft = {72, 588};
constexpr int kLegendRow = 26;
constexpr int kLegendColumn = 190;
constexpr int kMostSizeLabels = 8;
constexpr const char* kFaint = "#4b5563";
constexpr const char* kGrid = "#e2e8f0";
// Colours that differ for colour-blind readers too; marks differ beside them.
constexpr std::array kColors = {"#0072b2", "#d55e00", "#009e73", "#b5418f", "#8c6d00",
                                "#3b9bd6", "#17202a", "#7a3db8", "#c23b3b"};

// Positions of values between two powers of the base, and the powers as ticks.
class LogAxis {
 public:
  LogAxis(double base, double least, double most, double from, double to) : base_(base), from_(from), to_(to) {
    low_ = std::floor(std::log(least) / std::log(base) + 1e-9);
    high_ = std::ceil(std::log(most) / std::log(base) - 1e-9);
    if (high_ <= low_) high_ = low_ + 1;
  }
  double at(double value) const {
    return from_ + (to_ - from_) * (std::log(value) / std::log(base_) - low_) / (high_ - low_);
  }
  int ticks() const { return static_cast<int>(high_ - low_) + 1; }
  double tick(int i) const { return std::pow(base_, low_ + i); }

 private:
  double base_;
  double from_;
  double to_;
  double low_;
  double high_;
};

// A curve: one operation, its points in the order of their sizes.
struct Curve {
  Operation operation;
  std::vector<const PointResult*> points;
};

using Value = double (*)(const PointResult&);

double median_us(const PointResult& result) { return result.median_us; }
double p99_us(const PointResult& result) { return result.p99_us; }
double bus_gbs(const PointResult& result) { return result.shape.bus_bandwidth(result.median_us); }

std::string tick_text(double value) {
  return value >= 1 ? fmt::format("{:.0f}", value) : fmt::format("{:.6g}", value);
}

class Plot : Svg {
 public:
  explicit Plot(const std::vector<PointResult>& results) {
    for (const PointResult& result : results) {
      if (result.shape.bytes() == 0) continue;
      const auto known = std::ranges::find(curves_, result.shape.operation, &Curve::operation);
      Curve& curve = known != curves_.end() ? *known : curves_.emplace_back(Curve{result.shape.operation, {}});
      curve.points.push_back(&result);
    }
    for (Curve& curve : curves_) {
      std::ranges::sort(curve.points, {}, [](const PointResult* result) { return result->shape.bytes(); });
    }
  }

  std::string draw() {
    // With one rank nothing crosses the bus, which is then no figure that a logarithm has.
    const bool has_bus = curves_.front().points.front()->shape.ranks > 1;
    draw_panel(0, "Median time, us (dotted: 99th percentile)", median_us, true);
    if (has_bus) draw_panel(1, "Bus bandwidth, GB/s", bus_gbs, false);
    const int height = draw_legend() + 24;
    const std::string what = conditions();
    return file(kWidth, height, "psctl bench: " + title(), what, head(height, what));
  }

 private:
  std::string title() const {
    const PointResult& first = *curves_.front().points.front();
    const std::string memory = first.is_registered ? ", registered memory" : "";
    return fmt::format("{} {}, {}, {}{}", first.shape.ranks, first.shape.ranks == 1 ? "rank" : "ranks",
                       measure::name_of(first.shape.dtype), first.backend, memory);
  }

  std::string conditions() const {
    const PointResult& first = *curves_.front().points.front();
    double least = first.line_min_ns;
    double most = first.line_max_ns;
    bool is_verified = true;
    for (const Curve& curve : curves_) {
      for (const PointResult* result : curve.points) {
        least = std::min(least, result->line_min_ns);
        most = std::max(most, result->line_max_ns);
        is_verified = is_verified && result->is_verified;
      }
    }
    return fmt::format("{} interleaved {}, inputs rewritten before each iteration, {}. A cache line took {:.0f} to "
                       "{:.0f} ns one way.",
                       first.rounds, first.rounds == 1 ? "round" : "rounds",
                       is_verified ? "all results verified" : "SOME RESULTS WERE WRONG", least, most);
  }

  std::string head(int height, const std::string& what) const {
    return fmt::format("<rect width=\"{0}\" height=\"{1}\" fill=\"#fff\"/>\n"
                       "<text x=\"28\" y=\"40\" font-size=\"20\" font-weight=\"600\">{2}</text>\n"
                       "<text x=\"28\" y=\"64\" font-size=\"13\" fill=\"{3}\">{4}</text>\n",
                       kWidth, height, title(), kFaint, what);
  }

  LogAxis size_axis(double left) const {
    double least = 1e300;
    double most = 0;
    for (const Curve& curve : curves_) {
      least = std::min(least, static_cast<double>(curve.points.front()->shape.bytes()));
      most = std::max(most, static_cast<double>(curve.points.back()->shape.bytes()));
    }
    return {2, least, most, left, left + kPanelWidth};
  }

  LogAxis value_axis(Value value, bool has_p99) const {
    double least = 1e300;
    double most = 0;
    for (const Curve& curve : curves_) {
      for (const PointResult* result : curve.points) {
        least = std::min(least, value(*result));
        most = std::max(most, has_p99 ? p99_us(*result) : value(*result));
      }
    }
    return {10, least, most, kPanelTop + kPanelHeight, kPanelTop};
  }

  void draw_panel(size_t place, const char* name, Value value, bool has_p99) {
    const int left = kPanelLeft[place];
    const LogAxis sizes = size_axis(left);
    const LogAxis values = value_axis(value, has_p99);
    add(R"(<text x="{}" y="{}" font-size="14" font-weight="600">{}</text>)", left, kPanelTop - 14, name);
    for (int i = 0; i < values.ticks(); ++i) {
      const double y = values.at(values.tick(i));
      add(R"(<path d="M{},{:.1f} h{}" stroke="{}"/>)", left, y, kPanelWidth, kGrid);
      add(R"(<text x="{}" y="{:.1f}" font-size="12" fill="{}" text-anchor="end">{}</text>)", left - 8, y + 4, kFaint,
          tick_text(values.tick(i)));
    }
    const int step = (sizes.ticks() - 1) / kMostSizeLabels + 1;
    for (int i = 0; i < sizes.ticks(); i += step) {
      const double x = sizes.at(sizes.tick(i));
      add(R"(<path d="M{:.1f},{} v{}" stroke="{}"/>)", x, kPanelTop, kPanelHeight, kGrid);
      add(R"(<text x="{:.1f}" y="{}" font-size="12" fill="{}" text-anchor="middle">{}</text>)", x,
          kPanelTop + kPanelHeight + 20, kFaint, measure::size_text(static_cast<size_t>(sizes.tick(i))));
    }
    add(R"(<text x="{}" y="{}" font-size="12" fill="{}" text-anchor="middle">size, bytes</text>)",
        left + kPanelWidth / 2, kPanelTop + kPanelHeight + 40, kFaint);
    for (size_t i = 0; i < curves_.size(); ++i) {
      if (has_p99) draw_line(i, sizes, values, p99_us, R"( stroke-width="1.2" stroke-dasharray="2 4")");
      draw_line(i, sizes, values, value, R"( stroke-width="2.2")");
      for (const PointResult* result : curves_[i].points) {
        add("<g><title>{} {}: {:.6g}</title>", measure::name_of(curves_[i].operation),
            measure::size_text(result->shape.bytes()), value(*result));
        draw_mark(i, sizes.at(static_cast<double>(result->shape.bytes())), values.at(value(*result)));
        add("</g>");
      }
    }
  }

  void draw_line(size_t curve, const LogAxis& sizes, const LogAxis& values, Value value, const char* stroke) {
    std::string points;
    for (const PointResult* result : curves_[curve].points) {
      points += fmt::format("{:.1f},{:.1f} ", sizes.at(static_cast<double>(result->shape.bytes())),
                            values.at(value(*result)));
    }
    add(R"(<polyline points="{}" fill="none" stroke="{}" stroke-linejoin="round"{}/>)", points,
        kColors[curve % kColors.size()], stroke);
  }

  void draw_mark(size_t curve, double x, double y) {
    const char* color = kColors[curve % kColors.size()];
    switch (curve % 4) {
      case 0: return add(R"(<circle cx="{:.1f}" cy="{:.1f}" r="4" fill="{}"/>)", x, y, color);
      case 1:
        return add(R"(<rect x="{:.1f}" y="{:.1f}" width="7" height="7" fill="{}"/>)", x - 3.5, y - 3.5, color);
      case 2: return add(R"(<path d="M{:.1f},{:.1f} l4.6,8 h-9.2 z" fill="{}"/>)", x, y - 5, color);
      default: return add(R"(<path d="M{:.1f},{:.1f} l5,5 l-5,5 l-5,-5 z" fill="{}"/>)", x, y - 5, color);
    }
  }

  // Returns where it ends.
  int draw_legend() {
    constexpr size_t kInRow = 5;
    const int top = kPanelTop + kPanelHeight + 76;
    for (size_t i = 0; i < curves_.size(); ++i) {
      const int x = kPanelLeft[0] + static_cast<int>(i % kInRow) * kLegendColumn;
      const int y = top + static_cast<int>(i / kInRow) * kLegendRow;
      add(R"(<path d="M{},{} h28" stroke="{}" stroke-width="2.2"/>)", x, y, kColors[i % kColors.size()]);
      draw_mark(i, x + 14, y);
      add(R"(<text x="{}" y="{}" font-size="13">{}</text>)", x + 36, y + 4, measure::name_of(curves_[i].operation));
    }
    return top + static_cast<int>((curves_.size() - 1) / kInRow) * kLegendRow;
  }

  std::vector<Curve> curves_;
};

}  // namespace

std::string bench_svg(const std::vector<PointResult>& results) { return Plot(results).draw(); }

}  // namespace psctl
