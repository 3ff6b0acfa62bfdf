#include "layout/spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/error.h"

namespace ps::layout {
namespace {

bool is_name(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::string shown(std::string_view text, size_t most) {
  std::string result;
  for (const char c : text.substr(0, most)) result += c >= 0x20 && c < 0x7f ? c : '?';
  return text.size() > most ? result + "..." : result;
}

std::string listed(const std::vector<std::string_view>& names) {
  constexpr size_t kMost = 40;
  std::string result;
  for (size_t i = 0; i < std::min(names.size(), kMost); ++i) result += (i == 0 ? "" : ", ") + shown(names[i], 40);
  return names.size() > kMost ? fmt::format("{} and {} more", result, names.size() - kMost) : result;
}

const Entry* Section::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

Spec::Spec(std::string_view text) : text_(text.substr(0, kMaxSpecBytes)) {
  if (text.size() > kMaxSpecBytes) {
    fail(PS_ERR_ARGUMENT, "a layout's spec has at most {} bytes, this one has {}", kMaxSpecBytes, text.size());
  }
  const std::string_view all = text_;
  const auto position_of = [&](std::string_view part) { return static_cast<size_t>(part.data() - all.data()) + 1; };
  for (const std::string_view text_of_section : split(all, ';')) {
    const size_t begin = position_of(text_of_section);
    const size_t colon = text_of_section.find(':');
    const std::string_view name = text_of_section.substr(0, colon);
    const char* kind = sections_.empty() ? "preset" : "view";
    if (colon == std::string_view::npos || !is_name(name)) {
      refuse(begin, fmt::format("expected '{}:key=value,...', found '{}'", kind, shown(text_of_section)));
    }
    for (const Section& other : views()) {
      if (other.name == name) refuse(begin, fmt::format("view '{}' is there twice", shown(name)));
    }
    Section& section = sections_.emplace_back(Section{std::string(name), begin, {}});
    const std::string_view entries = text_of_section.substr(colon + 1);
    if (entries.empty()) refuse(begin + colon, fmt::format("{} '{}' has no key=value", kind, shown(section.name)));
    for (const std::string_view part : split(entries, ',')) {
      const size_t position = position_of(part);
      const size_t equals = part.find('=');
      const std::string_view key = part.substr(0, equals);
      if (equals == std::string_view::npos || !is_name(key)) {
        refuse(position, fmt::format("expected key=value, found '{}'", shown(part)));
      }
      if (section.find(key) != nullptr) refuse(position, fmt::format("'{}' is there twice", shown(key)));
      section.entries.push_back({std::string(key), std::string(part.substr(equals + 1)), position});
    }
  }
}

void Spec::refuse(size_t position, std::string_view what) const {
  constexpr size_t kBefore = 60;
  constexpr size_t kMost = 160;
  const std::string preset = sections_.empty() ? "layout" : shown(sections_.front().name, 40);
  const size_t begin = text_.size() <= kMost || position <= kBefore ? 0 : position - kBefore;
  fail(PS_ERR_ARGUMENT, "{}: {}; at position {} of '{}{}'", preset, what, position, begin == 0 ? "" : "...",
       shown(std::string_view(text_).substr(begin), kMost));
}

int64_t Spec::size_of(const Entry& entry, bool may_be_rest, int64_t least) const {
  const std::string key = shown(entry.key);
  if (entry.value == "*") {
    if (may_be_rest) return kRest;
    refuse(entry, fmt::format("{}=* is not a size that the world's size determines; give a number", key));
  }
  int64_t value = 0;
  const char* end = entry.value.data() + entry.value.size();
  const auto [stop, error] = std::from_chars(entry.value.data(), end, value);
  if (error == std::errc::invalid_argument || stop != end) {
    refuse(entry, fmt::format("{}='{}' is not a number", key, shown(entry.value)));
  }
  const bool beyond = error == std::errc::result_out_of_range;
  const bool negative = entry.value.starts_with('-');
  if ((beyond && !negative) || value > std::numeric_limits<int32_t>::max()) {
    refuse(entry, fmt::format("{}={} is too large; a world has at most {} ranks", key, shown(entry.value),
                              std::numeric_limits<int32_t>::max()));
  }
  if (beyond || value < least) refuse(entry, fmt::format("{}={} must be at least {}", key, shown(entry.value), least));
  return value;
}

}  // namespace ps::layout
