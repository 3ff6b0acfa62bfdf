#include "host/self_messages.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "host/operation.h"

namespace ps {

void match_message(int peer, const Message& receive, const Signature& sent) {
  if (is_match(receive, sent)) return;
  throw MismatchFound{peer, sent, fmt::format("the message has tag {}", receive.tag), receive.signature};
}

void SelfMessages::post(Message& message, int rank) {
  auto& partners = message.is_send() ? receives_ : sends_;
  const auto found = std::find_if(partners.begin(), partners.end(), [&](const Message* other) {
    return takes(*other, message.tag, message.signature.group);
  });
  if (found == partners.end()) {
    (message.is_send() ? sends_ : receives_).push_back(&message);
    return;
  }
  Message& partner = **found;
  partners.erase(found);
  Message& send = message.is_send() ? message : partner;
  Message& receive = message.is_send() ? partner : message;
  match_message(rank, receive, send.signature);
  if (receive.bytes > 0) std::memcpy(receive.buffer, send.buffer, receive.bytes);
  send.done = receive.done = true;
}

int SelfMessages::receives(int32_t tag, uint16_t group) const {
  return static_cast<int>(
      std::count_if(receives_.begin(), receives_.end(), [&](const Message* m) { return takes(*m, tag, group); }));
}

void SelfMessages::drop_all() {
  sends_.clear();
  receives_.clear();
}

}  // namespace ps
