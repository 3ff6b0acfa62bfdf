#include "control/store/server.h"

#include <sys/socket.h>

// ThreadSanitizer knows no fences; the queue's mutex orders what handlers see.
#ifdef __SANITIZE_THREAD__
#define ASIO_DISABLE_FENCED_BLOCK 1
#endif
#include <asio.hpp>
#include <cerrno>
#include <deque>
#include <list>
#include <thread>

#include "base/fork.h"
#include "base/thread.h"
#include "control/store/socket.h"

namespace ps {
namespace {

using asio::generic::stream_protocol;
using std::chrono::milliseconds;

constexpr milliseconds kHandshakeLimit{5000};
constexpr milliseconds kFarewellLimit{1000};
constexpr milliseconds kPauseWithoutDescriptors{100};
// Connections that have not proven who they are. One more pushes out the oldest, if that had time enough.
constexpr size_t kMostUnknown = 256;
constexpr milliseconds kTimeEnough{1000};
constexpr milliseconds kPauseWhenCrowded{20};
constexpr int kAcceptedAtOnce = 32;
constexpr size_t kPiece = 1 << 20;

}  // namespace

class StoreSession;

class ServerLoop {
 public:
  ServerLoop(Descriptor listener, std::shared_ptr<HostedState> state);
  ~ServerLoop();

  HostedState& state() { return *state_; }
  asio::io_context& io() { return io_; }
  void forget(const std::shared_ptr<StoreSession>& session);
  // After whatever may have changed the watch between hosts.
  void serve_watch();

 private:
  void run();
  void accept_when_ready();
  void accept();
  void accept_some();
  void resume_after(milliseconds pause);
  bool make_room();
  void say_goodbye();
  void tick();

  std::shared_ptr<HostedState> state_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  asio::posix::stream_descriptor listener_{io_};
  asio::steady_timer pause_{io_};
  asio::steady_timer farewell_{io_};
  asio::steady_timer heart_{io_};
  bool is_beating_ = false;
  bool is_flushing_ = false;
  std::list<std::shared_ptr<StoreSession>> sessions_;  // in the order they came
  bool closing_ = false;
  std::thread thread_;
};

class StoreSession : public Wire, public std::enable_shared_from_this<StoreSession> {
 public:
  StoreSession(ServerLoop& loop, int fd, int family, const std::string& peer, int64_t user)
      : loop_(loop),
        socket_(loop.io(), stream_protocol(family, 0), fd),
        deadline_(loop.io()),
        conversation_(std::make_unique<Conversation>(loop.state(), peer, user, *this)) {}

  void start() {
    conversation_->set_self(weak_from_this());
    start_deadline(kHandshakeLimit.count());
    read_header();
  }

  bool known() const { return conversation_ == nullptr || conversation_->authenticated(); }
  std::chrono::steady_clock::time_point since() const { return since_; }

  void send(OutgoingFrame frame) override {
    if (finishing_) return;
    outgoing_.push_back(std::move(frame));
    if (outgoing_.size() == 1) write_next();
  }

  void start_deadline(int64_t ms) override {
    deadline_.expires_after(milliseconds(ms));
    deadline_.async_wait([self = shared_from_this()](const asio::error_code& error) {
      if (error || !self->conversation_) return;
      if (!self->conversation_->authenticated()) return self->end();
      self->conversation_->on_deadline();
    });
  }

  void stop_deadline() override { deadline_.cancel(); }

  void deliver(uint64_t wait, Outcome outcome) override {
    asio::post(loop_.io(), [self = shared_from_this(), wait, outcome = std::move(outcome)]() mutable {
      if (self->conversation_) self->conversation_->on_outcome(wait, std::move(outcome));
    });
  }

  // Nothing more is read; what was queued is still sent.
  void finish() {
    finishing_ = true;
    if (outgoing_.empty()) end();
  }

  void say_goodbye() {
    if (!conversation_) return;
    conversation_->say_goodbye();
    finish();
  }

  void end(const asio::error_code& why = {}) {
    if (!conversation_) return;
    // A process that ends closes or resets its connections; every other error is the network's.
    const bool by_peer = !why || why == asio::error::eof || why == asio::error::connection_reset ||
                         why == asio::error::broken_pipe;
    if (!by_peer) conversation_->on_cut();
    conversation_.reset();
    deadline_.cancel();
    asio::error_code ignored;
    socket_.close(ignored);
    loop_.forget(shared_from_this());
    loop_.serve_watch();
  }

 private:
  void read_header() {
    header_.resize(kFrameHeaderBytes);
    asio::async_read(socket_, asio::buffer(header_),
                     [self = shared_from_this()](const asio::error_code& error, size_t) {
                       if (!self->conversation_ || self->finishing_) return;
                       if (error) return self->end(error);
                       self->on_header();
                     });
  }

  void on_header() {
    const ParsedHeader parsed =
        parse_frame_header(header_, conversation_->authenticated(), conversation_->max_value_bytes());
    if (parsed.fault != FrameFault::kNone) {
      conversation_->on_bad_header(parsed);
      return finish();
    }
    frame_ = parsed.header;
    body_.clear();
    read_body(frame_.body_bytes + conversation_->mac_bytes());
  }

  // In pieces: memory grows with what has really arrived, not with what a header promised.
  void read_body(size_t left) {
    if (left == 0) return on_body();
    const size_t before = body_.size();
    const size_t piece = std::min(left, kPiece);
    body_.resize(before + piece);
    asio::async_read(socket_, asio::buffer(body_.data() + before, piece),
                     [self = shared_from_this(), rest = left - piece](const asio::error_code& error, size_t) {
                       if (!self->conversation_ || self->finishing_) return;
                       if (error) return self->end(error);
                       self->read_body(rest);
                     });
  }

  void on_body() {
    const std::string_view bytes = body_;
    bool goes_on = false;
    try {
      goes_on = conversation_->on_frame(frame_, header_, bytes.substr(0, frame_.body_bytes),
                                        bytes.substr(frame_.body_bytes));
    } catch (const std::bad_alloc&) {
      return end();
    }
    if (!goes_on) return finish();
    loop_.serve_watch();
    // A large value's buffer is not kept for the connection's life.
    if (body_.capacity() > kPiece) std::string().swap(body_);
    read_header();
  }

  void write_next() {
    const OutgoingFrame& frame = outgoing_.front();
    const std::array<asio::const_buffer, 3> buffers = {asio::buffer(frame.header), asio::buffer(*frame.body),
                                                       asio::buffer(frame.mac)};
    asio::async_write(socket_, buffers, [self = shared_from_this()](const asio::error_code& error, size_t) {
      if (!self->conversation_) return;
      if (error) return self->end(error);
      self->outgoing_.pop_front();
      if (!self->outgoing_.empty()) return self->write_next();
      if (self->finishing_) self->end();
    });
  }

  ServerLoop& loop_;
  stream_protocol::socket socket_;
  asio::steady_timer deadline_;
  std::unique_ptr<Conversation> conversation_;  // none: the session has ended
  const std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
  std::string header_;
  std::string body_;
  FrameHeader frame_;
  std::deque<OutgoingFrame> outgoing_;
  bool finishing_ = false;
};

ServerLoop::ServerLoop(Descriptor listener, std::shared_ptr<HostedState> state) : state_(std::move(state)) {
  listener_.assign(listener.release());
  accept_when_ready();
  thread_ = start_thread("ps-store", [this] { run(); });
}

ServerLoop::~ServerLoop() {
  asio::post(io_, [this] { say_goodbye(); });
  thread_.join();
}

void ServerLoop::run() {
  while (true) {
    try {
      io_.run();
      return;
    } catch (const std::exception&) {
      // Out of memory or descriptors for one connection; the others go on.
    }
  }
}

void ServerLoop::say_goodbye() {
  closing_ = true;
  work_.reset();
  asio::error_code ignored;
  listener_.close(ignored);
  pause_.cancel();
  heart_.cancel();
  farewell_.expires_after(kFarewellLimit);
  farewell_.async_wait([this](const asio::error_code& error) {
    if (error) return;
    for (const auto& session : std::list(sessions_)) session->end();
  });
  for (const auto& session : std::list(sessions_)) session->say_goodbye();
  if (sessions_.empty()) farewell_.cancel();
}

void ServerLoop::serve_watch() {
  if (closing_) return;
  HostedState& state = *state_;
  if (!is_beating_ && !state.hub.empty()) {
    is_beating_ = true;
    tick();
  }
  if (is_flushing_ || !state.hub.has_news()) return;
  // Behind what has come already, so that much news at a time goes out in few frames.
  is_flushing_ = true;
  asio::post(io_, [this] {
    is_flushing_ = false;
    if (!closing_) state_->hub.flush();
  });
}

void ServerLoop::tick() {
  heart_.expires_after(milliseconds(kBeatMs));
  heart_.async_wait([this](const asio::error_code& error) {
    is_beating_ = false;
    if (error || closing_) return;
    state_->hub.tick(monotonic_ns());
    serve_watch();
  });
}

void ServerLoop::forget(const std::shared_ptr<StoreSession>& session) {
  sessions_.remove(session);
  if (closing_ && sessions_.empty()) farewell_.cancel();
}

void ServerLoop::accept_when_ready() {
  listener_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const asio::error_code& error) {
    if (!error && !closing_) accept();
  });
}

void ServerLoop::resume_after(milliseconds pause) {
  pause_.expires_after(pause);
  pause_.async_wait([this](const asio::error_code& error) {
    if (!error && !closing_) accept();
  });
}

bool ServerLoop::make_room() {
  size_t unknown = 0;
  std::shared_ptr<StoreSession> oldest;
  for (const auto& session : sessions_) {
    if (session->known()) continue;
    if (++unknown == 1) oldest = session;
  }
  if (unknown < kMostUnknown) return true;
  if (std::chrono::steady_clock::now() - oldest->since() < kTimeEnough) return false;
  oldest->end();
  return true;
}

void ServerLoop::accept() {
  try {
    accept_some();
  } catch (const std::exception&) {
    resume_after(kPauseWithoutDescriptors);
  }
}

void ServerLoop::accept_some() {
  for (int i = 0; i < kAcceptedAtOnce; ++i) {
    if (!make_room()) return resume_after(kPauseWhenCrowded);
    SocketAddress from;
    from.size = sizeof from.storage;
    Descriptor fd(::accept4(listener_.native_handle(), from.get(), &from.size, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EAGAIN) break;
      return resume_after(kPauseWithoutDescriptors);
    }
    keep_from_children(fd.get());
    tune_stream(fd.get());
    const int family = local_address(fd.get()).family();
    const std::string peer = family == AF_UNIX ? "a client on this host" : "a client at " + host_of(from);
    const int64_t user = family == AF_UNIX ? peer_user(fd.get()) : -1;
    const auto session = std::make_shared<StoreSession>(*this, fd.release(), family, peer, user);
    sessions_.push_back(session);
    session->start();
  }
  accept_when_ready();
}

Server::Server(Descriptor listener, std::shared_ptr<HostedState> state)
    : loop_(std::make_unique<ServerLoop>(std::move(listener), std::move(state))) {}

Server::~Server() = default;

}  // namespace ps
