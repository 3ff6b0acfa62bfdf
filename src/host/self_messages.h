// Messages of a rank to itself: matched by (group, tag) in order, copied when both sides are there.
#pragma once

#include <deque>

#include "host/message.h"

namespace ps {

// Whether a posted receive is for a message with that tag and group.
inline bool takes(const Message& receive, int32_t tag, uint16_t group) {
  return receive.tag == tag && receive.signature.group == group;
}

// Whether the receive asks for what was sent.
inline bool is_match(const Message& receive, const Signature& sent) {
  return receive.signature.dtype == sent.dtype && receive.signature.count == sent.count;
}
// Throws MismatchFound unless the receive asks for what was sent.
void match_message(int peer, const Message& receive, const Signature& sent);

class SelfMessages {
 public:
  // `rank`: this one, for the error. Throws MismatchFound.
  void post(Message& message, int rank);
  // How many receives are posted for a tag.
  int receives(int32_t tag, uint16_t group) const;
  void drop_all();

 private:
  std::deque<Message*> sends_;
  std::deque<Message*> receives_;
};

}  // namespace ps
