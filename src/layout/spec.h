// The text of a layout, taken apart: preset:key=value,... with views after ';', each view:key=value,... Nothing here
// knows what the keys mean. Positions count from 1.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ps::layout {

inline constexpr size_t kMaxSpecBytes = 4096;
inline constexpr int64_t kRest = -1;  // a size written as '*': what is left of the world

struct Entry {
  std::string key;
  std::string value;
  size_t position;  // of the key
};

struct Section {
  std::string name;  // the preset, or the view
  size_t position;
  std::vector<Entry> entries;

  const Entry* find(std::string_view key) const;
};

// The parts of a text between separators; an empty text is one empty part.
std::vector<std::string_view> split(std::string_view text, char separator);

class Spec {
 public:
  // PS_ERR_ARGUMENT: longer than 4 KiB, no preset, an entry without '=', empty or odd names, a key or a view twice.
  explicit Spec(std::string_view text);

  const Section& preset() const { return sections_.front(); }
  std::span<const Section> views() const { return std::span(sections_).subspan(std::min<size_t>(1, sections_.size())); }
  const std::string& text() const { return text_; }

  // PS_ERR_ARGUMENT with what is wrong, and where in the text, of which a long one is shown around that place alone.
  [[noreturn]] void refuse(size_t position, std::string_view what) const;
  [[noreturn]] void refuse(const Entry& entry, std::string_view what) const { refuse(entry.position, what); }

  // An integer of at least `least`, at most 2^31 - 1, or kRest where '*' is allowed.
  int64_t size_of(const Entry& entry, bool may_be_rest, int64_t least = 1) const;

 private:
  std::string text_;
  std::vector<Section> sections_;
};

// A user's text in an error: printable, so that an odd byte does not spoil the line, and no longer than `most` and
// "...".
std::string shown(std::string_view text, size_t most = 80);
// "tp, pp, ...": the first of many names.
std::string listed(const std::vector<std::string_view>& names);

}  // namespace ps::layout
