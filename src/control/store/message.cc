#include "control/store/message.h"

#include <algorithm>

#include "base/bytes.h"

namespace ps {
namespace {

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

template <class Message>
std::optional<Request> checked(const ByteReader& reader, Message message) {
  if (!reader.complete()) return std::nullopt;
  return Request(std::move(message));
}

std::optional<Request> parse_compare_and_set(ByteReader& reader) {
  CompareAndSetRequest request;
  request.key = reader.text(kLongestKey);
  request.expire_ms = reader.integer<int64_t>();
  const auto has_expected = reader.integer<uint8_t>();
  const std::string_view expected = reader.text(reader.left());
  if (has_expected > 1 || (has_expected == 0 && !expected.empty())) return std::nullopt;
  if (has_expected == 1) request.expected = expected;
  request.desired = reader.rest();
  return checked(reader, request);
}

std::optional<Request> parse_exchange(ByteReader& reader) {
  ExchangeRequest request;
  Exchange& exchange = request.exchange;
  request.wait_ms = reader.integer<int64_t>();
  exchange.rank = reader.integer<int32_t>();
  const auto tell_latecomers = reader.integer<uint8_t>();
  if (tell_latecomers > 1) return std::nullopt;
  exchange.tell_latecomers = tell_latecomers == 1;
  exchange.scope = reader.text(kLongestScope);
  exchange.who = reader.text(kLongestWho);
  exchange.blob = reader.text(kLongestBlob);
  const auto members = reader.integer<uint32_t>();
  if (members > kMostMembers || reader.left() != members * sizeof(int32_t)) return std::nullopt;
  exchange.members.reserve(members);
  for (uint32_t i = 0; i < members; ++i) exchange.members.push_back(reader.integer<int32_t>());
  return checked(reader, std::move(request));
}

}  // namespace

FrameType frame_type(const Request& request) {
  return static_cast<FrameType>(static_cast<size_t>(FrameType::kSet) + request.index());
}

std::string encode_request(const Request& request) {
  ByteWriter writer;
  std::visit(Overloaded{[&](const SetRequest& set) {
                          writer.text(set.key);
                          writer.integer(set.expire_ms);
                          writer.fixed(set.value);
                        },
                        [&](const GetRequest& get) {
                          writer.text(get.key);
                          writer.integer(get.wait_ms);
                        },
                        [&](const AddRequest& add) {
                          writer.text(add.key);
                          writer.integer(add.delta);
                        },
                        [&](const CompareAndSetRequest& swap) {
                          writer.text(swap.key);
                          writer.integer(swap.expire_ms);
                          writer.integer(static_cast<uint8_t>(swap.expected.has_value()));
                          writer.text(swap.expected.value_or(""));
                          writer.fixed(swap.desired);
                        },
                        [&](const RemoveRequest& remove) { writer.text(remove.key); },
                        [&](const ExchangeRequest& ask) {
                          const Exchange& exchange = ask.exchange;
                          writer.integer(ask.wait_ms);
                          writer.integer(exchange.rank);
                          writer.integer(static_cast<uint8_t>(exchange.tell_latecomers ? 1 : 0));
                          writer.text(exchange.scope);
                          writer.text(exchange.who);
                          writer.text(exchange.blob);
                          writer.integer(static_cast<uint32_t>(exchange.members.size()));
                          for (const int32_t member : exchange.members) writer.integer(member);
                        },
                        [&](const GiveUpRequest& leave) {
                          writer.integer(static_cast<int32_t>(leave.code));
                          writer.integer(leave.culprit);
                          writer.text(leave.text.substr(0, kLongestErrorText));
                        }},
             request);
  return writer.take();
}

std::optional<Request> parse_request(FrameType type, std::string_view body) {
  ByteReader reader(body);
  switch (type) {
    case FrameType::kSet: {
      SetRequest request;
      request.key = reader.text(kLongestKey);
      request.expire_ms = reader.integer<int64_t>();
      request.value = reader.rest();
      return checked(reader, request);
    }
    case FrameType::kGet: {
      GetRequest request;
      request.key = reader.text(kLongestKey);
      request.wait_ms = reader.integer<int64_t>();
      return checked(reader, request);
    }
    case FrameType::kAdd: {
      AddRequest request;
      request.key = reader.text(kLongestKey);
      request.delta = reader.integer<int64_t>();
      return checked(reader, request);
    }
    case FrameType::kCompareAndSet: return parse_compare_and_set(reader);
    case FrameType::kRemove: return checked(reader, RemoveRequest{reader.text(kLongestKey)});
    case FrameType::kExchange: return parse_exchange(reader);
    case FrameType::kGiveUp: {
      GiveUpRequest request;
      request.code = static_cast<psResult>(reader.integer<int32_t>());
      request.culprit = reader.integer<int32_t>();
      request.text = reader.text(kLongestErrorText);
      return checked(reader, request);
    }
    default: return std::nullopt;
  }
}

std::string encode_number(int64_t number) {
  ByteWriter writer;
  writer.integer(number);
  return writer.take();
}

std::optional<int64_t> parse_number(std::string_view body) {
  ByteReader reader(body);
  const auto number = reader.integer<int64_t>();
  if (!reader.complete()) return std::nullopt;
  return number;
}

std::string encode_error(const Error& error) {
  ByteWriter writer;
  writer.integer(static_cast<int32_t>(error.code()));
  writer.integer(error.culprit());
  writer.text(std::string_view(error.text()).substr(0, kLongestErrorText));
  return writer.take();
}

std::optional<Error> parse_error(std::string_view body) {
  ByteReader reader(body);
  const auto code = reader.integer<int32_t>();
  const auto culprit = reader.integer<int32_t>();
  const std::string_view text = reader.text(kLongestErrorText);
  if (!reader.complete() || code == PS_OK) return std::nullopt;
  return Error(static_cast<psResult>(code), printable(text, kLongestErrorText), culprit);
}

std::string encode_exchanged(uint64_t serial, const TransientVector<std::string_view>& blobs) {
  ByteWriter writer;
  writer.integer(serial);
  writer.integer(static_cast<uint32_t>(blobs.size()));
  for (const std::string_view blob : blobs) writer.text(blob);
  return writer.take();
}

std::optional<Exchanged> parse_exchanged(std::string_view body) {
  ByteReader reader(body);
  Exchanged exchanged;
  exchanged.serial = reader.integer<uint64_t>();
  const auto count = reader.integer<uint32_t>();
  if (count > kMostMembers || reader.left() < count * sizeof(uint32_t)) return std::nullopt;
  exchanged.blobs.reserve(count);
  for (uint32_t i = 0; i < count; ++i) exchanged.blobs.push_back(reader.text(kLongestBlob));
  if (!reader.complete()) return std::nullopt;
  return exchanged;
}

std::string printable(std::string_view text, size_t longest) {
  std::string shown(text.substr(0, longest));
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return shown;
}

}  // namespace ps
