#include "control/store/frame.h"

#include "control/store/handshake.h"
#include "control/store/message.h"
#include "support.h"

namespace ps {
namespace {

std::string header_bytes(const FrameHeader& header) {
  const auto raw = encode_frame_header(header);
  return std::string(raw.data(), raw.size());
}

TEST(Frame, AHeaderSurvivesTheWire) {
  const FrameHeader sent{FrameType::kGet, 77, 1000, 9};
  const ParsedHeader got = parse_frame_header(header_bytes(sent), true, 1 << 20);
  ASSERT_EQ(got.fault, FrameFault::kNone);
  EXPECT_EQ(got.header.type, FrameType::kGet);
  EXPECT_EQ(got.header.epoch, 77u);
  EXPECT_EQ(got.header.body_bytes, 1000u);
  EXPECT_EQ(got.header.request, 9u);
}

TEST(Frame, EveryFaultIsFound) {
  const std::string good = header_bytes({FrameType::kSet, 1, 10, 1});
  const auto fault = [](std::string bytes, size_t at, char value) {
    bytes[at] = value;
    return parse_frame_header(bytes, true, 1 << 20).fault;
  };
  EXPECT_EQ(parse_frame_header(good.substr(0, 31), true, 1).fault, FrameFault::kShort);
  EXPECT_EQ(fault(good, 0, 'X'), FrameFault::kMagic);
  EXPECT_EQ(fault(good, 4, 2), FrameFault::kVersion);
  EXPECT_EQ(fault(good, 6, 99), FrameFault::kType);
  EXPECT_EQ(fault(good, 13, 1), FrameFault::kReserved);
  EXPECT_EQ(fault(good, 22, 1), FrameFault::kTooLong);
  EXPECT_EQ(parse_frame_header(good, false, 1 << 20).fault, FrameFault::kType) << "a request before authentication";
  EXPECT_EQ(parse_frame_header(header_bytes({FrameType::kHello, 0, 10, 0}), true, 1).fault, FrameFault::kType);
}

TEST(Frame, CapsFollowWhatTheFrameMayCarry) {
  const auto fits = [](FrameType type, bool authenticated, uint64_t body) {
    return parse_frame_header(header_bytes({type, 1, body, 1}), authenticated, 1 << 20).fault == FrameFault::kNone;
  };
  EXPECT_TRUE(fits(FrameType::kHello, false, 1024));
  EXPECT_FALSE(fits(FrameType::kHello, false, 1025));
  EXPECT_TRUE(fits(FrameType::kGet, true, 64 << 10));
  EXPECT_FALSE(fits(FrameType::kGet, true, (64 << 10) + 1));
  EXPECT_TRUE(fits(FrameType::kSet, true, (1 << 20) + (64 << 10)));
  EXPECT_FALSE(fits(FrameType::kSet, true, (1 << 20) + (64 << 10) + 1));
  EXPECT_FALSE(fits(FrameType::kExchanged, true, uint64_t{1} << 62));
}

TEST(Message, RequestsSurviveTheWireAndNothingShorterOrLonger) {
  Exchange exchange = exchange_of(3, {1, 3});
  const std::vector<Request> requests = {
      SetRequest{"key", "value", 5},
      GetRequest{"key", 6},
      AddRequest{"key", -7},
      CompareAndSetRequest{"key", "old", "new", 8},
      CompareAndSetRequest{"key", std::nullopt, "new", 0},
      RemoveRequest{"key"},
      ExchangeRequest{exchange, 9},
      GiveUpRequest{PS_ERR_PEER_FAILED, 2, "why"},
  };
  for (const Request& request : requests) {
    const FrameType type = frame_type(request);
    const std::string body = encode_request(request);
    const auto parsed = parse_request(type, body);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(encode_request(*parsed), body);
    const bool open_ended = type == FrameType::kSet || type == FrameType::kCompareAndSet;
    for (size_t size = 0; size < body.size() && !open_ended; ++size) {
      EXPECT_FALSE(parse_request(type, body.substr(0, size)).has_value()) << size;
    }
    if (!open_ended) {
      EXPECT_FALSE(parse_request(type, body + "x").has_value());
    }
  }
}

TEST(Message, CountsThatLieAreRefused) {
  std::string body = encode_request(ExchangeRequest{exchange_of(0, {0, 1}), 1});
  body[body.size() - 12] = 100;  // the number of members
  EXPECT_FALSE(parse_request(FrameType::kExchange, body).has_value());
  std::string reply = encode_exchanged(1, {"a", "b"});
  reply[8] = 3;
  EXPECT_FALSE(parse_exchanged(reply).has_value());
  reply[11] = 0x7f;
  EXPECT_FALSE(parse_exchanged(reply).has_value());
}

TEST(Message, TextsFromOthersAreMadePrintable) {
  const auto error = parse_error(encode_error(Error(PS_ERR_TIMEOUT, "a\x1b[2Jb", 4)));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->text(), "a?[2Jb");
  EXPECT_EQ(error->code(), PS_ERR_TIMEOUT);
  EXPECT_EQ(error->culprit(), 4);
}

TEST(Handshake, MessagesSurviveTheWireAndProofsBindAllOfThem) {
  const Hello hello{Role::kRank, true, random_bytes(kNonceBytes), random_bytes(kClientIdBytes), "job"};
  const std::string raw = encode_hello(hello);
  const auto parsed = parse_hello(raw);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->job, "job");
  EXPECT_EQ(encode_hello(*parsed), raw);
  for (size_t size = 0; size < raw.size(); ++size) EXPECT_FALSE(parse_hello(raw.substr(0, size)).has_value());
  EXPECT_FALSE(parse_hello(raw + "x").has_value());

  const std::string challenge = encode_challenge({true, 5, random_bytes(kNonceBytes)});
  const SharedKnowledge shared("secret", raw, challenge);
  EXPECT_NE(shared.client_proof(), shared.store_proof(Welcome{})) << "a proof could be reflected";
  Hello other = hello;
  other.job = "jab";
  EXPECT_NE(shared.client_proof(), SharedKnowledge("secret", encode_hello(other), challenge).client_proof());
  EXPECT_NE(shared.client_proof(), SharedKnowledge("secrets", raw, challenge).client_proof());
  Welcome welcome{"", true, 5, 100, "h"};
  const std::string proof = shared.store_proof(welcome);
  welcome.max_value_bytes = 101;
  EXPECT_NE(proof, shared.store_proof(welcome));
}

TEST(Handshake, AFrameIsAcceptedOnceAndInOrder) {
  FrameAuthenticator sender("key");
  FrameAuthenticator receiver("key");
  const std::string first = sender.next("header", "one");
  const std::string second = sender.next("header", "two");
  EXPECT_TRUE(receiver.accepts("header", "one", first));
  EXPECT_FALSE(receiver.accepts("header", "one", first)) << "replayed";
  FrameAuthenticator fresh("key");
  EXPECT_FALSE(fresh.accepts("header", "two", second)) << "one was left out";
}

}  // namespace
}  // namespace ps
