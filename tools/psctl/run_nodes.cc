#include "run_nodes.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <utility>

#include "rank_output.h"

namespace psctl {
namespace {

using nlohmann::json;

constexpr int64_t kSliceMs = 500;      // between two looks at what else there is to do
constexpr int64_t kDialMs = 2000;      // one attempt to reach the first node
constexpr int64_t kCallMs = 10'000;    // for the store to answer
constexpr int64_t kBeatMs = 2000;      // a heartbeat's life; it is renewed in every slice
constexpr int64_t kLostMs = 2000;      // so long after the last one's end, a node is lost
constexpr int64_t kLateMs = 1500;      // a look that comes so late proves nothing
constexpr int64_t kFarewellMs = 5000;  // for the others to read the end

std::string key(const char* name, int64_t number) {
  return std::string("psctl/") + name + "/" + std::to_string(number);
}

// Of the calls that are not expected to fail.
void require(psResult result, const std::string& doing) {
  if (result < 0) throw std::runtime_error(doing + ": " + psLastError());
}

// Nothing where the key stays absent for `timeout_ms`.
std::optional<std::string> read(psStore store, const std::string& key, int64_t timeout_ms, const std::string& doing) {
  psBytes bytes = nullptr;
  const psResult result = psStoreGet(store, key.c_str(), timeout_ms, &bytes);
  if (result == PS_ERR_TIMEOUT) return std::nullopt;
  if (result == PS_ERR_CLOSED || result == PS_ERR_PEER_FAILED) {
    throw std::runtime_error(doing + ": psctl on node 0 has ended; what it printed says why (" + psLastError() + ")");
  }
  require(result, doing);
  const void* data = nullptr;
  size_t size = 0;
  psBytesAt(bytes, 0, &data, &size, nullptr);
  std::string text(static_cast<const char*>(data), size);
  psBytesFree(bytes);
  return text;
}

bool set_if_absent(psStore store, const std::string& key, const std::string& value, const std::string& doing) {
  int32_t swapped = 0;
  require(psStoreCompareAndSet(store, key.c_str(), nullptr, 0, value.data(), value.size(), 0, &swapped), doing);
  return swapped == 1;
}

psResult open_store(const std::string& url, uint32_t flags, int64_t timeout_ms, psStore* store) {
  psStoreOptions options = PS_STORE_OPTIONS_INIT;
  options.flags = flags;
  options.timeout_ms = timeout_ms;
  options.network = std::getenv("PS_NETWORK");
  const char* allowed = std::getenv("PS_ALLOW_UNAUTHENTICATED");
  if (allowed != nullptr && std::string(allowed) == "1") options.flags |= PS_ALLOW_UNAUTHENTICATED;
  return psStoreOpen(url.c_str(), &options, store);
}

std::string this_host() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

std::string host_of(const std::string& rendezvous) {
  std::string host = rendezvous.substr(0, rendezvous.rfind(':'));
  if (host.starts_with("[") && host.ends_with("]")) host = host.substr(1, host.size() - 2);
  return host;
}

}  // namespace

Nodes::Nodes(const RunOptions& options, const std::string& job, int master_port, const std::function<void()>& check)
    : options_(options),
      deadline_ms_(now_ms() + static_cast<int64_t>(options.meet_timeout_s * 1000)),
      store_(nullptr, psStoreFree),
      nodes_(static_cast<size_t>(options.nnodes)),
      ready_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!ready_) fail_errno("cannot make an event descriptor");
  place_.node = options.node_rank;
  place_.url = "tcp://" + options.rendezvous;
  place_.master_host = host_of(options.rendezvous);
  open(check);
  try {
    for (int node = 0; node < options.nnodes; ++node) learn(node, check);
    if (place_.node == 0) {
      const std::string world = json{{"job", job}, {"port", master_port}}.dump();
      set_if_absent(store_.get(), "psctl/world", world, "telling the others");
    }
    const json world = json::parse(wait_for("psctl/world", "node 0", check));
    place_.job = world.at("job");
    place_.master_port = world.at("port");
  } catch (...) {
    psStoreDelete(store_.get(), key("node", place_.node).c_str(), nullptr);
    throw;
  }
  for (Node& node : nodes_) {
    if (&node < &nodes_[static_cast<size_t>(place_.node)]) place_.first_rank += node.ranks;
    place_.world_size += node.ranks;
    node.heard_ms = now_ms() + kBeatMs;  // its first beat may yet have to be made
  }
  watcher_ = std::thread([this] { watch(); });
}

Nodes::~Nodes() {
  is_stopping_ = true;
  watcher_.join();
  if (is_lost_ || !all_done()) return;
  if (place_.node != 0) {
    psStoreSet(store_.get(), key("left", place_.node).c_str(), "", 0, 0);
    return;
  }
  psStoreSet(store_.get(), "psctl/closing", "", 0, 0);
  const int64_t until = now_ms() + kFarewellMs;
  for (int node = 1; node < options_.nnodes; ++node) {
    psBytes ignored = nullptr;
    psStoreGet(store_.get(), key("left", node).c_str(), std::max<int64_t>(0, until - now_ms()), &ignored);
    psBytesFree(ignored);
  }
}

// The first node serves; the others come when it does. One that is about to end is a run before this.
void Nodes::open(const std::function<void()>& check) {
  psStore store = nullptr;
  if (place_.node == 0) {
    require(open_store(place_.url, PS_SERVE, kCallMs, &store), "node 0 cannot serve the meeting place");
    store_.reset(store);
    return claim();
  }
  while (true) {
    check();
    const psResult found = open_store(place_.url, 0, kDialMs, &store);
    if (found >= 0) {
      psStoreFree(store);
      require(open_store(place_.url, 0, kCallMs, &store), "node 0 was there and has gone");
      store_.reset(store);
      if (!read(store, "psctl/closing", 0, "looking around")) return claim();
      store_.reset();
    } else if (found != PS_ERR_TIMEOUT && found != PS_ERR_CLOSED && found != PS_ERR_PEER_FAILED) {
      throw std::runtime_error(name(place_.node) + " cannot meet the others: " + psLastError());
    }
    if (now_ms() > deadline_ms_) {
      throw std::runtime_error(name(place_.node) + " found no node 0 at " + place_.url + ": " + psLastError());
    }
  }
}

void Nodes::claim() {
  const json self = {{"ranks", options_.local_size()}, {"host", this_host()}, {"nnodes", options_.nnodes}};
  const std::string own = key("node", place_.node);
  if (set_if_absent(store_.get(), own, self.dump(), "announcing this node")) return;
  const json other = json::parse(read(store_.get(), own, 0, "reading who it is").value_or("{}"));
  throw std::runtime_error("--node-rank " + std::to_string(place_.node) + " is taken by a psctl on host " +
                           other.value("host", "?") + "; give each node a number of its own, 0 to " +
                           std::to_string(options_.nnodes - 1));
}

void Nodes::learn(int node, const std::function<void()>& check) {
  const json found = json::parse(wait_for(key("node", node), name(node), check));
  Node& entry = nodes_[static_cast<size_t>(node)];
  entry.ranks = found.at("ranks");
  entry.host = found.at("host");
  const int nnodes = found.at("nnodes");
  if (nnodes != options_.nnodes) {
    throw std::runtime_error(name(node) + " was started with --nnodes " + std::to_string(nnodes) + ", " +
                             name(place_.node) + " with --nnodes " + std::to_string(options_.nnodes));
  }
}

std::string Nodes::wait_for(const std::string& key, const std::string& whom, const std::function<void()>& check) {
  while (true) {
    check();
    if (auto value = read(store_.get(), key, kSliceMs, "waiting for " + whom)) return *value;
    if (now_ms() > deadline_ms_) {
      throw std::runtime_error(whom + " has not come to " + place_.url + " (--meet-timeout); on it run: psctl run" +
                               " --nnodes " + std::to_string(options_.nnodes) + " --node-rank I --rendezvous " +
                               options_.rendezvous);
    }
  }
}

std::string Nodes::name(int node) const {
  const std::string& host = node == place_.node ? this_host() : nodes_[static_cast<size_t>(node)].host;
  return "node " + std::to_string(node) + (host.empty() ? "" : " (host " + host + ")");
}

void Nodes::tell(NodeEvent::Kind kind, int number, const std::string& text) {
  if (is_lost_) return;
  try {
    append({kind, place_.node, number, text});
  } catch (const std::exception& error) {
    deliver({NodeEvent::Kind::kLost, 0, 0, error.what()});
  }
}

// Nobody's entry is overwritten and there is no gap, so a reader needs to wait for the next number only.
void Nodes::append(const NodeEvent& event) {
  const std::string entry =
      json{{"kind", static_cast<int>(event.kind)}, {"node", event.node}, {"number", event.number}, {"text", event.text}}
          .dump(-1, ' ', false, json::error_handler_t::replace);
  for (int64_t next = 0; !set_if_absent(store_.get(), key("log", next), entry, "telling the other nodes"); ++next) {
  }
}

void Nodes::watch() {
  try {
    for (int64_t next = 0; !is_stopping_ && !all_done();) {
      require(psStoreSet(store_.get(), key("alive", place_.node).c_str(), "", 0, kBeatMs),
              "contact with node 0 was lost");
      if (place_.node == 0) check_heartbeats();
      const auto entry = read(store_.get(), key("log", next), kSliceMs, "contact with node 0 was lost");
      if (!entry) continue;
      ++next;
      const json found = json::parse(*entry);
      NodeEvent event{static_cast<NodeEvent::Kind>(found.at("kind").get<int>()), found.at("node"), found.at("number"),
                      found.at("text")};
      if (event.kind == NodeEvent::Kind::kDone) nodes_.at(static_cast<size_t>(event.node)).is_done = true;
      deliver(std::move(event));
    }
  } catch (const std::exception& error) {
    deliver({NodeEvent::Kind::kLost, 0, 0, error.what()});
  }
}

void Nodes::check_heartbeats() {
  // Who was stopped or starved has heard nobody, and neither has the store that it serves.
  const bool is_late = now_ms() - std::exchange(looked_ms_, now_ms()) >= kLateMs;
  for (int i = 1; i < options_.nnodes; ++i) {
    Node& node = nodes_[static_cast<size_t>(i)];
    if (node.is_done) continue;
    if (is_late || read(store_.get(), key("alive", i), 0, "looking for heartbeats")) {
      node.heard_ms = std::max(node.heard_ms, now_ms());
    }
    if (now_ms() - node.heard_ms < kLostMs) continue;
    append({NodeEvent::Kind::kFailed, i, 1,
            name(i) + " has not been heard of for " + std::to_string((kBeatMs + kLostMs) / 1000) + " s"});
    append({NodeEvent::Kind::kDone, i, 0, ""});
    node.heard_ms = now_ms();
  }
}

void Nodes::deliver(NodeEvent event) {
  {
    const std::lock_guard lock(mutex_);
    const bool is_end = event.kind == NodeEvent::Kind::kLost;
    if (is_end && is_lost_) return;
    events_.push_back(std::move(event));
    if (is_end) is_lost_ = true;
  }
  ::eventfd_write(ready_.get(), 1);
}

std::vector<NodeEvent> Nodes::take() {
  eventfd_t ignored;
  ::eventfd_read(ready_.get(), &ignored);
  const std::lock_guard lock(mutex_);
  return std::exchange(events_, {});
}

bool Nodes::all_done() const {
  return is_lost_ || std::all_of(nodes_.begin(), nodes_.end(), [](const Node& node) { return node.is_done.load(); });
}

}  // namespace psctl
