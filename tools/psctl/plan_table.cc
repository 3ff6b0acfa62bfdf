#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "plan_columns.h"
#include "plan_fold.h"
#include "plan_text.h"

namespace psctl {
namespace {

constexpr size_t kDefaultWidth = 100;
constexpr size_t kNarrowest = 40;
constexpr size_t kMostShown = 8;  // groups of a name, of which all are shown by --group
constexpr size_t kMostLines = 2;  // of them

std::string heading(const PlannedLayout& layout, const Summary& summary, size_t width) {
  std::string text = wrap(layout.spec(), width - 2, 2) + "\n";
  text += counted(layout.world(), "rank");
  if (summary.hosts > 0) text += fmt::format(" on {} of {}", counted(summary.hosts, "host"), summary.gpus_per_host);
  text += ", hash " + layout.hash() + "\n";
  std::string axes;
  size_t ones = 0;
  for (const PlannedLayout::Axis& axis : layout.axes()) {
    if (axis.size == 1) {
      ++ones;
    } else {
      axes += fmt::format(" {}={}", axis.name, axis.size);
    }
  }
  if (ones > 0) axes += fmt::format(" and {} of size 1", ones);
  return text + wrap("axes" + axes, width - 5, 5) + "\n";
}

bool is_each_alone(const PlannedLayout& layout, const NameSummary& name) {
  return name.size == 1 && name.count == static_cast<size_t>(layout.world());
}

// As many groups as have room in a few lines of a cell.
std::string first_groups(const PlannedLayout& layout, const NameSummary& name, size_t room) {
  std::string text;
  size_t used = 0;
  for (size_t i = 0; i < name.count; ++i) {
    const std::string group = fold(layout.members(name.name, i));
    const std::string more = fmt::format(" ...{0}{1}{0}more{0}groups", kNoBreak, name.count - i);
    const size_t needed = used + 1 + group.size() + (i + 1 == name.count ? 0 : more.size());
    const bool has_room = needed <= kMostLines * room && (i < kMostShown || name.count <= kMostShown + 1);
    if (i > 0 && !has_room) return text + more;
    text += (i == 0 ? "" : " ") + group;
    used += group.size() + 1;
  }
  return text;
}

std::string cell(const PlannedLayout& layout, const NameSummary& name, size_t room) {
  if (!name.alias_of.empty()) return "alias of " + name.alias_of;
  if (!name.same_as.empty()) return "same members as " + name.same_as;
  if (is_each_alone(layout, name)) return "each rank alone";
  return first_groups(layout, name, room);
}

std::string names_table(const PlannedLayout& layout, const Summary& summary, size_t width) {
  const bool has_hosts = summary.hosts > 0;
  std::vector<std::string> headings = {"name", ">groups", ">size"};
  if (has_hosts) headings.emplace_back(">crossing");
  headings.emplace_back("members");
  Columns frame(headings);  // without the last cells, which are made to fit
  std::vector<std::vector<std::string>> rows;
  for (const NameSummary& name : summary.names) {
    std::vector<std::string>& row = rows.emplace_back();
    row = {name.name, std::to_string(name.count), std::to_string(name.size)};
    if (has_hosts) row.push_back(name.crossing == 0 ? "-" : std::to_string(name.crossing));
    frame.add(row);
  }
  Columns columns(headings);
  const size_t begin = frame.last_begin();
  const size_t room = width > begin ? width - begin : 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i].push_back(cell(layout, summary.names[i], room));
    columns.add(rows[i]);
  }
  return columns.print(width);
}

std::string hosts_of(std::span<const int32_t> ranks, int32_t gpus_per_host) {
  std::vector<int32_t> hosts;
  for (const int32_t rank : ranks) hosts.push_back(rank / gpus_per_host);
  std::ranges::sort(hosts);
  hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
  const std::string text = fold(hosts);
  return text.substr(1, text.size() - 2);
}

std::string groups_table(const PlannedLayout& layout, const Summary& summary, const NameSummary& name, size_t width) {
  const Groups groups = layout.groups(name.name);
  std::string text = fmt::format("{}: {} of {}", name.name, counted(groups.count, "group"), groups.size);
  if (!name.alias_of.empty()) text += ", alias of " + name.alias_of;
  if (!name.same_as.empty()) text += ", same members as " + name.same_as;
  if (summary.hosts > 0) {
    text += name.crossing == 0 ? ", none crosses hosts" : fmt::format(", {} across hosts", name.crossing);
  }
  std::vector<std::string> headings = {">group"};
  if (summary.hosts > 0) headings.emplace_back("hosts");
  headings.emplace_back("members");
  Columns columns(headings);
  for (size_t i = 0; i < groups.count; ++i) {
    std::vector<std::string> row = {"#" + std::to_string(i)};
    if (summary.hosts > 0) row.push_back(hosts_of(groups.at(i), summary.gpus_per_host));
    row.push_back(fold(groups.at(i)));
    columns.add(row);
  }
  return text + "\n\n" + columns.print(width);
}

std::string costs(const Summary& summary, size_t width) {
  std::string text = wrap(
      fmt::format("A rank is in up to {} and needs {}: equal member lists share one, a group of one rank needs none. "
                  "The world has {} in all.",
                  counted(summary.groups_of_a_rank, "group"),
                  counted(summary.communicators_of_a_rank, "communicator"), summary.communicators),
      width, 0);
  text += "\n";
  text += wrap(fmt::format("PyTorch's way, one new_group for each group, is {} on every rank, members or not.",
                           counted(summary.new_group_calls, "call")),
               width, 0);
  return text + "\n";
}

}  // namespace

size_t output_width() {
  winsize size{};
  size_t width = kDefaultWidth;
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    width = size.ws_col;
  } else if (const char* columns = std::getenv("COLUMNS"); columns != nullptr) {
    const int value = std::atoi(columns);
    if (value > 0) width = static_cast<size_t>(value);
  }
  return std::max(width, kNarrowest);
}

std::string counted(size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string plan_table(const PlannedLayout& layout, const Summary& summary, const std::string& group, size_t width) {
  std::string text = heading(layout, summary, width) + "\n";
  if (group.empty()) return text + names_table(layout, summary, width) + "\n" + costs(summary, width);
  const auto name = std::ranges::find(summary.names, group, &NameSummary::name);
  return text + groups_table(layout, summary, *name, width);
}

}  // namespace psctl
