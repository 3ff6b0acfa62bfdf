#include "host/mailbox.h"

#include <algorithm>
#include <cstring>

#include "host/copy/copy.h"
#include "host/copy/copy_few.h"

namespace ps {
namespace {

// Up to so many bytes a copy is not worth choosing a method for.
constexpr size_t kFewBytes = 64;
// Messages up to this size travel whole in one entry.
constexpr size_t kLargestEntry = 8 << 10;
// What a larger one may put into the ring before its receive is known: its beginning, or all of it.
constexpr size_t kAhead = 60 << 10;
// Messages of these sizes are lent, where the path can: larger ones would pass through caches that do not hold them. They
// wait for their receive either way.
constexpr size_t kLeastLent = 64 << 10;
constexpr size_t kMostLent = 24 << 20;
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

std::span<const std::byte> payload_of(const uint64_t& address) { return std::as_bytes(std::span(&address, 1)); }

uint64_t address_in(const Entry& entry) {
  uint64_t address = 0;
  std::memcpy(&address, entry.payload.data(), std::min(sizeof address, entry.payload.size()));
  return address;
}

Entry whole(const Message& send) { return {EntryType::kEager, send.tag, 0, send.signature, {send.buffer, send.bytes}}; }

// How much of a large send may be in the ring now.
size_t allowed(const Message& send) { return send.accepted ? send.bytes : std::min(send.bytes, kAhead); }

}  // namespace

// A message that came before its receive, as far as it has come.
struct Mailbox::Unexpected {
  int32_t tag = 0;
  uint64_t number = 0;  // 0: in one entry
  Signature signature;
  std::vector<std::byte> data;
  uint64_t lent_at = 0;  // not 0: it stays with its sender
};

struct Mailbox::Peer {
  explicit Peer(std::unique_ptr<MessagePath> its_path) : path(std::move(its_path)) {}

  std::unique_ptr<MessagePath> path;
  struct Answer {
    EntryType type;
    uint64_t number;
    uint64_t address;
  };
  std::deque<Answer> answers;                        // to be told to the peer
  std::deque<Message*> sends;                        // not yet on the path, in order
  std::vector<Message*> announced;                   // large sends that wait for their receive
  std::deque<Message*> streaming;                    // large sends that may go on
  std::deque<Message*> receives;                     // posted, in order
  std::deque<std::unique_ptr<Unexpected>> unexpected;
  std::unordered_map<uint64_t, Message*> arriving;   // receives of accepted large messages
  std::deque<Message*> lent;                         // sends whose receive is posted
  std::deque<Message*> taken;                        // receives of lent messages
};

Mailbox::Mailbox(int rank, OpenPath open_path, PathCounts& paths)
    : rank_(rank), open_path_(std::move(open_path)), paths_(paths) {}

Mailbox::~Mailbox() = default;

Mailbox::Peer& Mailbox::meet(int peer) {
  const auto place = static_cast<size_t>(peer);
  if (place >= peers_.size()) peers_.resize(place + 1);
  if (!peers_[place]) peers_[place] = std::make_unique<Peer>(open_path_(peer));
  return *peers_[place];
}

bool Mailbox::send_at_once(const Message& message) {
  Peer* const peer = known(message.peer);
  if (peer == nullptr || message.bytes > kLargestEntry || !peer->sends.empty() || !peer->answers.empty() ||
      message.bytes > peer->path->most_payload() || !peer->path->write(whole(message))) {
    return false;
  }
  peer->path->ring();
  paths_.add(Kind::kSend, Path::kEager);
  return true;
}

AtOnce Mailbox::receive_at_once(const Message& message) {
  Peer* const peer = known(message.peer);
  if (peer == nullptr || message.bytes > kLargestEntry || !peer->receives.empty() || !peer->unexpected.empty()) {
    return AtOnce::kNo;
  }
  const auto entry = peer->path->front();
  if (!entry) return AtOnce::kNotYet;
  if (entry->type != EntryType::kEager || !takes(message, entry->tag, entry->signature.group) ||
      !is_match(message, entry->signature)) {
    return AtOnce::kNo;
  }
  const size_t bytes = std::min(message.bytes, entry->payload.size());
  if (bytes <= kFewBytes) {
    copy_few(message.buffer, entry->payload.data(), bytes);
  } else {
    copy(CopyTarget::kOutput, message.buffer, entry->payload.data(), bytes);
  }
  if (peer->path->pop()) peer->path->ring();
  return AtOnce::kDone;
}

void Mailbox::post(Message& message) {
  if (message.peer == rank_) {
    if (message.is_send()) paths_.add(Kind::kSend, Path::kCopy);
    return own_.post(message, message.peer);
  }
  Peer& peer = meet(message.peer);
  if (message.is_send()) {
    if (send_at_once(message)) {
      message.done = true;
      return;
    }
    peer.sends.push_back(&message);
    flush(message.peer);
    return;
  }
  const auto waiting = take_first(peer.unexpected, [&](const auto& u) { return takes(message, u->tag, u->signature.group); });
  if (!waiting) {
    peer.receives.push_back(&message);
    return;
  }
  match_message(message.peer, message, waiting->signature);
  if (waiting->lent_at != 0) {
    take(peer, message, waiting->number, waiting->lent_at);
    flush(message.peer);
    return;
  }
  message.moved = std::min(message.bytes, waiting->data.size());
  copy(CopyTarget::kOutput, message.buffer, waiting->data.data(), message.moved);
  if (message.moved == message.bytes) {
    message.done = true;
  } else {
    expect_pieces(peer, message, waiting->number);
    flush(message.peer);
  }
}

void Mailbox::expect_pieces(Peer& peer, Message& receive, uint64_t number) {
  peer.arriving[number] = &receive;
  if (receive.bytes > kAhead) peer.answers.push_back({EntryType::kAccept, number, 0});
}

void Mailbox::take(Peer& peer, Message& receive, uint64_t number, uint64_t address) {
  receive.peer_address = address;
  peer.answers.push_back({EntryType::kTake, number, peer.path->lend(receive.buffer, receive.bytes)});
  peer.taken.push_back(&receive);
}

// Whether a message was done.
bool Mailbox::move_lent(Peer& peer) {
  const auto move = [](std::deque<Message*>& messages, auto&& move_one) {
    bool any = false;
    while (!messages.empty() && move_one(*messages.front())) {
      messages.front()->done = any = true;
      messages.pop_front();
    }
    return any;
  };
  // Not before its sender has been told of it: who is done steps no more, and the sender would wait for ever.
  const bool received = move(peer.taken, [&](const Message& m) {
    return peer.answers.empty() && peer.path->move_in(m.buffer, m.peer_address, m.bytes);
  });
  const bool sent = move(peer.lent, [&](const Message& m) { return peer.path->move_out(m.buffer, m.peer_address, m.bytes); });
  return received || sent;
}

bool Mailbox::interested(const Peer& peer) const {
  return !peer.receives.empty() || !peer.arriving.empty() || !peer.announced.empty() || !peer.answers.empty() ||
         !peer.sends.empty() || !peer.streaming.empty() || !peer.lent.empty() || !peer.taken.empty();
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
    move_lent(*peers_[i]);
  }
}

void Mailbox::receive(int from, const Entry& entry) {
  Peer& peer = *peers_[static_cast<size_t>(from)];
  switch (entry.type) {
    case EntryType::kEager:
    case EntryType::kLend:
    case EntryType::kAnnounce: {
      const bool eager = entry.type == EntryType::kEager;
      const uint64_t lent_at = entry.type == EntryType::kLend ? address_in(entry) : 0;
      Message* receive = take_first(peer.receives, [&](const Message* m) { return takes(*m, entry.tag, entry.signature.group); });
      if (receive == nullptr) {
        auto unexpected = std::make_unique<Unexpected>(Unexpected{entry.tag, entry.message, entry.signature, {}, lent_at});
        if (lent_at == 0) unexpected->data.assign(entry.payload.begin(), entry.payload.end());
        peer.unexpected.push_back(std::move(unexpected));
        return;
      }
      match_message(from, *receive, entry.signature);
      if (eager) {
        copy(CopyTarget::kOutput, receive->buffer, entry.payload.data(), std::min(receive->bytes, entry.payload.size()));
        receive->done = true;
      } else if (lent_at != 0) {
        take(peer, *receive, entry.message, lent_at);
      } else {
        expect_pieces(peer, *receive, entry.message);
      }
      return;
    }
    case EntryType::kAccept: {
      Message* const send = take_first(peer.announced, [&](const Message* m) { return m->number == entry.message; });
      if (send == nullptr) return;
      // One that is in the middle of its beginning streams already.
      if (send->moved == allowed(*send)) peer.streaming.push_back(send);
      send->accepted = true;
      return;
    }
    case EntryType::kTake: {
      Message* const send = take_first(peer.announced, [&](const Message* m) { return m->number == entry.message; });
      if (send == nullptr) return;
      send->peer_address = address_in(entry);
      peer.lent.push_back(send);
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
  while (room && !peer.answers.empty()) {
    const auto& [type, number, address] = peer.answers.front();
    room = write({type, 0, number, {}, type == EntryType::kTake ? payload_of(address) : std::span<const std::byte>()});
    if (room) peer.answers.pop_front();
  }
  const size_t largest_entry = std::min(kLargestEntry, peer.path->most_payload());
  while (room && !peer.sends.empty()) {
    Message& send = *peer.sends.front();
    if (send.bytes <= largest_entry) {
      room = write(whole(send));
      if (room) {
        paths_.add(Kind::kSend, Path::kEager);
        send.done = true;
      }
    } else {
      if (send.number == 0) send.number = next_number_++;
      const bool suits = send.bytes >= kLeastLent && send.bytes <= kMostLent;
      const uint64_t address = suits ? peer.path->lend(send.buffer, send.bytes) : 0;
      room = write({address != 0 ? EntryType::kLend : EntryType::kAnnounce, send.tag, send.number, send.signature,
                    address != 0 ? payload_of(address) : std::span<const std::byte>()});
      if (room) paths_.add(Kind::kSend, address != 0 ? Path::kLent : Path::kPieces);
      if (room && address == 0) peer.streaming.push_back(&send);
      if (room && (address != 0 || send.bytes > kAhead)) peer.announced.push_back(&send);
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
