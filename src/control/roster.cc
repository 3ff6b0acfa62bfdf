#include "control/roster.h"

namespace ps {

Member Roster::member(int32_t rank) const {
  const Record& one = record(rank);
  return {one.node, one.local_rank, one.pid, one.local_index, one.place, texts() + one.hostname, texts() + one.address};
}

void RosterWriter::add(const Member& member, std::string_view hostname, std::string_view address) {
  if (member.local_index >= 0) local_ranks_.push_back(static_cast<int32_t>(records_.size()));
  records_.push_back({member.node, member.local_rank, member.pid, member.local_index, member.place, keep(hostname), keep(address)});
}

TransientBytes RosterWriter::finish() {
  const Roster::Sizes sizes{static_cast<int32_t>(records_.size()), static_cast<int32_t>(local_ranks_.size())};
  TransientBytes bytes;
  bytes.reserve(sizeof sizes + records_.size() * sizeof records_[0] + local_ranks_.size() * sizeof local_ranks_[0] + texts_.size());
  bytes.append(reinterpret_cast<const char*>(&sizes), sizeof sizes);
  bytes.append(reinterpret_cast<const char*>(records_.data()), records_.size() * sizeof records_[0]);
  bytes.append(reinterpret_cast<const char*>(local_ranks_.data()), local_ranks_.size() * sizeof local_ranks_[0]);
  bytes += texts_;
  return bytes;
}

uint32_t RosterWriter::keep(std::string_view text) {
  const auto [found, is_new] = kept_.try_emplace(text, static_cast<uint32_t>(texts_.size()));
  if (is_new) (texts_ += text) += '\0';
  return found->second;
}

}  // namespace ps
