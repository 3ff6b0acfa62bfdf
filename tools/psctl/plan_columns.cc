#include "plan_columns.h"

#include <algorithm>

namespace psctl {
namespace {

constexpr size_t kGap = 2;
constexpr size_t kNarrowest = 24;  // a last column is never made narrower

}  // namespace

Columns::Columns(std::vector<std::string> headings) {
  for (std::string& heading : headings) {
    is_number_.push_back(heading.starts_with('>'));
    if (is_number_.back()) heading.erase(0, 1);
  }
  rows_.push_back(std::move(headings));
}

std::vector<size_t> Columns::widths() const {
  std::vector<size_t> widths(is_number_.size(), 0);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  return widths;
}

size_t Columns::last_begin() const {
  const std::vector<size_t> all = widths();
  size_t begin = kGap;
  for (size_t i = 0; i + 1 < all.size(); ++i) begin += all[i] + kGap;
  return begin;
}

std::string Columns::print(size_t width) const {
  const std::vector<size_t> all = widths();
  const size_t begin = last_begin();
  std::string text;
  for (const auto& row : rows_) {
    std::string line(kGap, ' ');
    for (size_t i = 0; i < row.size(); ++i) {
      if (i + 1 == all.size()) {
        line += wrap(row[i], std::max(kNarrowest, width > begin ? width - begin : 0), begin);
        break;
      }
      const std::string padding(all[i] - row[i].size(), ' ');
      line += (is_number_[i] ? padding + row[i] : row[i] + padding) + std::string(kGap, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string wrap(const std::string& text, size_t width, size_t indent) {
  std::string lines;
  size_t used = 0;
  const auto end_line = [&] {
    lines += "\n" + std::string(indent, ' ');
    used = 0;
  };
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    if (used > 0 && used + 1 + end - begin > width) end_line();
    while (end - begin > width) {  // a list that is longer than a line
      const size_t comma = text.rfind(',', begin + width - 1);
      if (comma == std::string::npos || comma < begin) break;
      lines.append(text, begin, comma + 1 - begin);
      begin = comma + 1;
      end_line();
    }
    if (used > 0) lines += ' ';
    lines.append(text, begin, end - begin);
    used += end - begin + (used > 0 ? 1 : 0);
    begin = end + 1;
  }
  std::ranges::replace(lines, kNoBreak, ' ');
  return lines;
}

}  // namespace psctl
