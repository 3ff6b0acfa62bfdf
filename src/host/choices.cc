#include "host/choices.h"

#include <algorithm>
#include <cstdint>

namespace ps {

Choices::Choices(const Dispatch& dispatch, std::string_view plane, int size, bool crowded, const Limit& limit)
    : plane_(plane), size_(size) {
  for (size_t i = static_cast<size_t>(Kind::kAllReduce); i < choices_.size(); ++i) {
    const auto kind = static_cast<Kind>(i);
    for (const DispatchRow& row : dispatch.rows()) {
      if (!row.concerns(kind, plane_, size_, crowded)) continue;
      const std::optional<size_t> most = limit(row, kind);
      if (!most) continue;
      const size_t most_bytes = std::min(row.most_bytes, *most);
      // Sizes that nobody could choose by count as the largest there are, and a limit on bytes never fits.
      if (is_uneven(kind) && most_bytes != SIZE_MAX) continue;
      // What an earlier row takes already never gets here.
      if (!choices_[i].empty() && choices_[i].back().most_bytes >= most_bytes) continue;
      if (!choices_[i].empty() && choices_[i].back().algorithm == row.algorithm) {
        choices_[i].back().most_bytes = most_bytes;
      } else {
        choices_[i].push_back({most_bytes, row.algorithm});
      }
    }
  }
}

std::vector<DispatchRow> Choices::rows() const {
  std::vector<DispatchRow> rows;
  for (size_t i = static_cast<size_t>(Kind::kAllReduce); i < choices_.size(); ++i) {
    for (const Choice& choice : choices_[i]) {
      rows.push_back({static_cast<Kind>(i), plane_, size_, choice.most_bytes, choice.algorithm, false});
    }
  }
  return rows;
}

}  // namespace ps
