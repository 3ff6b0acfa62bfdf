// Feeds bytes to every parser that reads what others send, or what a user wrote as a URL: none may crash, read past its
// input or accept what it would not write itself. Built with libFuzzer where there is one; with PS_FUZZ_MAIN it brings
// a small driver of its own, which mutates well-formed inputs: frame_fuzz [iterations] [seed].
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/error.h"
#include "control/store/address.h"
#include "control/store/conversation.h"
#include "control/store/frame.h"
#include "control/store/handshake.h"
#include "control/store/message.h"
#include "control/watch/news.h"

namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::cerr << "frame_fuzz: " << what << "\n";
  std::abort();
}

void parse_bodies(std::string_view body) {
  using namespace ps;
  for (uint16_t type = 0; type < 64; ++type) {
    const auto request = parse_request(static_cast<FrameType>(type), body);
    if (request) require(encode_request(*request) == body, "a request changed on its way");
  }
  if (const auto challenge = parse_challenge(body)) {
    require(encode_challenge(*challenge) == body, "a challenge changed on its way");
  }
  parse_welcome(body);
  parse_hello(body);
  parse_refusal(body);
  parse_number(body);
  parse_error(body);
  if (const auto attendance = parse_attendance(body)) {
    require(encode_attendance(*attendance) == body, "an attendance changed on its way");
  }
  if (const auto facts = parse_news(body)) {
    require(encode_news(facts->data(), facts->size()) == body, "news changed on their way");
  }
  if (const auto beat = parse_beat(body)) require(encode_beat(*beat) == body, "a heartbeat changed on its way");
  if (const auto exchanged = parse_exchanged(body)) {
    require(encode_exchanged(exchanged->serial, exchanged->blobs) == body, "an exchange's result changed on its way");
  }
}

void parse_url(std::string_view text) {
  try {
    const ps::Address address = ps::parse_address(text);
    const std::string url = ps::to_url(address);
    require(ps::to_url(ps::parse_address(url)) == url, "a URL changed on its way");
  } catch (const ps::Error& error) {
    require(error.code() == PS_ERR_ARGUMENT, "a URL was refused with a code other than ARGUMENT");
  }
}

class NoWire : public ps::Wire {
 public:
  void send(ps::OutgoingFrame frame) override { sent += frame.body->size(); }
  void start_deadline(int64_t) override {}
  void stop_deadline() override {}
  void deliver(uint64_t, ps::Outcome) override {}
  size_t sent = 0;
};

// The bytes as one connection's, from its first.
void converse(std::string_view bytes) {
  using namespace ps;
  HostedState state;
  state.data = std::make_shared<StoreData>(1 << 16, false);
  NoWire wire;
  Conversation conversation(state, "the fuzzer", -1, wire);
  while (true) {
    const ParsedHeader parsed =
        parse_frame_header(bytes, conversation.authenticated(), conversation.max_value_bytes());
    if (parsed.fault != FrameFault::kNone) return conversation.on_bad_header(parsed);
    const std::string_view header = bytes.substr(0, kFrameHeaderBytes);
    bytes.remove_prefix(kFrameHeaderBytes);
    if (bytes.size() < parsed.header.body_bytes) break;
    const std::string_view body = bytes.substr(0, parsed.header.body_bytes);
    bytes.remove_prefix(parsed.header.body_bytes);
    if (!conversation.on_frame(parsed.header, header, body, "")) break;
    state.hub.flush();
  }
  state.hub.tick(ps::monotonic_ns());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const bool authenticated : {false, true}) {
    const auto parsed = ps::parse_frame_header(bytes, authenticated, 1 << 20);
    if (parsed.fault == ps::FrameFault::kNone) {
      const uint64_t cap = ps::frame_cap(parsed.header.type, authenticated, 1 << 20);
      require(parsed.header.body_bytes <= cap, "a cap was passed");
    }
  }
  parse_bodies(bytes);
  parse_url(bytes);
  converse(bytes);
  return 0;
}

#ifdef PS_FUZZ_MAIN
namespace {

std::string framed(ps::FrameType type, const std::string& body) {
  const auto header = ps::encode_frame_header({type, 0, body.size(), 1});
  return std::string(header.data(), header.size()) + body;
}

std::vector<std::string> corpus() {
  using namespace ps;
  Exchange exchange;
  exchange.scope = "world";
  exchange.members = {0, 1};
  exchange.blob = "blob";
  const std::vector<Request> requests = {SetRequest{"key", "value", 0},
                                         GetRequest{"key", 1},
                                         AddRequest{"key", 1},
                                         CompareAndSetRequest{"key", "1", "2", 0},
                                         RemoveRequest{"key"},
                                         ExchangeRequest{exchange, 1},
                                         GiveUpRequest{PS_ERR_ABORTED, 1, "why"}};
  const std::string hello = encode_hello({Role::kClient, false, std::string(kNonceBytes, 'n'),
                                          std::string(kClientIdBytes, 'c'), "job"});
  const std::string greeting = framed(FrameType::kHello, hello) + framed(FrameType::kProof, "");
  std::vector<std::string> inputs = {
      hello, greeting,
      encode_challenge({true, 1, std::string(kNonceBytes, 'n')}),
      encode_welcome({std::string(kMacBytes, 'm'), true, 1, 1 << 20, "host"}),
      encode_refusal({RefusalReason::kDenied, "text"}),
      encode_error(Error(PS_ERR_TIMEOUT, "text")),
      encode_exchanged(1, {"a", "b"}),
      "tcp://host:1", "tcp://[::1]:29400", "unix:///run/x", "file:///x", "mem://x", "fd://3", ""};
  const std::string watcher = framed(FrameType::kHello, encode_hello({Role::kWatch, false, std::string(kNonceBytes, 'n'),
                                                                      std::string(kClientIdBytes, 'c'), "job"})) +
                              framed(FrameType::kProof, "");
  const std::string attendance = encode_attendance({.world = 1, .world_size = 2, .rank = 1, .node = 1, .port = 9});
  const std::vector<Fact> facts = {{Fact::Kind::kLost, 0, 1}, {Fact::Kind::kAbandoned, 1, 7}, {Fact::Kind::kLeft, 1, 0}};
  const std::string news = encode_news(facts.data(), facts.size());
  const std::string beat = encode_beat({{{0, 1000}}});
  for (const std::string& input :
       {attendance, news, beat,
        watcher + framed(FrameType::kAttend, attendance) + framed(FrameType::kBeat, encode_beat({})) +
            framed(FrameType::kNews, news)}) {
    inputs.push_back(input);
  }
  std::string all = greeting;
  for (const Request& request : requests) {
    inputs.push_back(encode_request(request));
    inputs.push_back(greeting + framed(frame_type(request), encode_request(request)));
    all += framed(frame_type(request), encode_request(request));
  }
  inputs.push_back(all);
  return inputs;
}

std::string mutated(std::string input, const std::vector<std::string>& others, std::mt19937_64& random) {
  for (uint64_t left = random() % 4 + 1; left > 0; --left) {
    const size_t at = input.empty() ? 0 : random() % input.size();
    switch (random() % 6) {
      case 0: if (!input.empty()) input[at] = static_cast<char>(random()); break;
      case 1: if (!input.empty()) input[at] ^= static_cast<char>(1 << random() % 8); break;
      case 2: input.resize(at); break;
      case 3: input.insert(at, random() % 9, static_cast<char>(random())); break;
      case 4: input.erase(at, random() % 9); break;
      default: input.insert(at, others[random() % others.size()]);
    }
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  const long iterations = argc > 1 ? std::atol(argv[1]) : 100'000;
  std::mt19937_64 random(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : std::random_device{}());
  const std::vector<std::string> inputs = corpus();
  const auto run = [](const std::string& input) {
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
  };
  for (const std::string& input : inputs) run(input);
  for (long i = 0; i < iterations; ++i) run(mutated(inputs[random() % inputs.size()], inputs, random));
  std::cout << "frame_fuzz: " << inputs.size() << " inputs and " << iterations << " mutations, no fault\n";
  return 0;
}
#endif
