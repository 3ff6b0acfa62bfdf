#include "control/store/conversation.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/deadline.h"

namespace ps {
namespace {

constexpr int64_t kLongestWaitMs = int64_t{1} << 40;

}  // namespace

Conversation::Conversation(HostedState& state, std::string peer, int64_t user, Wire& wire)
    : state_(state), peer_(std::move(peer)), user_(user), wire_(wire) {}

Conversation::~Conversation() {
  if (waiting_) state_.data->disconnect(waiting_->ticket);
  state_.hub.end(*this, is_cut_, monotonic_ns());
  if (entered_) state_.admission.leave(hello_.client_id);
}

void Conversation::send(FrameType type, uint64_t request, Value body) {
  const FrameHeader header{type, authenticated() ? state_.epoch : 0, body->size(), request};
  OutgoingFrame frame{encode_frame_header(header), std::move(body), ""};
  frame.mac = outgoing_.next(std::string_view(frame.header.data(), frame.header.size()), *frame.body);
  wire_.send(std::move(frame));
}

void Conversation::send(FrameType type, uint64_t request, std::string body) {
  send(type, request, std::make_shared<const std::string>(std::move(body)));
}

bool Conversation::refuse(RefusalReason reason, std::string text) {
  if (reason == RefusalReason::kDenied || reason == RefusalReason::kOtherJob) state_.data->note_refusal(text);
  send(FrameType::kRefusal, 0, encode_refusal({reason, std::move(text)}));
  return false;
}

void Conversation::on_bad_header(const ParsedHeader& parsed) {
  if (parsed.fault != FrameFault::kVersion || step_ != Step::kHello) return;
  refuse(RefusalReason::kVersion,
         fmt::format("this store speaks version {} of its protocol, the caller version {}; use one version of "
                     "ParallelState in all processes",
                     kFrameVersion, parsed.version));
}

bool Conversation::on_frame(const FrameHeader& header, std::string_view raw_header, std::string_view body,
                            std::string_view mac) {
  if (!incoming_.accepts(raw_header, body, mac)) return false;
  switch (step_) {
    case Step::kHello: return header.type == FrameType::kHello && on_hello(body);
    case Step::kProof: return header.type == FrameType::kProof && on_proof(body);
    case Step::kReady:
      if (header.epoch != state_.epoch) return false;
      return hello_.role == Role::kWatch ? on_watch(header.type, body) : on_request(header, body);
  }
  return false;
}

bool Conversation::on_hello(std::string_view body) {
  auto hello = parse_hello(body);
  if (!hello) return false;
  hello_ = std::move(*hello);
  hello_bytes_ = body;
  if (state_.same_user && user_ >= 0 && user_ != 0 && user_ != ::geteuid()) {
    return refuse(RefusalReason::kDenied,
                  fmt::format("a process of user {} asked a store of user {} that has no secret", user_, ::geteuid()));
  }
  if (hello_.has_secret && state_.secret.empty()) {
    return refuse(RefusalReason::kDenied,
                  fmt::format("{} has a secret, the store's host has none; give both the same PS_SECRET", peer_));
  }
  if (!hello_.has_secret && !state_.secret.empty()) {
    return refuse(RefusalReason::kDenied,
                  fmt::format("{} has no secret, the store's host has one; give both the same PS_SECRET", peer_));
  }
  challenge_bytes_ = encode_challenge({!state_.secret.empty(), state_.epoch, random_bytes(kNonceBytes)});
  send(FrameType::kChallenge, 0, challenge_bytes_);
  step_ = Step::kProof;
  return true;
}

bool Conversation::on_proof(std::string_view body) {
  const SharedKnowledge shared(state_.secret, hello_bytes_, challenge_bytes_);
  if (!equal_macs(body, shared.client_proof())) {
    return refuse(RefusalReason::kDenied,
                  fmt::format("{} and the store's host have different secrets; give both the same PS_SECRET", peer_));
  }
  if (state_.world && hello_.role == Role::kMeeting) {
    return refuse(RefusalReason::kOccupied,
                  fmt::format("rank 0 of the job \"{}\" (pid {} on {}) hosts its own world there, and the caller is "
                              "rank 0 of the job \"{}\"; give each world an address of its own",
                              state_.job, state_.pid, state_.host, hello_.job));
  }
  const bool is_rank = hello_.role == Role::kRank || hello_.role == Role::kWatch;
  if (state_.world && is_rank && hello_.job != state_.job) {
    return refuse(RefusalReason::kOtherJob,
                  fmt::format("rank 0 of the job \"{}\" (pid {} on {}) hosts the store, and the caller is of the job "
                              "\"{}\"",
                              state_.job, state_.pid, state_.host, hello_.job));
  }
  if (!state_.admission.enter(hello_.client_id, hello_.role)) {
    return refuse(RefusalReason::kFormed,
                  fmt::format("the world of the job \"{}\" (rank 0 is pid {} on {}) is complete and has not ended",
                              state_.job, state_.pid, state_.host));
  }
  entered_ = true;
  Welcome welcome{"", state_.world, state_.pid, max_value_bytes(), state_.host};
  welcome.proof = shared.store_proof(welcome);
  send(FrameType::kWelcome, 0, encode_welcome(welcome));
  step_ = Step::kReady;
  incoming_ = shared.to_store();
  outgoing_ = shared.to_client();
  wire_.stop_deadline();
  return true;
}

bool Conversation::on_request(const FrameHeader& header, std::string_view body) {
  const auto parsed = parse_request(header.type, body);
  if (!parsed) return false;
  if (const auto* const leaving = std::get_if<GiveUpRequest>(&*parsed)) {
    if (!waiting_ || waiting_->reply != FrameType::kExchanged) return true;
    const Waiting left = *std::exchange(waiting_, std::nullopt);
    wire_.stop_deadline();
    state_.data->give_up(left.ticket,
                         Error(leaving->code, printable(leaving->text, kLongestErrorText), leaving->culprit));
    return true;
  }
  if (waiting_) return false;
  StoreData& data = *state_.data;
  try {
    if (const auto* const get = std::get_if<GetRequest>(&*parsed)) {
      wait(header.request, FrameType::kValue, get->wait_ms,
           [&](Done done) { return data.get(get->key, std::move(done)); });
      return true;
    }
    if (const auto* const ask = std::get_if<ExchangeRequest>(&*parsed)) {
      wait(header.request, FrameType::kExchanged, ask->wait_ms,
           [&](Done done) { return data.exchange(ask->exchange, std::move(done)); });
      return true;
    }
    int64_t number = 0;
    if (const auto* const set = std::get_if<SetRequest>(&*parsed)) {
      data.set(set->key, set->value, set->expire_ms);
    } else if (const auto* const add = std::get_if<AddRequest>(&*parsed)) {
      number = data.add(add->key, add->delta);
    } else if (const auto* const swap = std::get_if<CompareAndSetRequest>(&*parsed)) {
      number = data.compare_and_set(swap->key, swap->expected, swap->desired, swap->expire_ms);
    } else {
      number = data.remove(std::get<RemoveRequest>(*parsed).key);
    }
    send(FrameType::kNumber, header.request, encode_number(number));
  } catch (const Error& error) {
    send(FrameType::kError, header.request, encode_error(error));
  }
  return true;
}

bool Conversation::on_watch(FrameType type, std::string_view body) {
  const int64_t now = monotonic_ns();
  if (type == FrameType::kBeat) return parse_beat(body) && state_.hub.beat(*this, now);
  if (type == FrameType::kAttend) {
    const auto attendance = parse_attendance(body);
    return attendance && state_.hub.attend(*this, *attendance, now);
  }
  if (type != FrameType::kNews) return false;
  const auto facts = parse_news(body);
  return facts && state_.hub.hear(*this, *facts, now);
}

void Conversation::wait(uint64_t request, FrameType reply, int64_t wait_ms, const std::function<Ticket(Done)>& begin) {
  const uint64_t id = ++last_wait_;
  const int64_t ms = std::clamp<int64_t>(wait_ms, 0, kLongestWaitMs);
  const Ticket ticket = begin([self = self_, id](Outcome outcome) {
    if (const auto wire = self.lock()) wire->deliver(id, std::move(outcome));
  });
  waiting_ = {request, reply, ticket, ms};
  wire_.start_deadline(ms);
}

void Conversation::on_deadline() {
  if (waiting_) state_.data->time_out(waiting_->ticket, waiting_->wait_ms);
}

void Conversation::on_outcome(uint64_t wait, Outcome outcome) {
  if (!waiting_ || wait != last_wait_) return;
  const Waiting done = *std::exchange(waiting_, std::nullopt);
  wire_.stop_deadline();
  if (const auto* const error = std::get_if<Error>(&outcome)) {
    send(FrameType::kError, done.request, encode_error(*error));
  } else {
    send(done.reply, done.request, std::get<Value>(outcome));
  }
}

void Conversation::say_goodbye() {
  if (authenticated()) send(FrameType::kGoodbye, 0, std::string());
}

}  // namespace ps
