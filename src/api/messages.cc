// Point-to-point.
#include <algorithm>
#include <array>
#include <map>
#include <span>

#include "api/arguments.h"
#include "api/guard.h"
#include "api/handle.h"
#include "api/structs.h"
#include "base/error.h"

using namespace ps::api;
using ps::Kind;
using ps::Message;

namespace {

// What the caller calls a message's buffer and peer.
struct Names {
  const char* buffer;
  const char* peer;
};
constexpr Names kSendNames{"send", "dst"};
constexpr Names kRecvNames{"recv", "src"};
constexpr Names kBatchNames{"buffer", "peer"};

Message make_message(const ps::Group& group, Kind kind, const void* buffer, size_t count, psDataType dtype, int32_t peer,
                     int32_t tag, const Names& names) {
  const size_t bytes = checked_bytes(count, checked_element(dtype));
  if (tag < 0) ps::fail(PS_ERR_ARGUMENT, "tag {}; tags are 0 or larger", tag);
  check_present({buffer, bytes, names.buffer});
  Message message;
  message.peer = checked_rank(group, peer, names.peer, true);
  message.signature.kind = kind;
  message.signature.dtype = static_cast<uint8_t>(dtype);
  message.signature.root = static_cast<uint16_t>(message.peer);
  message.signature.group = group.tag();
  message.signature.count = count;
  message.tag = tag;
  message.buffer = static_cast<std::byte*>(const_cast<void*>(buffer));
  message.bytes = bytes;
  return message;
}

// A blocking send to oneself that nothing can receive would wait for ever.
void check_self_sends(const ps::Group& group, std::span<const Message> messages) {
  const auto to_self = [&](const Message& message) { return message.peer == group.rank(); };
  if (std::none_of(messages.begin(), messages.end(), to_self)) return;
  std::map<int32_t, int> unreceived;
  for (const Message& message : messages) {
    if (to_self(message)) unreceived[message.tag] += message.is_send() ? 1 : -1;
  }
  for (const auto& [tag, count] : unreceived) {
    if (count > 0 && group.communicator().self_receives(tag, group.tag()) < count) {
      ps::fail(PS_ERR_STATE, "a blocking send to oneself (rank {}, tag {}) needs its receive posted before: asynchronously, or "
               "in the same psBatch or psSendRecv", group.rank(), tag);
    }
  }
}

void run(ps::Group& group, std::span<const Message> messages, psWork* work) {
  if (work == nullptr) check_self_sends(group, messages);
  const ps::Signature what = messages.empty() ? ps::Signature{.kind = Kind::kSend} : messages.front().signature;
  auto handle = group.run(messages, what, work != nullptr);
  if (work != nullptr) *work = Pool<psWorkImpl>::make(std::shared_ptr<ps::Work>(std::move(handle)));
}

void run(ps::Group& group, const Message& message, psWork* work) {
  if (work == nullptr && message.peer != group.rank()) return group.run(message);
  run(group, {&message, 1}, work);
}

}  // namespace

psResult psSend(psGroup group, const void* send, size_t count, psDataType dtype, int32_t dst, int32_t tag, void*,
                psWork* work) {
  return guard_operation("psSend", [&] {
    ps::Group& object = open(group);
    object.communicator().expect_send();
    const Message message = make_message(object, Kind::kSend, send, count, dtype, dst, tag, kSendNames);
    run(object, message, work);
  });
}

psResult psRecv(psGroup group, void* recv, size_t count, psDataType dtype, int32_t src, int32_t tag, void*, psWork* work) {
  return guard_operation("psRecv", [&] {
    ps::Group& object = open(group);
    const Message message = make_message(object, Kind::kRecv, recv, count, dtype, src, tag, kRecvNames);
    run(object, message, work);
  });
}

psResult psSendRecv(psGroup group, const void* send, size_t send_count, int32_t dst, void* recv, size_t recv_count,
                    int32_t src, psDataType dtype, int32_t tag, void*, psWork* work) {
  return guard_operation("psSendRecv", [&] {
    ps::Group& object = open(group);
    const std::array<Message, 2> messages = {
        make_message(object, Kind::kRecv, recv, recv_count, dtype, src, tag, kRecvNames),
        make_message(object, Kind::kSend, send, send_count, dtype, dst, tag, kSendNames)};
    check_apart({send, messages[1].bytes, "send"}, {recv, messages[0].bytes, "recv"}, nullptr, nullptr);
    run(object, messages, work);
  });
}

psResult psBatch(psGroup group, const psMessage* messages, size_t count, void*, psWork* work) {
  return guard_operation("psBatch", [&] {
    ps::Group& object = open(group);
    if (messages == nullptr && count > 0) ps::fail(PS_ERR_ARGUMENT, "messages is NULL with a count of {}", count);
    std::vector<Message> list;
    for (size_t i = 0; i < count; ++i) {
      const auto* entry = reinterpret_cast<const psMessage*>(reinterpret_cast<const char*>(messages) + i * messages->struct_size);
      if (entry->struct_size != messages->struct_size) ps::fail(PS_ERR_ARGUMENT, "messages[{}].struct_size differs from messages[0]'s", i);
      const psMessage given = read_options(entry, "psMessage");
      check_flags(given.flags, 0, "psMessage.flags");
      if (given.direction != PS_SEND && given.direction != PS_RECV) {
        ps::fail(PS_ERR_ARGUMENT, "messages[{}].direction is {}; use PS_SEND or PS_RECV", i, given.direction);
      }
      const Kind kind = given.direction == PS_SEND ? Kind::kSend : Kind::kRecv;
      try {
        list.push_back(make_message(object, kind, given.buffer, given.count, given.dtype, given.peer, given.tag, kBatchNames));
      } catch (const ps::Error& error) {
        ps::fail(error.code(), "messages[{}]: {}", i, error.text());
      }
    }
    for (size_t i = 0; i < list.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        if (list[i].is_send() && list[j].is_send()) continue;
        check_apart({list[j].buffer, list[j].bytes, "an earlier message's buffer"}, {list[i].buffer, list[i].bytes, "a later one's"}, nullptr, nullptr);
      }
    }
    run(object, list, work);
  });
}
