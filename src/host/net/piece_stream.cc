#include "host/net/piece_stream.h"

namespace ps {

uint64_t PieceStream::done() {
  while (done_ < posted_) {
    psPluginTicket& oldest = tickets_[done_ % kWindow];
    if (oldest == nullptr) break;
    const Transport::State state = way_ == Way::kIn ? transport_.poll(peer_, oldest) : transport_.test(peer_, oldest);
    if (state == Transport::State::kPending) break;
    oldest = nullptr;
    if (state == Transport::State::kLost) break;
    ++done_;
  }
  return done_;
}

void PieceStream::post(std::byte* data, size_t bytes) {
  tickets_[posted_ % kWindow] = way_ == Way::kOut ? transport_.post_send(peer_, channel_, data, bytes)
                                                  : transport_.post_recv(peer_, channel_, data, bytes);
  ++posted_;
}

std::byte* PieceStream::slot(uint64_t piece) {
  if (!slots_) slots_ = std::make_unique_for_overwrite<std::byte[]>(kWindow * piece_bytes_);
  return slots_.get() + piece % kWindow * piece_bytes_;
}

void PieceStream::abandon() {
  for (psPluginTicket& ticket : tickets_) {
    if (ticket != nullptr) transport_.release(peer_, ticket);
    ticket = nullptr;
  }
}

}  // namespace ps
