#include "control/store/stranger.h"

#include "base/bytes.h"
#include "base/error.h"
#include "control/store/stream.h"

namespace ps {
namespace {

constexpr int64_t kProbeMs = 1000;
constexpr size_t kShownBytes = 16;

// torch's TCPStore: a client opens with the query VALIDATE and a constant, and PING echoes a number.
constexpr uint8_t kTorchValidate = 0;
constexpr uint8_t kTorchPing = 13;
constexpr uint32_t kTorchMagic = 0x3C85F7CE;
constexpr uint32_t kTorchEcho = 0x50537274;

// What the listener at `address` answers to `question`, at most `most` bytes; "" for nothing.
std::string ask(const SocketAddress& address, std::string_view question, size_t most, Deadline deadline) {
  int error = 0;
  Descriptor fd = connect_stream(address, deadline, error);
  std::string answer;
  if (!fd) return answer;
  Stream stream(std::move(fd));
  try {
    stream.send(question, deadline);
    stream.receive(answer, most, deadline);
  } catch (const StreamEnded&) {
  } catch (const StreamTimeout&) {
  }
  return answer;
}

bool is_torch_store(const SocketAddress& address, Deadline deadline) {
  ByteWriter question;
  question.integer(kTorchValidate);
  question.integer(kTorchMagic);
  question.integer(kTorchPing);
  question.integer(kTorchEcho);
  ByteWriter echo;
  echo.integer(kTorchEcho);
  const std::string expected = echo.take();
  return ask(address, question.take(), expected.size(), deadline) == expected;
}

bool is_http(std::string_view bytes) { return bytes.starts_with("HTTP/"); }

std::string described(const std::string& bytes) {
  if (is_http(bytes)) return "an HTTP server";
  if (bytes.starts_with("SSH-")) return "an SSH server";
  std::string hex;
  for (const char c : bytes.substr(0, kShownBytes)) {
    hex += fmt::format("{}{:02x}", hex.empty() ? "" : " ", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return fmt::format("something that sent the bytes {}", hex);
}

}  // namespace

std::optional<std::string> identify_stranger(const SocketAddress& address, const std::string& first_bytes,
                                             Deadline deadline) {
  if (!first_bytes.empty()) return described(first_bytes);
  const auto limit = [&] { return deadline.or_earlier(Deadline::in_ms(kProbeMs)); };
  if (is_torch_store(address, limit())) return "torch's TCPStore";
  if (is_http(ask(address, "HEAD / HTTP/1.0\r\n\r\n", 5, limit()))) return "an HTTP server";
  return std::nullopt;
}

}  // namespace ps
