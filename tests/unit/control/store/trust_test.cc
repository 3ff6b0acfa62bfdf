// Who may speak to a store: secrets, replay, tampering, and peers that mean ill.
#include <sys/stat.h>

#include "control/store/frame.h"
#include "control/store/handshake.h"
#include "support.h"

namespace ps {
namespace {

using Trust = StoreTest;

TEST_F(Trust, DifferentOrMissingSecretsAreDenied) {
  const auto with = host_store(settings("tcp://127.0.0.1:0", "right"));
  const auto without = host_store(settings("tcp://127.0.0.1:0"));
  EXPECT_ERROR(join_store(settings(with->url(), "wrong"), soon()), PS_ERR_DENIED, "different secrets", with->url());
  EXPECT_ERROR(join_store(settings(with->url()), soon()), PS_ERR_DENIED, "has no secret, the store's host has one");
  EXPECT_ERROR(join_store(settings(without->url(), "right"), soon()), PS_ERR_DENIED,
               "has a secret, the store's host has none");
  EXPECT_NO_THROW(join_store(settings(with->url(), "right"), soon()));
}

TEST_F(Trust, TheHostIsToldWhomItRefused) {
  const auto host = meet_store(settings("tcp://127.0.0.1:0", "right"), soon());
  EXPECT_ERROR(join_store(settings(host->url(), "wrong"), soon()), PS_ERR_DENIED);
  EXPECT_ERROR(host->exchange(exchange_of(0, {0, 1}), Deadline::in_ms(10), [] {}), PS_ERR_TIMEOUT, "Missing: rank 1",
               "Refused: a client at 127.0.0.1", "different secrets");
}

TEST_F(Trust, AnotherJobIsNamed) {
  const auto host = meet_store(settings("tcp://127.0.0.1:0", "s", "training"), soon());
  EXPECT_ERROR(join_store(settings(host->url(), "s", "evaluation"), soon()), PS_ERR_SYSTEM, "\"training\"",
               "\"evaluation\"", "pid " + std::to_string(::getpid()));
  EXPECT_ERROR(join_store(settings(host->url(), "x", "evaluation"), soon()), PS_ERR_DENIED);
  // One that is no rank may ask any store.
  EXPECT_EQ(join_store(settings(host->url(), "s", ""), soon())->add("n", 1), 1);
}

TEST_F(Trust, NothingIsServedBeyondLoopbackWithoutASecret) {
  EXPECT_ERROR(host_store(settings("tcp://0.0.0.0:0")), PS_ERR_DENIED, "PS_SECRET", "ALLOW_UNAUTHENTICATED");
  EXPECT_ERROR(meet_store(settings("tcp://[::]:0"), soon()), PS_ERR_DENIED, "PS_SECRET");
  StoreSettings open = settings("tcp://0.0.0.0:0");
  open.allow_unauthenticated = true;
  EXPECT_EQ(host_store(open)->url().find("0.0.0.0"), std::string::npos);
  const auto closed = host_store(settings("tcp://0.0.0.0:0", "secret"));
  EXPECT_EQ(join_store(settings(closed->url(), "secret"), soon())->add("n", 1), 1);
}

TEST_F(Trust, ARecordedHandshakeIsOfNoUse) {
  const auto host = host_store(settings("tcp://127.0.0.1:0", "secret"));
  std::string recorded;
  {
    Proxy proxy(host->url());
    const auto client = join_store(settings(proxy.url(), "secret"), soon());
    client->set("k", "genuine", 0);
    recorded = proxy.sent_by_clients();
  }
  host->set("k", "later", 0);
  Stream attacker = connect_raw(host->url());
  attacker.send(recorded, soon());
  std::string answer;
  // Challenge, refusal, end: the recorded proof answers another challenge.
  EXPECT_THROW(attacker.receive(answer, 1 << 20, soon()), StreamEnded);
  EXPECT_NE(answer.find("different secrets"), std::string::npos);
  EXPECT_EQ(host->get("k", soon()), "later");
}

TEST_F(Trust, ARecordedStoreIsFoundOut) {
  const auto host = host_store(settings("tcp://127.0.0.1:0", "secret"));
  std::string from_store;
  {
    Proxy proxy(host->url(), [&](std::string& piece, bool to_store) {
      if (!to_store) from_store += piece;
    });
    join_store(settings(proxy.url(), "secret"), soon())->add("n", 1);
  }
  TestServer impostor([&](Stream& stream) {
    std::string ignored;
    stream.receive_some(ignored, 4096, soon());
    stream.send(from_store, soon());
    stream.receive(ignored, 1 << 20, soon());
  });
  EXPECT_ERROR(join_store(settings(impostor.url(), "secret"), soon()), PS_ERR_DENIED, "could not prove");
}

TEST_F(Trust, ATamperedFrameEndsTheConnection) {
  const auto host = host_store(settings("tcp://127.0.0.1:0", "secret"));
  host->set("k", "untouched", 0);
  for (const bool towards_store : {true, false}) {
    std::atomic<bool> armed = false;
    Proxy proxy(host->url(), [&](std::string& piece, bool to_store) {
      const size_t at = piece.find("0123456789");
      if (armed && to_store == towards_store && at != std::string::npos) piece[at] ^= 1;
    });
    const auto client = join_store(settings(proxy.url(), "secret"), soon());
    client->set("other", "0123456789", 0);
    armed = true;
    EXPECT_ERROR(towards_store ? client->set("k", "0123456789", 0) : (void)client->get("other", soon()),
                 PS_ERR_PEER_FAILED, "is gone");
  }
  EXPECT_EQ(host->get("k", soon()), "untouched");
}

// Sends bytes, and sees that the store ends the connection.
void expect_dropped(const std::string& url, const std::string& bytes) {
  Stream stream = connect_raw(url);
  stream.send(bytes, soon());
  std::string answer;
  EXPECT_THROW(stream.receive(answer, 1 << 20, soon()), StreamEnded);
}

std::string frame(FrameType type, const std::string& body, uint64_t claimed) {
  const auto raw = encode_frame_header({type, 0, claimed, 1});
  return std::string(raw.data(), raw.size()) + body;
}

TEST_F(Trust, StrangersAndOversizeFramesAreDropped) {
  const auto host = host_store(settings(unix_url(), ""));
  const auto client = join_store(settings(host->url()), soon());
  const std::string hello =
      encode_hello({Role::kClient, false, random_bytes(kNonceBytes), random_bytes(kClientIdBytes), ""});
  expect_dropped(host->url(), "GET / HTTP/1.1\r\nHost: example\r\n\r\n");
  expect_dropped(host->url(), frame(FrameType::kHello, "", 1025));
  expect_dropped(host->url(), frame(FrameType::kHello, "", ~uint64_t{0}));
  expect_dropped(host->url(), frame(FrameType::kHello, "nonsense", 8));
  expect_dropped(host->url(), frame(FrameType::kProof, "", 0));
  expect_dropped(host->url(), frame(FrameType::kSet, "", 0));
  const std::string greeting = frame(FrameType::kHello, hello, hello.size()) + frame(FrameType::kProof, "", 0);
  expect_dropped(host->url(), greeting + frame(FrameType::kGet, "", 1 << 20));
  expect_dropped(host->url(), greeting + frame(FrameType::kSet, "", uint64_t{1} << 40));
  std::string old = frame(FrameType::kHello, hello, hello.size());
  old[4] = 9;
  Stream stream = connect_raw(host->url());
  stream.send(old, soon());
  std::string answer;
  EXPECT_THROW(stream.receive(answer, 1 << 20, soon()), StreamEnded);
  EXPECT_NE(answer.find("the caller version 9"), std::string::npos);
  EXPECT_EQ(client->add("n", 1), 1) << "the others go on";
}

TEST_F(Trust, SilentPeersBlockNobody) {
  const auto host = host_store(settings("tcp://127.0.0.1:0", "secret"));
  std::vector<Stream> loiterers;
  for (int i = 0; i < 300; ++i) {
    loiterers.push_back(connect_raw(host->url()));
    loiterers.back().send("PS", soon());
  }
  const auto client = join_store(settings(host->url(), "secret"), soon());
  EXPECT_EQ(client->add("n", 1), 1);
  std::string answer;
  EXPECT_THROW(loiterers.front().receive(answer, 1, soon()), StreamEnded) << "it has a few seconds to say who it is";
  EXPECT_THROW(loiterers.back().receive(answer, 1, soon()), StreamEnded);
  EXPECT_EQ(client->add("n", 1), 2);
}

}  // namespace
}  // namespace ps
