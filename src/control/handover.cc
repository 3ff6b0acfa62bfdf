#include "control/handover.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>

#include "base/error.h"
#include "base/wire.h"

namespace ps {
namespace {

constexpr int64_t kSliceMs = 50;
// A stranger that connects and says nothing costs the giver this long. A taker that is late with its ticket asks again.
constexpr int64_t kGreetingMs = 1000;
constexpr size_t kLongestRefusal = 64 << 10;

std::string random_ticket() {
  unsigned char bytes[16];
  if (::getrandom(bytes, sizeof bytes, 0) != sizeof bytes) fail_errno("no random bytes for a ticket");
  std::string ticket = "parallelstate-";
  for (const unsigned char byte : bytes) ticket += fmt::format("{:02x}", byte);
  return ticket;
}

std::pair<sockaddr_un, socklen_t> abstract_address(std::string_view ticket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const size_t length = std::min(ticket.size(), sizeof address.sun_path - 1);
  std::memcpy(address.sun_path + 1, ticket.data(), length);
  return {address, static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length)};
}

Descriptor stream_socket() {
  Descriptor descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!descriptor) fail_errno("cannot make a UNIX socket");
  return descriptor;
}

bool readable(const Descriptor& socket, int64_t timeout_ms) {
  pollfd poll{.fd = socket.get(), .events = POLLIN, .revents = 0};
  return ::poll(&poll, 1, static_cast<int>(timeout_ms)) > 0;
}

bool same_user(const Descriptor& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid();
}

// The taker proves by the ticket's repetition that it is a member; the ticket travels in authenticated agreements only.
bool greeted(const Descriptor& socket, const std::string& ticket) {
  std::string text(ticket.size(), '\0');
  if (!readable(socket, kGreetingMs)) return false;
  const ssize_t got = ::recv(socket.get(), text.data(), text.size(), MSG_DONTWAIT);
  return got == static_cast<ssize_t>(ticket.size()) && text == ticket;
}

bool send_descriptor(const Descriptor& socket, int descriptor) {
  char byte = 1;
  iovec part{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  return ::sendmsg(socket.get(), &message, MSG_NOSIGNAL) == 1;
}

// After the first byte, 0, come the code and the text.
bool send_refusal(const Descriptor& socket, const Error& error) {
  const std::string message = std::string(1, '\0') + WireWriter().number(error.code()).text(error.text()).take();
  return ::send(socket.get(), message.data(), message.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(message.size());
}

[[noreturn]] void fail_refused(psResult code, const std::string& text) {
  throw Error(code, "the first rank of this host cannot make the shared memory: " + text);
}

[[noreturn]] void receive_refusal(const Descriptor& socket) {
  std::string message;
  char piece[1024];
  for (ssize_t got = 0; message.size() < kLongestRefusal && (got = ::recv(socket.get(), piece, sizeof piece, 0)) > 0;) {
    message.append(piece, static_cast<size_t>(got));
  }
  WireReader reader(message, "a refusal of shared memory");
  const auto code = reader.number<psResult>();
  fail_refused(code < 0 ? code : PS_ERR_SYSTEM, reader.text());
}

// None: the connection was closed unanswered. Throws what the giver refused with.
Descriptor receive_descriptor(const Descriptor& socket) {
  char first = 0;
  iovec part{.iov_base = &first, .iov_len = 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (::recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC) != 1) return Descriptor();
  if (first == 0) receive_refusal(socket);
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof(int))) {
    fail(PS_ERR_SYSTEM, "the shared memory of this host came without its descriptor, as if this process had none left; "
                        "ulimit -n raises how many it may have");
  }
  int descriptor = -1;
  std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
  return Descriptor(descriptor);
}

// A connection to the first rank of this host. Errors: PEER_FAILED when it is gone.
Descriptor connect_to(std::string_view ticket) {
  Descriptor socket = stream_socket();
  const auto [address, length] = abstract_address(ticket);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) {
    if (errno == ECONNREFUSED) {
      fail(PS_ERR_PEER_FAILED, "the first rank of this host is gone before it handed over the shared memory");
    }
    fail_errno("cannot reach the first rank of this host on its abstract UNIX socket; if these ranks do not share a "
               "network namespace, give each host its own PS_HOST_ID");
  }
  if (!same_user(socket)) fail(PS_ERR_DENIED, "the first rank of this host runs under another user; ranks must share one");
  return socket;
}

// Between ranks of one process: tickets and what lies ready under them.
struct Counter {
  std::mutex mutex;
  std::condition_variable changed;
  struct Parcel {
    std::shared_ptr<SharedMemory> memory;  // none: refused
    int takers = 0;
    std::shared_ptr<const Error> refusal;
  };
  std::map<std::string, Parcel> parcels;

  static Counter& instance() {
    static Counter* counter = new Counter;  // outlives every thread
    return *counter;
  }
};

}  // namespace

Offer::Offer(bool in_process) : in_process_(in_process), ticket_(random_ticket()) {
  if (in_process_) return;
  listener_ = stream_socket();
  const auto [address, length] = abstract_address(ticket_);
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
      ::listen(listener_.get(), SOMAXCONN) != 0) {
    fail_errno("cannot listen on an abstract UNIX socket");
  }
}

Offer::~Offer() {
  if (!in_process_) return;
  // Takers that gave up leave their parcel; the memory lives on with those who hold it.
  Counter& counter = Counter::instance();
  const std::lock_guard lock(counter.mutex);
  counter.parcels.erase(ticket_);
}

void Offer::give(const std::shared_ptr<SharedMemory>& memory, int takers, Deadline deadline, const StopCheck& check) {
  serve(memory, nullptr, takers, deadline, check);
}

void Offer::refuse(const Error& error, int takers, Deadline deadline, const StopCheck& check) {
  serve(nullptr, std::make_shared<const Error>(error), takers, deadline, check);
}

void Offer::serve(const std::shared_ptr<SharedMemory>& memory, const std::shared_ptr<const Error>& refusal, int takers,
                  Deadline deadline, const StopCheck& check) {
  if (takers == 0) return;
  const auto give_up_if_late = [&](int left) {
    check();
    if (deadline.passed()) fail(PS_ERR_TIMEOUT, "{} of {} ranks on this host did not take the shared memory", left, takers);
  };
  if (in_process_) {
    Counter& counter = Counter::instance();
    std::unique_lock lock(counter.mutex);
    Counter::Parcel& parcel = counter.parcels[ticket_];
    parcel = {memory, takers, refusal};
    counter.changed.notify_all();
    while (parcel.takers > 0) {
      if (counter.changed.wait_for(lock, std::chrono::milliseconds(kSliceMs)) == std::cv_status::no_timeout) continue;
      give_up_if_late(parcel.takers);
    }
    return;
  }
  for (int left = takers; left > 0;) {
    if (!readable(listener_, std::min(kSliceMs, deadline.remaining_ms() + 1))) {
      give_up_if_late(left);
      continue;
    }
    const Descriptor taker(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    // Without a descriptor nobody can be served; the takers see the offer's end.
    if (!taker && (errno == EMFILE || errno == ENFILE)) {
      if (refusal) return;
      fail_errno("cannot hand over the shared memory");
    }
    if (!taker || !same_user(taker) || !greeted(taker, ticket_)) continue;
    if (memory ? send_descriptor(taker, memory->descriptor()) : send_refusal(taker, *refusal)) --left;
  }
}

bool Offer::stands(std::string_view ticket) {
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return true;
  const auto [address, length] = abstract_address(ticket);
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0 || errno != ECONNREFUSED;
}

std::shared_ptr<SharedMemory> Offer::take(std::string_view ticket, size_t size, Deadline deadline,
                                          const StopCheck& check) const {
  const auto give_up_if_late = [&] {
    check();
    if (deadline.passed()) fail(PS_ERR_TIMEOUT, "the first rank on this host did not hand over the shared memory");
  };
  if (in_process_) {
    Counter& counter = Counter::instance();
    std::unique_lock lock(counter.mutex);
    for (;;) {
      const auto found = counter.parcels.find(std::string(ticket));
      if (found != counter.parcels.end() && found->second.takers > 0) {
        auto memory = found->second.memory;
        const auto refusal = found->second.refusal;
        --found->second.takers;
        counter.changed.notify_all();
        if (refusal) fail_refused(refusal->code(), refusal->text());
        return memory;
      }
      if (counter.changed.wait_for(lock, std::chrono::milliseconds(kSliceMs)) == std::cv_status::no_timeout) continue;
      give_up_if_late();
    }
  }
  for (;; give_up_if_late()) {
    const Descriptor socket = connect_to(ticket);
    // Where this fails the giver has taken this rank for a stranger, as it was late with its ticket.
    if (::send(socket.get(), ticket.data(), ticket.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(ticket.size())) continue;
    while (!readable(socket, std::min(kSliceMs, deadline.remaining_ms() + 1))) give_up_if_late();
    if (Descriptor memory = receive_descriptor(socket)) return SharedMemory::adopt(std::move(memory), size);
  }
}

}  // namespace ps
