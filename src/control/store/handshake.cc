#include "control/store/handshake.h"

#include "base/bytes.h"
#include "control/store/frame.h"
#include "control/store/message.h"

namespace ps {
namespace {

constexpr size_t kLongestHostName = 256;
constexpr size_t kLongestRefusal = 700;

template <class Message>
std::optional<Message> checked(const ByteReader& reader, bool valid, Message message) {
  if (!reader.complete() || !valid) return std::nullopt;
  return message;
}

std::string encode_host(const Welcome& welcome) {
  ByteWriter writer;
  writer.integer(static_cast<uint8_t>(welcome.world));
  writer.integer(welcome.pid);
  writer.integer(welcome.max_value_bytes);
  writer.text(std::string_view(welcome.host).substr(0, kLongestHostName));
  return writer.take();
}

}  // namespace

std::string encode_hello(const Hello& hello) {
  ByteWriter writer;
  writer.integer(static_cast<uint8_t>(hello.role));
  writer.integer(static_cast<uint8_t>(hello.has_secret));
  writer.fixed(hello.nonce);
  writer.fixed(hello.client_id);
  writer.text(hello.job);
  return writer.take();
}

std::optional<Hello> parse_hello(std::string_view body) {
  ByteReader reader(body);
  Hello hello;
  const auto role = reader.integer<uint8_t>();
  const auto has_secret = reader.integer<uint8_t>();
  hello.role = static_cast<Role>(role);
  hello.has_secret = has_secret == 1;
  hello.nonce = reader.fixed(kNonceBytes);
  hello.client_id = reader.fixed(kClientIdBytes);
  hello.job = printable(reader.text(kLongestJob), kLongestJob);
  return checked(reader, role >= 1 && role <= 4 && has_secret <= 1, std::move(hello));
}

std::string encode_challenge(const Challenge& challenge) {
  ByteWriter writer;
  writer.integer(static_cast<uint8_t>(challenge.has_secret));
  writer.integer(challenge.epoch);
  writer.fixed(challenge.nonce);
  return writer.take();
}

std::optional<Challenge> parse_challenge(std::string_view body) {
  ByteReader reader(body);
  Challenge challenge;
  const auto has_secret = reader.integer<uint8_t>();
  challenge.has_secret = has_secret == 1;
  challenge.epoch = reader.integer<uint32_t>();
  challenge.nonce = reader.fixed(kNonceBytes);
  return checked(reader, has_secret <= 1, std::move(challenge));
}

std::string encode_welcome(const Welcome& welcome) {
  ByteWriter writer;
  writer.text(welcome.proof);
  writer.fixed(encode_host(welcome));
  return writer.take();
}

std::optional<Welcome> parse_welcome(std::string_view body) {
  ByteReader reader(body);
  Welcome welcome;
  welcome.proof = reader.text(kMacBytes);
  const auto world = reader.integer<uint8_t>();
  welcome.world = world == 1;
  welcome.pid = reader.integer<int32_t>();
  welcome.max_value_bytes = reader.integer<uint64_t>();
  welcome.host = printable(reader.text(kLongestHostName), kLongestHostName);
  const bool valid = world <= 1 && (welcome.proof.empty() || welcome.proof.size() == kMacBytes) &&
                     welcome.max_value_bytes <= uint64_t{1} << 40;
  return checked(reader, valid, std::move(welcome));
}

std::string encode_refusal(const Refusal& refusal) {
  ByteWriter writer;
  writer.integer(static_cast<uint8_t>(refusal.reason));
  writer.text(std::string_view(refusal.text).substr(0, kLongestRefusal));
  return writer.take();
}

std::optional<Refusal> parse_refusal(std::string_view body) {
  ByteReader reader(body);
  Refusal refusal;
  const auto reason = reader.integer<uint8_t>();
  refusal.reason = static_cast<RefusalReason>(reason);
  refusal.text = printable(reader.text(kLongestRefusal), kLongestRefusal);
  return checked(reader, reason >= 1 && reason <= 5, std::move(refusal));
}

SharedKnowledge::SharedKnowledge(std::string_view secret, std::string_view hello, std::string_view challenge)
    : secret_(secret) {
  ByteWriter writer;
  writer.integer(kFrameMagic);
  writer.integer(kFrameVersion);
  writer.text(hello);
  writer.text(challenge);
  transcript_ = writer.take();
}

std::string SharedKnowledge::store_proof(const Welcome& welcome) const {
  return derived("store", encode_host(welcome));
}

std::string SharedKnowledge::derived(std::string_view purpose, std::string_view more) const {
  if (secret_.empty()) return "";
  ByteWriter label;
  label.text(purpose);
  const Mac mac = authenticate(secret_, {label.take(), transcript_, more});
  return std::string(view(mac));
}

}  // namespace ps
