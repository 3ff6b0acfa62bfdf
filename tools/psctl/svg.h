// What pictures in SVG have in common: they are added element by element, and their size and head are known at the end.
#pragma once

#include <fmt/format.h>

#include <iterator>
#include <string>
#include <string_view>

namespace psctl {

class Svg {
 protected:
  static constexpr const char* kInk = "#17202a";  // of what says no other

  // A line of elements.
  template <class... Values>
  void add(fmt::format_string<Values...> format, Values&&... values) {
    fmt::vformat_to(std::back_inserter(body_), format, fmt::make_format_args(values...));
    body_ += '\n';
  }
  // Elements that others follow on the same line.
  void append(std::string_view elements) { body_ += elements; }

  // The file. `head` is what was not added because only now it is known: definitions, a background, titles.
  std::string file(int width, int height, std::string_view title, std::string_view description,
                   std::string_view head) const;

 private:
  std::string body_;
};

}  // namespace psctl
