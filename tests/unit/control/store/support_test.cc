#include "support.h"

#include "control/store/address.h"

namespace ps {

Stream connect_raw(const std::string& url) {
  const Address address = parse_address(url);
  std::string why;
  const SocketAddress target = address.scheme == Scheme::kUnix ? unix_address(address.path)
                                                               : resolve(address.host, address.port, why).at(0);
  int error = 0;
  Descriptor fd = connect_stream(target, Deadline::in_ms(10'000), error);
  if (!fd) throw std::runtime_error("cannot connect to " + url);
  return Stream(std::move(fd));
}

Proxy::Proxy(std::string store_url, Edit edit)
    : store_url_(std::move(store_url)), edit_(std::move(edit)), thread_([this] { run(); }) {}

Proxy::~Proxy() {
  stopped_ = true;
  thread_.join();
  for (std::thread& pair : pairs_) pair.join();
}

std::string Proxy::sent_by_clients() {
  std::lock_guard lock(mutex_);
  return recorded_;
}

void Proxy::run() {
  while (!stopped_) {
    if (!wait_for_events(listener_.fd(), POLLIN, Deadline::in_ms(10))) continue;
    Descriptor fd(::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd) pairs_.emplace_back([this, client = fd.release()] { pass_on(Descriptor(client)); });
  }
}

void Proxy::pass_on(Descriptor client) {
  Stream store = connect_raw(store_url_);
  Stream near(std::move(client));
  const auto move = [&](Stream& from, Stream& to, bool to_store) {
    std::string piece;
    from.receive_some(piece, 1 << 16, soon());
    if (edit_) edit_(piece, to_store);
    if (to_store) {
      std::lock_guard lock(mutex_);
      recorded_ += piece;
    }
    to.send(piece, soon());
  };
  try {
    while (!stopped_) {
      pollfd entries[2] = {{near.fd(), POLLIN, 0}, {store.fd(), POLLIN, 0}};
      if (::poll(entries, 2, 10) <= 0) continue;
      if (entries[0].revents != 0) move(near, store, true);
      if (entries[1].revents != 0) move(store, near, false);
    }
  } catch (const StreamEnded&) {
  } catch (const StreamTimeout&) {
  }
}

}  // namespace ps
