#include "host/shm/direct.h"

#include <cstddef>

namespace ps {
namespace {

size_t extent(const Call& call, int size) {
  return call.columns ? call.input.extent(size) : call.input.size(0);
}

// An output that lies over input which peers still read.
bool overwrites_lent_input(const Call& call) {
  return call.kind() == Kind::kAllToAll && call.input.base == call.output.base;
}

}  // namespace

void Direct::announce(const Lent& found) {
  lends_ = found.input.region != 0;
  if (line_ == Line::kSecond) header(board_.rank()).opening.lends = lends_ ? Opening::kLendsInput : 0;
  if (lends_ || line_ == Line::kFlag) lent(board_.rank()) = found;
}

void Direct::announce_output(uint32_t root_share) {
  Opening& own = header(board_.rank()).opening;
  own.root_share = root_share;
  if (!call_.reads(board_.rank())) return;
  const Place output = board_.regions().place(call_.output.base, call_.output.extent(board_.size()), call_.signature.group);
  if (output.region == 0) return;
  lends_output_ = true;
  own.lends |= Opening::kLendsOutput;
  lent(board_.rank()).output = output;
}

bool Direct::is_shared(int member) const {
  if (line_ == Line::kFlag || member == board_.rank()) return false;
  const int rank = board_.rank();
  const bool gives = call_.stages(rank) && call_.reads(member) && lends_ && lends_output(member);
  return gives || (call_.stages(member) && call_.reads(rank) && lends(member) && lends_output_);
}

std::byte* Direct::output_at(int member, size_t at, size_t bytes) const {
  const Place& place = lent(member).output;
  return board_.regions().at(member, {place.region, place.offset + at}, bytes);
}

Lent Direct::find() const {
  if (call_.uneven || !call_.stages(board_.rank()) || overwrites_lent_input(call_)) return {};
  const uint16_t group = call_.signature.group;
  const Place input = board_.regions().place(call_.input.base, extent(call_, board_.size()), group);
  if (input.region == 0 || call_.kind() != Kind::kAllReduce) return {input, {}};
  // Sums go into all outputs or into none, so input alone is no use.
  const Place output = board_.regions().place(call_.output.base, call_.output.size(0), group);
  return output.region == 0 ? Lent{} : Lent{input, output};
}

bool Direct::everything() const {
  for (int member = 0; member < board_.size(); ++member) {
    if (!lends(member)) return false;
  }
  return true;
}

const std::byte* Direct::input(int member) const {
  const size_t bytes = extent(call_, board_.size());
  const size_t column = call_.columns ? call_.input.offset(board_.rank()) : 0;
  if (!call_.columns && !call_.output.are_equal()) {
    return board_.regions().at(member, lent(member).input, call_.output.size(member));
  }
  return board_.regions().at(member, lent(member).input, bytes) + column;
}

std::byte* Direct::output(int member) const {
  return board_.regions().at(member, lent(member).output, call_.output.size(0));
}

bool Direct::uses(int member) const {
  if (member == board_.rank()) return false;
  return (call_.reads(board_.rank()) && call_.stages(member) && lends(member)) || is_shared(member);
}

bool Direct::uses_lent() const {
  for (int member = 0; member < board_.size(); ++member) {
    if (uses(member)) return true;
  }
  return false;
}

bool Direct::uses_no_ring() const {
  if (call_.stages(board_.rank()) && !lends_) return false;
  for (int member = 0; call_.reads(board_.rank()) && member < board_.size(); ++member) {
    if (member != board_.rank() && call_.stages(member) && !lends(member)) return false;
  }
  return true;
}

void Direct::done() { board_.store(board_.own().done.value, sequence_); }

bool Direct::is_using(int member) const {
  if (member == board_.rank()) return false;
  const bool uses = (lends_ && call_.reads(member)) || (lends_output_ && call_.stages(member) && is_shared(member));
  return uses && board_.lines(member).done.value.load(std::memory_order_seq_cst) < sequence_;
}

bool Direct::released() const {
  if (!lends_ && !lends_output_) return true;
  for (int member = 0; member < board_.size(); ++member) {
    if (is_using(member)) return false;
  }
  return true;
}

std::vector<int> Direct::takers_back() const {
  std::vector<int> members;
  for (int member = 0; member < board_.size(); ++member) {
    if (uses(member) && header(member).retracted.load(std::memory_order_seq_cst) != 0) members.push_back(member);
  }
  return members;
}

std::vector<int> Direct::retract() {
  if (!lends_ && !lends_output_) return {};
  header(board_.rank()).retracted.store(1, std::memory_order_seq_cst);
  return board_.touchers(&MemberLines::touching, [this](int member) {
    return (lends_ && call_.reads(member)) || (lends_output_ && call_.stages(member));
  });
}

std::vector<int> Direct::awaited() const {
  std::vector<int> users;
  for (int member = 0; member < board_.size(); ++member) {
    if (is_using(member)) users.push_back(member);
  }
  return users;
}

}  // namespace ps
