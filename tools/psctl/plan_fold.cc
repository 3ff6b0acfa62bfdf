// Members of parallel groups are digits of a number in a mixed base, so a list is a block of steps that repeats at
// equal distances, and the block is such a list again. Each level is written with its first two, and its last,
// repetition.
#include "plan_fold.h"

#include <algorithm>
#include <vector>

namespace psctl {
namespace {

using Ranks = std::span<const int32_t>;

constexpr size_t kMostWhole = 4;  // repetitions that are all written
constexpr size_t kMostRuns = 6;   // of a list without a pattern

bool is_arithmetic(Ranks ranks) {
  for (size_t i = 2; i < ranks.size(); ++i) {
    if (ranks[i] - ranks[i - 1] != ranks[1] - ranks[0]) return false;
  }
  return true;
}

bool repeats(Ranks ranks, size_t block) {
  const int32_t distance = ranks[block] - ranks[0];
  for (size_t i = block; i < ranks.size(); ++i) {
    if (ranks[i] - ranks[i - block] != distance) return false;
  }
  return true;
}

std::string join(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ",") + part;
  return text;
}

std::string fold_inner(Ranks ranks);

std::string fold_blocks(Ranks ranks, size_t block) {
  const size_t count = ranks.size() / block;
  std::vector<std::string> parts;
  for (size_t i = 0; i < count; ++i) {
    if (count > kMostWhole && i == 2) {
      parts.emplace_back("..");
      i = count - 1;
    }
    parts.push_back(fold_inner(ranks.subspan(i * block, block)));
  }
  return join(parts);
}

std::string fold_runs(Ranks ranks) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin < ranks.size();) {
    size_t end = begin + 1;
    while (end < ranks.size() && ranks[end] == ranks[end - 1] + 1) ++end;
    parts.push_back(fold_inner(ranks.subspan(begin, end - begin)));
    begin = end;
  }
  if (parts.size() > kMostRuns) {
    parts.erase(parts.begin() + kMostRuns - 1, parts.end() - 1);
    parts.insert(parts.end() - 1, "..");
  }
  return join(parts);
}

std::string fold_inner(Ranks ranks) {
  if (ranks.size() == 1) return std::to_string(ranks[0]);
  if (ranks.size() == 2) return join({std::to_string(ranks[0]), std::to_string(ranks[1])});
  if (is_arithmetic(ranks)) {
    if (ranks[1] == ranks[0] + 1) return std::to_string(ranks.front()) + ".." + std::to_string(ranks.back());
    return fold_blocks(ranks, 1);
  }
  for (size_t block = 2; block <= ranks.size() / 2; ++block) {
    if (ranks.size() % block == 0 && repeats(ranks, block)) return fold_blocks(ranks, block);
  }
  return fold_runs(ranks);
}

}  // namespace

std::string fold(Ranks ranks) { return ranks.empty() ? "[]" : "[" + fold_inner(ranks) + "]"; }

}  // namespace psctl
