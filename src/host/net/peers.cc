#include "host/net/peers.h"

#include <arpa/inet.h>

#include <cstring>
#include <utility>

#include "base/error.h"

namespace ps {
namespace {

constexpr size_t kMostNote = 16 << 10;

thread_local PluginError plugin_error;

bool is_literal(const std::string& address) {
  in_addr four;
  in6_addr six;
  return ::inet_pton(AF_INET, address.c_str(), &four) == 1 || ::inet_pton(AF_INET6, address.c_str(), &six) == 1;
}

// No exception may pass through a plugin's frames.
template <class Body>
psResult guarded(Body&& body) {
  try {
    return body();
  } catch (const Error& error) {
    plugin_error = {PS_NO_RANK, error.text()};
    return error.code();
  } catch (const std::exception& error) {
    plugin_error = {PS_NO_RANK, error.what()};
    return PS_ERR_INTERNAL;
  }
}

void log(psPluginPeers peers, psLogLevel level, const char* text) {
  if (peers == nullptr || text == nullptr) return;
  const Logger& logger = peers->world().logger();
  switch (level) {
    case PS_LOG_ERROR: return logger.error("{}", text);
    case PS_LOG_WARN: return logger.warn("{}", text);
    case PS_LOG_INFO: return logger.info("{}", text);
    default: return logger.debug("{}", text);
  }
}

void set_error(psPluginPeers, int32_t rank, const char* text) {
  try {
    plugin_error = {rank, text == nullptr ? "" : text};
  } catch (const std::bad_alloc&) {
    plugin_error.text.clear();
  }
}

psResult exchange(psPluginPeers peers, const void* data, size_t size, void* all) {
  return guarded([&] {
    const World& world = peers->world();
    Exchange request;
    request.scope = peers->key("exchange");
    request.members = peers->global_ranks();
    request.rank = world.rank();
    request.blob.assign(static_cast<const char*>(data), size);
    request.who = world.who(world.rank());
    const Exchanged exchanged =
        world.store()->exchange(request, Deadline::in_ms(world.settings().timeout_ms),
                                [&] { world.check_living(peers->global_ranks(), "connecting a group"); });
    for (size_t i = 0; i < exchanged.blobs.size(); ++i) {
      if (exchanged.blobs[i].size() != size) fail(PS_ERR_MISMATCH, "members exchange data of different sizes");
      std::memcpy(static_cast<std::byte*>(all) + i * size, exchanged.blobs[i].data(), size);
    }
    return PS_OK;
  });
}

psResult check(psPluginPeers peers) {
  return guarded([&] {
    peers->world().check_living(peers->global_ranks(), "connecting a group");
    return PS_OK;
  });
}

psResult network_address(psPluginPeers peers, const char** address) {
  *address = peers->address().c_str();
  return PS_OK;
}

std::string note_name(int32_t from, int32_t to) { return fmt::format("note {}-{}", from, to); }

psResult leave_for(psPluginPeers peers, int32_t to, const void* data, size_t size) {
  return guarded([&] {
    if (size > kMostNote) fail(PS_ERR_ARGUMENT, "a note has at most {} bytes", kMostNote);
    const int32_t to_global = peers->global_ranks().at(static_cast<size_t>(to));
    const World& world = peers->world();
    peers->leave(note_name(world.rank(), to_global), {static_cast<const char*>(data), size}, to, peers->patience());
    return PS_OK;
  });
}

psResult read_from(psPluginPeers peers, int32_t from, void* data, size_t capacity, size_t* size) {
  return guarded([&] {
    const World& world = peers->world();
    const int32_t from_global = peers->global_ranks().at(static_cast<size_t>(from));
    const std::string name = note_name(from_global, world.rank());
    const auto news = peers->news_of(from);
    if (!news) return PS_IN_PROGRESS;
    const auto note = peers->look_up(name, peers->patience());
    if (!note) {
      peers->set_looked(from, *news);
      return PS_IN_PROGRESS;
    }
    if (note->size() > capacity) fail(PS_ERR_ARGUMENT, "a note has {} bytes", note->size());
    std::memcpy(data, note->data(), note->size());
    *size = note->size();
    world.store()->remove(peers->key(name), peers->patience());
    return PS_OK;
  });
}

constexpr psPluginHost kHost = {sizeof(psPluginHost), PS_PLUGIN_ABI, log,       set_error, exchange,
                                check,                network_address, leave_for, read_from};

}  // namespace

const psPluginHost& plugin_host() { return kHost; }

PluginError take_plugin_error() { return std::exchange(plugin_error, PluginError{}); }

}  // namespace ps

// Members of one host meet at loopback. The address that leads to the meeting place is known where that is by tcp;
// elsewhere the hosts are one machine.
psPluginPeersImpl::psPluginPeersImpl(const ps::World& world, uint64_t serial, std::vector<int32_t> global_ranks)
    : world_(world),
      global_ranks_(std::move(global_ranks)),
      prefix_(fmt::format("{}net {} {} ", ps::kReservedKeyPrefix, world.id(), serial)),
      looked_(global_ranks_.size()) {
  const std::string own = world.member(world.rank()).address;
  address_ = !world.share_a_host(global_ranks_) && ps::is_literal(own) ? own : "127.0.0.1";
}

ps::StopCheck psPluginPeersImpl::patience(ps::Deadline deadline) const {
  return [this, deadline] {
    if (is_over_.load()) ps::fail(PS_ERR_ABORTED, "the group is being freed");
    if (deadline.passed()) ps::fail(PS_ERR_TIMEOUT, "the store says nothing");
  };
}

std::optional<std::string> psPluginPeersImpl::look_up(const std::string& what, const ps::StopCheck& patience) const {
  try {
    return world_.store()->get(key(what), ps::Deadline::in_ms(0), patience);
  } catch (const ps::Error&) {
    return std::nullopt;
  }
}

void psPluginPeersImpl::leave(const std::string& what, const std::string& data, int32_t to,
                              const ps::StopCheck& patience) const {
  world_.store()->set(key(what), data, -1, patience);
  ring(to, patience);
}

void psPluginPeersImpl::listen(std::function<void()> on_news) {
  world_.store_bell().add(this, [this, on_news = std::move(on_news)] {
    news_.fetch_add(1);
    on_news();
  });
  news_.fetch_add(1);
}

void psPluginPeersImpl::stop_listening() { world_.store_bell().remove(this); }

std::optional<uint64_t> psPluginPeersImpl::news_of(int32_t member) const {
  const uint64_t news = news_.load();
  return news == looked_.at(static_cast<size_t>(member)).load() ? std::nullopt : std::optional(news);
}
