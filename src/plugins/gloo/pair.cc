#include "pair.h"

#include <gloo/config.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "socket_buffers.h"

namespace ps::gloo_transport {

using gloo::transport::tcp::Op;

namespace {

bool is_data(Op& op) { return op.getOpcode() == Op::SEND_UNBOUND_BUFFER; }

}  // namespace

#if defined(PS_GLOO_LACKS_MEMORY_H) && defined(__x86_64__)
// As libgloo 0.5.0 of Debian 12 allocates them.
static_assert(GLOO_VERSION == 500 && sizeof(gloo::transport::tcp::UnboundBuffer) == 0xe0);
static_assert(sizeof(gloo::transport::tcp::Pair) == 0x380);
#endif

void Signal::raise() {
  raised_.fetch_add(1, std::memory_order_seq_cst);
  if (!waiting_.load(std::memory_order_seq_cst)) return;
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

bool Signal::wait(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  waiting_.store(true, std::memory_order_seq_cst);
  const bool is = changed_.wait_for(lock, most, [this] { return raised_.load(std::memory_order_seq_cst) != seen_; });
  waiting_.store(false, std::memory_order_seq_cst);
  // What is raised from here on is the next wait's.
  if (is) seen_ = raised_.load(std::memory_order_seq_cst);
  return is;
}

Pair::Pair(gloo::transport::tcp::Context* context, EventLoop& loop, int rank, std::chrono::milliseconds timeout,
           std::shared_ptr<Signal> signal)
    : gloo::transport::tcp::Pair(context, &loop.device(), rank, timeout),
      loop_(loop),
      signal_(std::move(signal)),
      callers_(loop.device(), *this) {
  // The base leaves room for one that waits, and the next would try again a second later.
  const std::lock_guard lock(m_);
  if (state_ == LISTENING) ::listen(fd_, SOMAXCONN);
}

void Pair::close() {
  const std::lock_guard lock(m_);
  // The base asks the system to throw away what is not sent yet.
  const Ticker::Turning turning(loop_.ticker());
  callers_.send_away();
  if (state_ != CLOSED) {
    gloo::transport::tcp::Pair::changeState(CLOSED);
  } else if (!is_settled_) {
    // Closed by the loop's own thread, which may hold another event of this pair, of a caller.
    loop_.ticker().pass_a_turn();
  }
  is_settled_ = true;
}

void Pair::handleEvents(int events) {
  loop_.give_way();
  std::unique_lock lock(m_, std::try_to_lock);
  if (!lock) {
    Ticker::nap();
    if (!lock.try_lock()) return;
  }
  try {
    handle(events);
  } catch (const std::exception&) {
    if (state_ != CLOSED) signalException(std::current_exception());
  }
}

void Pair::handle(int events) {
  switch (state_) {
    case CONNECTED: return handleReadWrite(events);
    case LISTENING: return answer();
    case CONNECTING:
      handleConnecting();
      if (state_ != CONNECTED) return;
      size_buffers(fd_);
      say_word();
      return;
    default: return;  // an event from before it was closed
  }
}

void Pair::answer() {
  const int descriptor = callers_.meet(fd_);
  if (descriptor < 0) return;
  device_->unregisterDescriptor(fd_, this);
  ::close(fd_);
  fd_ = descriptor;
  size_buffers(fd_);
  handleConnected();
}

void Pair::say_word() const {
  // Into the empty buffer of a connection that was just made.
  if (::send(fd_, peer_word_.data(), peer_word_.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(peer_word_.size())) {
    throw std::runtime_error("the connection is lost before anything could be sent");
  }
}

Pair::Stage Pair::stage(std::string& why) {
  const std::lock_guard lock(m_);
  if (state_ == CONNECTED) return Stage::kUp;
  if (state_ != CLOSED) return Stage::kConnecting;
  try {
    throwIfException();
    why = "the connection is closed";
  } catch (const std::exception& error) {
    why = error.what();
  }
  return Stage::kDown;
}

void Pair::move(Buffer& buffer, void* to) {
  // Gloo looks up where a buffer's memory is for each read and write, under this lock.
  const std::lock_guard lock(m_);
  buffer.move(to);
}

size_t Pair::unsent() {
  const std::lock_guard lock(m_);
  if (state_ != CONNECTED) return 0;
  int bytes = 0;
  ::ioctl(fd_, SIOCOUTQ, &bytes);
  return tx_.size() + static_cast<size_t>(bytes);
}

void Pair::handleReadWrite(int events) {
  completed_ = 0;
  gloo::transport::tcp::Pair::handleReadWrite(events);
  if (completed_ > 0) signal_->raise();
}

void Pair::poll(Buffer& wanted) {
  const std::unique_lock lock(m_, std::try_to_lock);
  if (!lock || state_ != CONNECTED) return;
  completed_ = 0;
  try {
    if (wanted.received()) return;
    while (read()) {
    }
    if (completed_ > (wanted.received() ? 1 : 0)) signal_->raise();
  } catch (const std::exception&) {
    if (state_ != CLOSED) signalException(std::current_exception());
  }
}

// What it was the base has forgotten afterwards, so how the message begins is read here.
bool Pair::read() {
  const size_t rest = sizeof rx_.preamble - std::min(rx_.nread, sizeof rx_.preamble);
  if (rest > 0 && state_ != CLOSED) {
    const ssize_t got = ::recv(fd_, reinterpret_cast<char*>(&rx_.preamble) + rx_.nread, rest, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (got <= 0) {
      signalException(got == 0 ? "the peer has closed the connection" : std::string("receiving: ") + std::strerror(errno));
      return false;
    }
    rx_.nread += static_cast<size_t>(got);
    if (static_cast<size_t>(got) < rest) return false;
  }
  const bool has_data = is_data(rx_);
  const bool is_complete = gloo::transport::tcp::Pair::read();
  if (is_complete && has_data) ++completed_;
  return is_complete;
}

void Pair::recv(gloo::transport::UnboundBuffer* buffer, uint64_t slot, size_t offset, size_t bytes) {
  // Else the base would keep for each that its announcement is to come.
  static_cast<Context*>(context_)->note_announced(rank_, slot);
  gloo::transport::tcp::Pair::recv(buffer, slot, offset, bytes);
}

bool Pair::write(Op& op) {
  if (op.getOpcode() == Op::NOTIFY_SEND_READY) return true;
  const NoBrokenPipe guard;
  const bool is_complete = gloo::transport::tcp::Pair::write(op);
  if (is_complete && is_data(op)) ++completed_;
  return is_complete;
}

void Pair::connect(const std::vector<char>& address, const Word& word) {
  const Ticker::Turning turning(loop_.ticker());
  {
    const std::lock_guard lock(m_);
    peer_word_ = word;
  }
  gloo::transport::tcp::Pair::connect(address);
}

void Pair::changeState(state next) noexcept {
  const Ticker::Turning turning(loop_.ticker());
  callers_.send_away();
  gloo::transport::tcp::Pair::changeState(next);
  signal_->raise();
}

std::unique_ptr<gloo::transport::Pair>& Context::createPair(int rank) {
  auto& pair = pairs_[static_cast<size_t>(rank)];
  pair = std::make_unique<Pair>(this, loop_, rank, getTimeout(), signal_);
  return pair;
}

// The base's pointer is constant; a new one takes its place.
void Buffer::move(void* to) { std::construct_at(const_cast<void**>(&ptr), to); }

bool Buffer::received() {
  const std::lock_guard lock(m_);
  if (recvCompletions_ > 0) return true;
  throwIfException();
  return false;
}

bool Buffer::sent() {
  const std::lock_guard lock(m_);
  if (sendCompletions_ > 0) return true;
  throwIfException();
  return false;
}

}  // namespace ps::gloo_transport
