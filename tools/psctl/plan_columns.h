// Columns of text: each as wide as its widest cell, the last one wraps at the spaces between its words.
#pragma once

#include <string>
#include <vector>

namespace psctl {

class Columns {
 public:
  // A heading that begins with '>' is of a column of numbers, which stand at its right.
  explicit Columns(std::vector<std::string> headings);

  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  // Where the last column begins, so that its cells can be made to fit.
  size_t last_begin() const;
  std::string print(size_t width) const;

 private:
  std::vector<size_t> widths() const;

  std::vector<bool> is_number_;
  std::vector<std::vector<std::string>> rows_;
};

constexpr char kNoBreak = '\x1f';  // printed as a space at which a line does not end

// `text` in lines of at most `width`, ended at spaces or after commas of a longer word, all but the first behind
// `indent` spaces.
std::string wrap(const std::string& text, size_t width, size_t indent);

}  // namespace psctl
