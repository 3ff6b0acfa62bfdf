#include "host/net/links.h"

namespace ps {
namespace {

constexpr uint64_t kCollectives = 1;
constexpr uint64_t kMessages = 2;
constexpr uint64_t kNotices = 3;
constexpr uint64_t kContributions = 4;
constexpr uint64_t kResults = 5;
constexpr size_t kNoticeBytes = 2048;

}  // namespace

Links::Link::Link(Transport& transport, int peer, const Sizes& sizes)
    : collectives(transport, peer, kCollectives, sizes.begin),
      messages(transport, peer, kMessages, sizes.message),
      notices(transport, peer, kNotices, kNoticeBytes, Lane::Reader::kIsTold),
      contributions{{transport, peer, kContributions, PieceStream::Way::kOut, sizes.piece},
                    {transport, peer, kContributions, PieceStream::Way::kIn, sizes.piece}},
      results{{transport, peer, kResults, PieceStream::Way::kOut, sizes.piece},
              {transport, peer, kResults, PieceStream::Way::kIn, sizes.piece}} {}

Links::Links(Transport& transport, int rank, int size, const Sizes& sizes, std::function<void(int)> on_use)
    : transport_(transport), rank_(rank), sizes_(sizes), on_use_(std::move(on_use)) {
  for (int peer = 0; peer < size; ++peer) links_.push_back(std::make_unique<Link>(transport, peer, sizes));
}

Links::Link& Links::use(int peer) {
  Link& link = *links_[static_cast<size_t>(peer)];
  if (link.used.load(std::memory_order_acquire)) return link;
  std::call_once(link.once, [&] {
    // In this order a peer never learns that there is room for a notice and none for what was sent before it.
    link.collectives.open();
    link.messages.open();
    link.notices.open();
    link.used.store(true, std::memory_order_release);
    on_use_(peer);
  });
  return link;
}

template <class Visit>
void Links::visit_streams(Visit&& visit) {
  for (const auto& link : links_) {
    for (auto* pair : {&link->contributions, &link->results}) {
      for (PieceStream& stream : *pair) visit(stream);
    }
  }
}

void Links::begin_streams() {
  visit_streams([](PieceStream& stream) { stream.begin(); });
}

void Links::abandon_streams() {
  visit_streams([](PieceStream& stream) { stream.abandon(); });
}

bool Links::all_sent(int peer) {
  Link& link = *links_[static_cast<size_t>(peer)];
  return data_is_sent(peer) && (!link.used.load() || link.notices.all_sent());
}

bool Links::data_is_sent(int peer) {
  Link& link = *links_[static_cast<size_t>(peer)];
  return !link.used.load() || (link.collectives.all_sent() && link.messages.all_sent());
}

}  // namespace ps
