#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "plan_fold.h"
#include "plan_picture.h"
#include "plan_text.h"
#include "svg.h"

namespace psctl {
namespace {

constexpr int32_t kMostRanks = 16384;
constexpr size_t kMostInLegend = 24;
constexpr int kMargin = 28;
constexpr int kHeader = 72;        // title and subtitle
constexpr int kHostTitle = 22;
constexpr int kNarrowestHost = 76;  // its title has room
constexpr int kHostPadding = 10;
constexpr int kHostGap = 14;
constexpr int kLegendRow = 24;
constexpr int kNarrowest = 320;
constexpr int kWidestTitle = 900;
constexpr double kAspect = 1.6;
constexpr double kMonoWidth = 7.3;    // of a character of the legend, with some room
constexpr const char* kMonoFonts = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
constexpr double kTitleWidth = 11.5;
constexpr double kFactWidth = 7.2;

struct Cell {
  int width;
  int height;
  int gap;
  int rank_size;   // of the font; 0 for no text
  int group_size;
};

Cell cell_of(int32_t world) {
  if (world <= 128) return {46, 42, 5, 15, 11};
  if (world <= 512) return {38, 34, 4, 13, 9};
  if (world <= 1024) return {34, 30, 3, 12, 9};
  if (world <= 2048) return {30, 18, 2, 11, 0};
  return {9, 9, 1, 0, 0};
}

// Where every host and rank stands.
struct Geometry {
  Cell cell;
  int32_t ranks_of_host;
  int32_t hosts;
  int columns;  // of cells in a host
  int hosts_in_row;
  int host_width;
  int host_height;

  Geometry(int32_t world, int32_t gpus_per_host) : cell(cell_of(world)) {
    ranks_of_host = gpus_per_host == 0 ? world : std::min(gpus_per_host, world);
    hosts = (world - 1) / ranks_of_host + 1;
    columns = 8;
    while (columns * columns < 2 * ranks_of_host) columns *= 2;
    if (ranks_of_host <= 8) columns = ranks_of_host;
    const int rows = (ranks_of_host - 1) / columns + 1;
    host_width = std::max(kNarrowestHost, columns * (cell.width + cell.gap) - cell.gap + 2 * kHostPadding);
    host_height = kHostTitle + rows * (cell.height + cell.gap) - cell.gap + 2 * kHostPadding;
    double best = 1e9;
    for (int in_row = 1; in_row <= hosts; ++in_row) {
      hosts_in_row = best == 1e9 ? in_row : hosts_in_row;
      const double ratio = static_cast<double>(width_of(in_row)) / height_of(in_row);
      const int missing = (in_row - hosts % in_row) % in_row;
      const double badness = std::abs(std::log(ratio / kAspect)) + 0.5 * missing / in_row;
      if (badness >= best) continue;
      best = badness;
      hosts_in_row = in_row;
    }
  }

  int width_of(int in_row) const { return in_row * (host_width + kHostGap) - kHostGap; }
  int height_of(int in_row) const { return ((hosts - 1) / in_row + 1) * (host_height + kHostGap) - kHostGap; }
  int host_x(int32_t host) const { return kMargin + host % hosts_in_row * (host_width + kHostGap); }
  int host_y(int32_t host) const { return kMargin + kHeader + host / hosts_in_row * (host_height + kHostGap); }
  int x(int32_t rank) const {
    return host_x(rank / ranks_of_host) + kHostPadding + rank % ranks_of_host % columns * (cell.width + cell.gap);
  }
  int y(int32_t rank) const {
    return host_y(rank / ranks_of_host) + kHostPadding + kHostTitle +
           rank % ranks_of_host / columns * (cell.height + cell.gap);
  }
};

std::string fill_of(size_t group) {
  const size_t color = group % kGroupColors.size();
  const size_t pattern = group / kGroupColors.size() % kPatterns;
  return pattern == 0 ? kGroupColors[color] : fmt::format("url(#p{}-{})", pattern, color);
}

// Patterns are white, so that text becomes no harder to read.
std::string pattern_definition(size_t pattern, size_t color) {
  constexpr const char* kMarks[kPatterns] = {
      "", R"(<path d="M-2,2 l4,-4 M0,8 l8,-8 M6,10 l4,-4" stroke="#fff" stroke-width="2"/>)",
      R"(<circle cx="4" cy="4" r="1.7" fill="#fff"/>)", R"(<path d="M0,4 h8" stroke="#fff" stroke-width="2"/>)"};
  return fmt::format(
      R"(<pattern id="p{}-{}" width="8" height="8" patternUnits="userSpaceOnUse">)"
      R"(<rect width="8" height="8" fill="{}"/>{}</pattern>)"
      "\n",
      pattern, color, kGroupColors[color], kMarks[pattern]);
}

// Keeps a pattern away from the text on it.
std::string halo(size_t group) {
  return fmt::format(R"(stroke="{}" stroke-width="4" stroke-linejoin="round" paint-order="stroke")",
                     kGroupColors[group % kGroupColors.size()]);
}

std::string shortened(const std::string& text, double width, double character) {
  const auto room = static_cast<size_t>(width / character);
  return text.size() <= room ? text : text.substr(0, room - 3) + "...";
}

int room_of(const std::string& text, double character) {
  return static_cast<int>(std::ceil(static_cast<double>(text.size() + 1) * character));
}

class Picture : Svg {
 public:
  Picture(const PlannedLayout& layout, const PlanOptions& options, Groups groups)
      : layout_(layout), options_(options), groups_(std::move(groups)),
        geometry_(layout.world(), options.gpus_per_host.value_or(0)), group_of_(layout.world(), -1) {
    for (size_t i = 0; i < groups_.count; ++i) {
      for (const int32_t rank : groups_.at(i)) group_of_[rank] = static_cast<int64_t>(i);
    }
    width_ = std::max({kNarrowest, geometry_.width_of(geometry_.hosts_in_row), room_of(facts(), kFactWidth),
                       std::min(kWidestTitle, room_of(layout.spec(), kTitleWidth))});
  }

  std::string draw() {
    for (int32_t host = 0; host < geometry_.hosts; ++host) draw_host(host);
    for (int32_t rank = 0; rank < layout_.world(); ++rank) draw_rank(rank);
    const int legend_top = kMargin + kHeader + geometry_.height_of(geometry_.hosts_in_row) + 34;
    const int height = draw_legend(legend_top) + kMargin;
    const int width = width_ + 2 * kMargin;
    return file(width, height, layout_.spec(), facts(), head(width, height));
  }

 private:
  std::string facts() const {
    std::string text = fmt::format("{}: {} of {}", groups_.name, counted(groups_.count, "group"), groups_.size);
    if (!options_.gpus_per_host) return text + ". " + counted(layout_.world(), "rank") + ", hosts not given";
    size_t crossing = 0;
    for (size_t i = 0; i < groups_.count; ++i) {
      const auto host = [&](int32_t rank) { return rank / *options_.gpus_per_host; };
      const auto ranks = groups_.at(i);
      crossing += std::ranges::any_of(ranks, [&](int32_t rank) { return host(rank) != host(ranks[0]); });
    }
    text += crossing == 0 ? ", none crosses hosts" : fmt::format(", {} across hosts", crossing);
    return text + fmt::format(". {} on {} of {}", counted(layout_.world(), "rank"), counted(geometry_.hosts, "host"),
                              *options_.gpus_per_host);
  }

  std::string head(int width, int height) const {
    std::string text = "<defs>\n";
    for (const auto& [pattern, color] : patterns_) text += pattern_definition(pattern, color);
    text += fmt::format("</defs>\n<rect width=\"{}\" height=\"{}\" fill=\"#fff\"/>\n", width, height);
    text += fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"20\" font-weight=\"600\">{}</text>\n", kMargin,
                        kMargin + 18, shortened(layout_.spec(), width_, kTitleWidth));
    return text + fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"14\" fill=\"#4b5563\">{}</text>\n", kMargin,
                              kMargin + 42, shortened(facts(), width_, kFactWidth));
  }

  std::string fill(size_t group) {
    const size_t pattern = group / kGroupColors.size() % kPatterns;
    if (pattern > 0) patterns_.insert({pattern, group % kGroupColors.size()});
    return fill_of(group);
  }

  void draw_host(int32_t host) {
    const int x = geometry_.host_x(host);
    const int y = geometry_.host_y(host);
    add(R"(<rect x="{}" y="{}" width="{}" height="{}" rx="8" fill="#f6f8fa" stroke="#cbd5e1"/>)", x, y,
        geometry_.host_width, geometry_.host_height);
    const std::string title = options_.gpus_per_host ? fmt::format("host {}", host) : "world";
    add(R"(<text x="{}" y="{}" font-size="12" font-weight="600" fill="#4b5563">{}</text>)", x + kHostPadding, y + 20,
        title);
  }

  void draw_rank(int32_t rank) {
    const Cell& cell = geometry_.cell;
    const int x = geometry_.x(rank);
    const int y = geometry_.y(rank);
    const int64_t group = group_of_[rank];
    const bool is_marked = options_.rank == rank;
    const bool is_with_marked = options_.rank && group >= 0 && group == group_of_[*options_.rank];
    const std::string paint = group < 0 ? "#e5e7eb" : fill(static_cast<size_t>(group));
    const std::string outline = is_marked || is_with_marked
                                    ? fmt::format(R"( stroke="{}" stroke-width="{}")", kInk, is_marked ? 4 : 2)
                                    : "";
    const std::string label = group < 0 ? "-" : fmt::format("#{}", group);
    add(R"(<g><title>rank {}, {} {}</title><rect x="{}" y="{}" width="{}" height="{}" rx="{}" fill="{}"{}/>)", rank,
        groups_.name, label, x, y, cell.width, cell.height, std::min(6, cell.width / 4), paint, outline);
    if (cell.rank_size > 0) {
      if (paint[0] == 'u') append(fmt::format(R"(<g {}>)", halo(static_cast<size_t>(group))));
      const int middle = x + cell.width / 2;
      const bool has_label = cell.group_size > 0;
      const int base = has_label ? y + cell.height / 2 : y + cell.height / 2 + cell.rank_size * 3 / 8;
      add(R"(<text x="{}" y="{}" font-size="{}" font-weight="600" text-anchor="middle">{}</text>)", middle, base,
          cell.rank_size, rank);
      if (has_label) {
        add(R"(<text x="{}" y="{}" font-size="{}" text-anchor="middle">{}</text>)", middle,
            y + cell.height - cell.height / 6, cell.group_size, label);
      }
      if (paint[0] == 'u') append("</g>");
    }
    add("</g>");
  }

  // Returns where it ends.
  int draw_legend(int top) {
    const bool is_all = groups_.count <= kMostInLegend;
    const size_t shown = is_all ? groups_.count : kMostInLegend;
    std::vector<std::string> labels;
    size_t longest = 0;
    for (size_t i = 0; i < shown; ++i) {
      labels.push_back(shortened(fmt::format("#{} {}", i, fold(groups_.at(i))), width_ - 40, kMonoWidth));
      longest = std::max(longest, labels.back().size());
    }
    const double column = 30 + kMonoWidth * static_cast<double>(longest) + 24;
    const size_t columns = std::max<size_t>(1, static_cast<size_t>((width_ + 24) / column));
    const size_t rows = (shown - 1) / columns + 1;
    for (size_t i = 0; i < shown; ++i) {
      const double x = kMargin + column * static_cast<double>(i / rows);
      const int y = top + static_cast<int>(i % rows) * kLegendRow;
      add(R"(<rect x="{:.0f}" y="{}" width="22" height="16" rx="4" fill="{}"/>)", x, y - 12, fill(i));
      add(R"(<text x="{:.0f}" y="{}" font-size="12" font-family="{}">{}</text>)", x + 30, y, kMonoFonts, labels[i]);
    }
    int end = top + static_cast<int>(rows - 1) * kLegendRow;
    if (!is_all) {
      end += kLegendRow + 4;
      const size_t looks = kGroupColors.size() * kPatterns;
      std::string text = fmt::format("... {} more", counted(groups_.count - shown, "group"));
      if (groups_.count > looks) text += fmt::format("; colours and patterns come again after {}", looks);
      add(R"(<text x="{}" y="{}" font-size="13" fill="#4b5563">{}</text>)", kMargin, end, text);
    }
    return end;
  }

  const PlannedLayout& layout_;
  const PlanOptions& options_;
  Groups groups_;
  Geometry geometry_;
  std::vector<int64_t> group_of_;
  std::set<std::pair<size_t, size_t>> patterns_;
  int width_;
};

}  // namespace

void check_picture(const PlannedLayout& layout) {
  if (layout.world() <= kMostRanks) return;
  throw Refusal(fmt::format("a picture shows at most {} ranks, this world has {}; --rank and --group show parts of it",
                            kMostRanks, layout.world()));
}

std::string pictured_name(const PlannedLayout& layout, const PlanOptions& options) {
  if (!options.group.empty()) return options.group;
  std::string with_several_ranks;
  for (const PlannedLayout::Name& name : layout.names()) {
    if (layout.group_size(name.name) < 2) continue;
    if (layout.group_count(name.name) > 1) return name.name;
    if (with_several_ranks.empty()) with_several_ranks = name.name;
  }
  return with_several_ranks.empty() ? layout.names().front().name : with_several_ranks;
}

std::string plan_svg(const PlannedLayout& layout, const PlanOptions& options) {
  check_picture(layout);
  return Picture(layout, options, layout.groups(pictured_name(layout, options))).draw();
}

}  // namespace psctl
