#include "control/store/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/error.h"

namespace ps {
namespace {

[[noreturn]] void act_on_refusal(const Refusal& refusal, const std::string& url) {
  switch (refusal.reason) {
    case RefusalReason::kFormed: throw NotYet{refusal.text};
    case RefusalReason::kDenied: fail(PS_ERR_DENIED, "the store at {} refused this process: {}", url, refusal.text);
    default: fail(PS_ERR_SYSTEM, "the store at {} refused this process: {}", url, refusal.text);
  }
}

std::string first_bytes_of_a_frame() {
  ByteWriter writer;
  writer.integer(kFrameMagic);
  return writer.take();
}

}  // namespace

Connection::Connection(Descriptor fd, const ClientIdentity& identity, const std::string& url, Deadline deadline,
                       const StopCheck& check)
    : stream_(std::move(fd)) {
  const bool has_secret = !identity.secret.empty();
  const std::string hello =
      encode_hello({identity.role, has_secret, random_bytes(kNonceBytes), identity.id, identity.job});
  try {
    send(FrameType::kHello, hello, deadline);
  } catch (const StreamEnded&) {
    // It may have said why before it closed.
  }
  const Frame answer = receive_handshake(deadline, true, url, check);
  const auto challenge = parse_challenge(answer.body);
  if (answer.header.type != FrameType::kChallenge || !challenge) throw NotYet{"its answer made no sense"};
  if (challenge->has_secret != has_secret) {
    fail(PS_ERR_DENIED, "the store at {} has {} secret, this process has {}; give both the same PS_SECRET", url,
         challenge->has_secret ? "a" : "no", has_secret ? "one" : "none");
  }

  const SharedKnowledge shared(identity.secret, hello, answer.body);
  try {
    send(FrameType::kProof, shared.client_proof(), deadline);
  } catch (const StreamEnded&) {
  }
  const Frame reply = receive_handshake(deadline, false, url, check);
  const auto welcome = parse_welcome(reply.body);
  if (reply.header.type != FrameType::kWelcome || !welcome) throw NotYet{"its answer made no sense"};
  if (!equal_macs(welcome->proof, shared.store_proof(*welcome))) {
    fail(PS_ERR_DENIED, "what answers at {} could not prove that it knows this process's secret; give both the same "
         "PS_SECRET", url);
  }
  host_ = *welcome;
  epoch_ = challenge->epoch;
  outgoing_ = shared.to_store();
  incoming_ = shared.to_client();
}

uint64_t Connection::send(FrameType type, std::string body, Deadline deadline) {
  const FrameHeader header{type, epoch_, body.size(), ++last_request_};
  const auto raw = encode_frame_header(header);
  const std::string_view raw_view(raw.data(), raw.size());
  const std::string mac = outgoing_.next(raw_view, body);
  constexpr size_t kSmall = 64 << 10;
  if (body.size() <= kSmall) {
    stream_.send(std::string(raw_view) + body + mac, deadline);
  } else {
    stream_.send(raw_view, deadline);
    stream_.send(body, deadline);
    stream_.send(mac, deadline);
  }
  return header.request;
}

void Connection::receive_first_header(std::string& raw, Deadline deadline, const StopCheck& check) {
  const std::string magic = first_bytes_of_a_frame();
  try {
    while (raw.size() < kFrameHeaderBytes) {
      stream_.receive_some(raw, kFrameHeaderBytes - raw.size(), deadline, check);
      if (raw.compare(0, magic.size(), magic, 0, raw.size()) != 0) throw Stranger{raw};
    }
  } catch (const StreamEnded&) {
    throw Stranger{raw};
  } catch (const StreamTimeout&) {
    throw Stranger{raw, true};
  }
}

Frame Connection::receive_handshake(Deadline deadline, bool first, const std::string& url, const StopCheck& check) {
  std::string raw;
  if (first) receive_first_header(raw, deadline, check);
  try {
    if (!first) stream_.receive(raw, kFrameHeaderBytes, deadline, check);
    const ParsedHeader parsed = parse_frame_header(raw, false, 0);
    if (parsed.fault == FrameFault::kVersion) {
      fail(PS_ERR_SYSTEM, "the store at {} speaks version {} of its protocol, this library version {}; use one version "
           "of ParallelState in all processes", url, parsed.version, kFrameVersion);
    }
    if (parsed.fault != FrameFault::kNone) throw NotYet{"its answer made no sense"};
    Frame frame{parsed.header, ""};
    stream_.receive(frame.body, parsed.header.body_bytes, deadline, check);
    if (frame.header.type == FrameType::kRefusal) {
      const auto refusal = parse_refusal(frame.body);
      if (!refusal) throw NotYet{"its answer made no sense"};
      act_on_refusal(*refusal, url);
    }
    return frame;
  } catch (const StreamEnded& ended) {
    throw NotYet{fmt::format("it ended the connection{}{}", ended.error == 0 ? "" : ": ",
                             ended.error == 0 ? "" : std::strerror(ended.error))};
  } catch (const StreamTimeout&) {
    throw NotYet{"it stopped answering", true};
  }
}

void Connection::finish_sending() { ::shutdown(stream_.fd(), SHUT_WR); }

Frame Connection::receive(Deadline deadline, const StopCheck& check) {
  std::string raw;
  stream_.receive(raw, kFrameHeaderBytes, deadline, check);
  const ParsedHeader parsed = parse_frame_header(raw, true, host_.max_value_bytes);
  if (parsed.fault != FrameFault::kNone || parsed.header.epoch != epoch_) throw StreamEnded{EPROTO};
  Frame frame{parsed.header, ""};
  stream_.receive(frame.body, parsed.header.body_bytes, deadline, check);
  std::string mac;
  stream_.receive(mac, incoming_.mac_bytes(), deadline, check);
  if (!incoming_.accepts(raw, frame.body, mac)) throw StreamEnded{EPROTO};
  return frame;
}

}  // namespace ps
