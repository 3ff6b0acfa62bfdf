#include "host/mailbox.h"

#include <algorithm>
#include <cstring>

#include "host/copy/copy.h"

namespace ps {
namespace {

// Messages up to this size travel whole in one entry.
constexpr size_t kLargestEntry = 8 << 10;
// What a larger one may put into the ring before its receive is known: its beginning, or all of it.
constexpr size_t kAhead = 64 << 10;
// The receiver copies a piece out while the sender copies the next one in.
constexpr size_t kSmallestPiece = 16 << 10;
constexpr size_t kLargestPiece = 64 << 10;

template <class List, class Match>
auto take_first(List& list, Match&& match) -> typename List::value_type {
  const auto found = std::find_if(list.begin(), list.end(), match);
  if (found == list.end()) return {};
  typename List::value_type item = std::move(*found);
  list.erase(found);
  return item;
}

size_t piece_of(size_t bytes) { return std::clamp(bytes / 8 / 64 * 64, kSmallestPiece, kLargestPiece); }

// How much of a large send may be in the ring now.
size_t allowed(const Message& send) { return send.accepted ? send.bytes : std::min(send.bytes, kAhead); }

}  // namespace

// A message that came before its receive, as far as it has come.
struct Mailbox::Unexpected {
  int32_t tag = 0;
  uint64_t number = 0;  // 0: in one entry
  Signature signature;
  std::vector<std::byte> data;
};

struct Mailbox::Peer {
  explicit Peer(std::unique_ptr<MessagePath> its_path) : path(std::move(its_path)) {}

  std::unique_ptr<MessagePath> path;
  std::deque<uint64_t> accepts;                      // to be told to the peer
  std::deque<Message*> sends;                        // not yet on the path, in order
  std::unordered_map<uint64_t, Message*> announced;  // large sends that have sent their beginning and wait for the receive
  std::deque<Message*> streaming;                    // large sends that may go on
  std::deque<Message*> receives;                     // posted, in order
  std::deque<std::unique_ptr<Unexpected>> unexpected;
  std::unordered_map<uint64_t, Message*> arriving;   // receives of accepted large messages
};

Mailbox::Mailbox(int rank, int size, OpenPath open_path)
    : rank_(rank), open_path_(std::move(open_path)), peers_(static_cast<size_t>(size)) {}

Mailbox::~Mailbox() = default;

void Mailbox::post(Message& message) {
  if (message.peer == rank_) return own_.post(message, message.peer);
  auto& peer = peers_[static_cast<size_t>(message.peer)];
  if (!peer) peer = std::make_unique<Peer>(open_path_(message.peer));
  if (message.is_send()) {
    peer->sends.push_back(&message);
    flush(message.peer);
    return;
  }
  const auto waiting = take_first(peer->unexpected, [&](const auto& u) { return takes(message, u->tag, u->signature.group); });
  if (!waiting) {
    peer->receives.push_back(&message);
    return;
  }
  match_message(message.peer, message, waiting->signature);
  message.moved = std::min(message.bytes, waiting->data.size());
  copy(CopyTarget::kOutput, message.buffer, waiting->data.data(), message.moved);
  if (message.moved == message.bytes) {
    message.done = true;
  } else {
    expect_pieces(*peer, message, waiting->number);
    flush(message.peer);
  }
}

void Mailbox::expect_pieces(Peer& peer, Message& receive, uint64_t number) {
  peer.arriving[number] = &receive;
  if (receive.bytes > kAhead) peer.accepts.push_back(number);
}

bool Mailbox::interested(const Peer& peer) const {
  return !peer.receives.empty() || !peer.arriving.empty() || !peer.announced.empty() || !peer.accepts.empty() ||
         !peer.sends.empty() || !peer.streaming.empty();
}

void Mailbox::step() {
  for (size_t i = 0; i < peers_.size(); ++i) {
    if (!peers_[i] || !interested(*peers_[i])) continue;
    const int peer = static_cast<int>(i);
    MessagePath& path = *peers_[i]->path;
    bool popped = false;
    while (const auto entry = path.front()) {
      receive(peer, *entry);
      popped |= path.pop();
      // Once nothing more is expected the rest may stay on the path: that is what bounds a sender.
      if (!interested(*peers_[i])) break;
    }
    if (popped) path.ring();
    flush(peer);
  }
}

void Mailbox::receive(int from, const Entry& entry) {
  Peer& peer = *peers_[static_cast<size_t>(from)];
  switch (entry.type) {
    case EntryType::kEager:
    case EntryType::kAnnounce: {
      const bool eager = entry.type == EntryType::kEager;
      Message* receive = take_first(peer.receives, [&](const Message* m) { return takes(*m, entry.tag, entry.signature.group); });
      if (receive == nullptr) {
        auto unexpected = std::make_unique<Unexpected>(Unexpected{entry.tag, entry.message, entry.signature, {}});
        unexpected->data.assign(entry.payload.begin(), entry.payload.end());
        peer.unexpected.push_back(std::move(unexpected));
        return;
      }
      match_message(from, *receive, entry.signature);
      if (eager) {
        copy(CopyTarget::kOutput, receive->buffer, entry.payload.data(), std::min(receive->bytes, entry.payload.size()));
        receive->done = true;
      } else {
        expect_pieces(peer, *receive, entry.message);
      }
      return;
    }
    case EntryType::kAccept: {
      const auto found = peer.announced.find(entry.message);
      if (found == peer.announced.end()) return;
      Message& send = *found->second;
      // One that is in the middle of its beginning streams already.
      if (send.moved == allowed(send)) peer.streaming.push_back(&send);
      send.accepted = true;
      peer.announced.erase(found);
      return;
    }
    case EntryType::kPiece: {
      const auto found = peer.arriving.find(entry.message);
      if (found == peer.arriving.end()) return keep(peer, entry);
      Message& receive = *found->second;
      const size_t bytes = std::min(entry.payload.size(), receive.bytes - receive.moved);
      copy(output_of(receive.bytes), receive.buffer + receive.moved, entry.payload.data(), bytes);
      receive.moved += bytes;
      if (receive.moved < receive.bytes) return;
      peer.arriving.erase(found);
      receive.done = true;
      return;
    }
    case EntryType::kWrap: return;
  }
}

// A piece of a message whose receive is not posted.
void Mailbox::keep(Peer& peer, const Entry& entry) {
  for (auto& unexpected : peer.unexpected) {
    if (unexpected->number != entry.message) continue;
    const size_t room = kAhead - std::min(kAhead, unexpected->data.size());
    const auto kept = entry.payload.first(std::min(room, entry.payload.size()));
    unexpected->data.insert(unexpected->data.end(), kept.begin(), kept.end());
    return;
  }
}

// Puts as much on the path to `to` as there is room: answers first, then messages in order, then pieces in turn.
void Mailbox::flush(int to) {
  Peer& peer = *peers_[static_cast<size_t>(to)];
  bool wrote = false;
  const auto write = [&](const Entry& entry) {
    const bool ok = peer.path->write(entry);
    wrote |= ok;
    return ok;
  };
  bool room = true;
  while (room && !peer.accepts.empty()) {
    room = write({.type = EntryType::kAccept, .message = peer.accepts.front(), .signature = {}, .payload = {}});
    if (room) peer.accepts.pop_front();
  }
  const size_t largest_entry = std::min(kLargestEntry, peer.path->most_payload());
  while (room && !peer.sends.empty()) {
    Message& send = *peer.sends.front();
    if (send.bytes <= largest_entry) {
      room = write({EntryType::kEager, send.tag, 0, send.signature, {send.buffer, send.bytes}});
      if (room) send.done = true;
    } else {
      if (send.number == 0) send.number = next_number_++;
      room = write({EntryType::kAnnounce, send.tag, send.number, send.signature, {}});
      if (room) peer.streaming.push_back(&send);
      if (room && send.bytes > kAhead) peer.announced[send.number] = &send;
    }
    if (room) peer.sends.pop_front();
  }
  while (room && !peer.streaming.empty()) {
    Message& send = *peer.streaming.front();
    const size_t bytes = std::min({peer.path->most_payload(), piece_of(send.bytes), allowed(send) - send.moved});
    room = write({EntryType::kPiece, send.tag, send.number, send.signature, {send.buffer + send.moved, bytes}});
    if (!room) break;
    peer.path->ring();
    send.moved += bytes;
    peer.streaming.pop_front();
    if (send.moved == send.bytes) {
      send.done = true;
    } else if (send.moved < allowed(send)) {
      peer.streaming.push_back(&send);
    }
  }
  if (wrote) peer.path->ring();
}

void Mailbox::drop_all() {
  for (auto& peer : peers_) peer.reset();
  own_.drop_all();
}

}  // namespace ps
