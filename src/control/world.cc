#include "control/world.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <map>
#include <random>

#include "base/error.h"
#include "base/process_memory.h"
#include "base/wire.h"
#include "control/cgroup.h"
#include "control/cpus.h"
#include "control/host_identity.h"
#include "control/store/network.h"

namespace ps {
namespace {

// No heartbeat for this long: stopped, or starved of CPU. The heart beats ten times as often.
constexpr int64_t kSilentMs = 1000;
// How long a rank that could not join, and hosts the store, lets the others read why they could not either.
constexpr int64_t kFarewellMs = 1000;
// Offers that all ranks of a host together ask about each time they look around while the world forms.
constexpr int kMostAsked = 1024;
constexpr int32_t kMostRanks = 65535;  // a root travels in 16 bits

// Its texts lie elsewhere: with their owners, or in what all ranks said.
struct Introduction {
  int32_t version = PS_VERSION;
  uint32_t flags = 0;
  uint64_t host_buffer_bytes = 0;
  uint64_t max_object_bytes = 0;
  int32_t replica_count = 0;
  int32_t local_rank = -1;
  int32_t pid = 0;
  std::string_view hostname;
  std::string_view address;
  std::string_view host;  // host_identity
  std::string_view ticket;
  std::string_view backend;
  std::string_view cpus;  // that it may use
  CpuPlace place;
  int64_t cpu_quota = 0;  // of its cgroup, in thousandths of a CPU; 0: none
  std::string_view dispatch;
  uint64_t probe_address = 0;  // of a word in its memory
  uint64_t probe_word = 0;

  std::string encode() const {
    return WireWriter()
        .number(version).number(flags).number(host_buffer_bytes).number(max_object_bytes).number(replica_count)
        .number(local_rank).number(pid).text(hostname).text(address).text(host).text(ticket)
        .text(cpus).number(place.node).number(place.cache).number(cpu_quota).text(dispatch).text(backend)
        .number(probe_address).number(probe_word)
        .take();
  }
  static Introduction decode(std::string_view bytes) {
    WireReader reader(bytes, "a rank's introduction");
    Introduction self;
    self.version = reader.number<int32_t>();
    self.flags = reader.number<uint32_t>();
    self.host_buffer_bytes = reader.number<uint64_t>();
    self.max_object_bytes = reader.number<uint64_t>();
    self.replica_count = reader.number<int32_t>();
    self.local_rank = reader.number<int32_t>();
    self.pid = reader.number<int32_t>();
    self.hostname = reader.view();
    self.address = reader.view();
    self.host = reader.view();
    self.ticket = reader.view();
    self.cpus = reader.view();
    self.place.node = reader.number<int>();
    self.place.cache = reader.number<int>();
    self.cpu_quota = reader.number<int64_t>();
    self.dispatch = reader.view();
    self.backend = reader.view();
    self.probe_address = reader.number<uint64_t>();
    self.probe_word = reader.number<uint64_t>();
    reader.finish();
    return self;
  }
};

// Every rank runs this over the same introductions in the same order, so all of them refuse together.
void check_agreement(int32_t rank, const Introduction& other, const Introduction& first) {
  const auto require = [rank](const auto& mine, const auto& zero, const char* what) {
    if (mine != zero) fail(PS_ERR_MISMATCH, "psInit: rank {} has {} {}, rank 0 has {}", rank, what, mine, zero);
  };
  require(other.version / 100, first.version / 100, "library version (major * 100 + minor)");
  require(other.flags & PS_DETERMINISTIC, first.flags & PS_DETERMINISTIC, "the DETERMINISTIC flag");
  require(other.flags & PS_WARM_UP, first.flags & PS_WARM_UP, "the WARM_UP flag");
  require(other.host_buffer_bytes, first.host_buffer_bytes, "host_buffer_bytes");
  require(other.max_object_bytes, first.max_object_bytes, "max_object_bytes");
  require(other.replica_count, first.replica_count, "replica_count");
  require(other.backend, first.backend, "the backend");
  if (other.dispatch != first.dispatch) {
    fail(PS_ERR_MISMATCH,
         "psInit: rank {} has the dispatch rules \"{}\", rank 0 has \"{}\"; psConfig.dispatch or PS_DISPATCH must be the "
         "same on all ranks", rank, other.dispatch, first.dispatch);
  }
}

std::string private_name() {
  static std::atomic<uint64_t> next{0};
  return fmt::format("mem://alone-{}-{}", ::getpid(), next.fetch_add(1));
}

}  // namespace

World::World(LaunchSettings settings, std::function<void()> on_death)
    : settings_(std::move(settings)), logger_(settings_.logger()), probe_word_(std::random_device{}() | uint64_t{1} << 32) {
  if (size() > kMostRanks) fail(PS_ERR_UNSUPPORTED, "a world has at most {} ranks, this one has {}", kMostRanks, size());
  logger_.set_speaker(fmt::format("rank {}/{}", rank(), size()));
  if (settings_.rendezvous.empty()) settings_.rendezvous = private_name();
  in_process_ = settings_.rendezvous.starts_with("mem://");
  const Deadline deadline = Deadline::in_ms(settings_.init_timeout_ms);
  logger_.info("joining a world of {} ranks at {} (rank named by {})", size(), settings_.rendezvous, settings_.source);

  StoreSettings store;
  store.url = settings_.rendezvous;
  store.job = settings_.job;
  store.secret = settings_.secret;
  store.network = settings_.network;
  store.allow_unauthenticated = (settings_.flags & PS_ALLOW_UNAUTHENTICATED) != 0;
  store_ = rank() == 0 ? meet_store(store, deadline) : join_store(store, deadline);

  Offer offer(in_process_);
  try {
    join(offer, deadline);
    seal_store(*store_);
    share_segment(offer, deadline);
    find_reach();
    if (node_count_ > 1) watch_other_hosts(store, deadline);
  } catch (...) {
    drain_store(*store_, Deadline::in_ms(kFarewellMs));
    throw;
  }
  if (in_process_) {
    segment_->own().life.pid.store(::getpid());
    segment_->own().life.presence.store(Presence::kPresent);
  } else {
    guardian_ = std::make_unique<Guardian>(segment_, logger_, [watch = watch_.get(), on_death = std::move(on_death)] {
      if (watch != nullptr) watch->look();
      on_death();
    });
  }
}

World::~World() { leave(Deadline::in_ms(kFarewellMs)); }

// The store cannot tell why its host closed it, and of two world sizes it sees only that they name different members.
Exchanged World::meet(const Exchange& exchange, Deadline deadline) const {
  try {
    return store_->exchange(exchange, deadline, [] {});
  } catch (const Error& error) {
    if (error.code() == PS_ERR_CLOSED) {
      throw Error(PS_ERR_PEER_FAILED,
                  "the store was closed while the world formed: its host (rank 0, unless another process serves it) has given "
                  "up, and its own error says why",
                  0);
    }
    if (error.code() == PS_ERR_TIMEOUT && rank() == 0 && is_out_of_reach(store_->url())) {
      throw Error(PS_ERR_TIMEOUT,
                  fmt::format("{} The store listens at {}, which no other host can reach; for ranks on other hosts give a "
                              "secret (PS_SECRET_FILE) and an address that is not loopback.",
                              error.text(), store_->url()),
                  error.culprit());
    }
    if (error.code() != PS_ERR_MISMATCH) throw;
    throw Error(PS_ERR_MISMATCH,
                fmt::format("the ranks disagree on the world size, which is {} on rank {}: {}", size(), rank(),
                            error.text()),
                error.culprit());
  }
}

void World::join(const Offer& offer, Deadline deadline) {
  Introduction self;
  self.flags = settings_.flags;
  self.host_buffer_bytes = settings_.host_buffer_bytes;
  self.max_object_bytes = settings_.max_object_bytes;
  self.replica_count = settings_.replica_count;
  self.local_rank = settings_.local_rank;
  self.pid = ::getpid();
  const std::string hostname = host_name();
  const std::string address = in_process_ ? hostname : peer_address(settings_.network, store_->url());
  const std::string host = in_process_ ? "this process" : host_identity(settings_.host_id);
  const CpuSet usable = own_cpus();
  const std::string cpus = ps::describe(usable);
  self.hostname = hostname;
  self.address = address;
  self.host = host;
  self.ticket = offer.ticket();
  self.backend = settings_.backend;
  self.cpus = cpus;
  self.place = settings_.place.value_or(find_place(usable));
  const double quota = cgroup_cpu_limit().value;
  self.cpu_quota = std::llround(quota * 1000);
  self.dispatch = settings_.dispatch;
  self.probe_address = address_of(&probe_word_);
  self.probe_word = probe_word_;

  Exchange exchange;
  exchange.scope = fmt::format("world of job '{}'", settings_.job);
  for (int32_t i = 0; i < size(); ++i) exchange.members.push_back(i);
  exchange.rank = rank();
  exchange.blob = self.encode();
  exchange.who = fmt::format("rank {} (pid {} on host {})", rank(), self.pid, self.hostname);
  const Exchanged joined = meet(exchange, deadline);
  id_ = joined.serial;
  store_bell_ = std::make_unique<StoreBell>(store_, id_, rank());
  std::map<std::string_view, std::pair<int32_t, int>> nodes;  // host -> its number, ranks seen on it
  Introduction first;
  std::map<std::string_view, int> by_cpus;  // ranks of this host
  int64_t least_quota = 0;                  // of these; 0: none has one
  RosterWriter roster(size());
  for (int32_t i = 0; i < size(); ++i) {
    const Introduction other = Introduction::decode(joined.blobs[static_cast<size_t>(i)]);
    if (i == 0) first = other;
    check_agreement(i, other, first);
    auto& [node, count] = nodes.try_emplace(other.host, static_cast<int32_t>(nodes.size()), 0).first->second;
    Member member;
    member.node = node;
    member.local_rank = other.local_rank >= 0 ? other.local_rank : count;
    member.pid = other.pid;
    member.place = other.place;
    if (other.host == self.host) {
      member.local_index = count;
      ++by_cpus[other.cpus];
      if (other.cpu_quota > 0 && (least_quota == 0 || other.cpu_quota < least_quota)) least_quota = other.cpu_quota;
      local_tickets_.push_back(other.ticket);
      local_probes_.push_back({other.probe_address, other.probe_word});
    }
    ++count;
    roster.add(member, other.hostname, other.address);
  }
  first_roster_ = roster.finish();
  roster_ = Roster(first_roster_);
  size_t ticket_bytes = 0;
  for (const std::string_view ticket : local_tickets_) ticket_bytes += ticket.size();
  ticket_text_.reserve(ticket_bytes);  // so that no part of it moves
  for (std::string_view& ticket : local_tickets_) {
    const size_t begin = ticket_text_.size();
    ticket_text_ += ticket;
    ticket = {ticket_text_.data() + begin, ticket.size()};
  }
  node_count_ = static_cast<int32_t>(nodes.size());
  std::vector<RanksOnCpus> bound;
  for (const auto& [cpus, count] : by_cpus) bound.push_back({parse_cpus(std::string(cpus)), count});
  wait_policy_ = WaitPolicy::of(crowded(bound, quota), settings_.spin_us);
  is_crowded_ = crowded(bound, static_cast<double>(least_quota) / 1000);
}

void World::share_segment(Offer& offer, Deadline deadline) {
  const int local_size = roster_.local_size();
  const int local_index = roster_.local_index(rank());
  const size_t bytes = HostSegment::bytes(first_roster_, local_size > 1 && !in_process_);
  std::shared_ptr<SharedMemory> memory;
  if (local_index > 0) {
    memory = offer.take(local_tickets_.front(), bytes, deadline, [] {});
    // Of the sample nothing: one rank alone reads it, and gives its pages back.
    memory->prefault(0, HostSegment::bytes(first_roster_), "the host segment");
  } else {
    try {
      memory = SharedMemory::create(in_process_, "parallelstate-host", bytes);
      memory->prefault(0, bytes, "the host segment");
    } catch (const Error& error) {
      offer.refuse(error, local_size - 1, deadline, [] {});
      throw;
    }
  }
  segment_ = std::make_shared<HostSegment>(memory, first_roster_, local_index);
  if (local_index == 0) {
    segment_->write_roster(first_roster_);
    if (segment_->sample() != nullptr) write_sample(*segment_->sample());
    std::vector<int32_t> mates;
    for (int i = 0; i < local_size; ++i) mates.push_back(roster_.rank_of(i));
    offer.give(memory, local_size - 1, deadline, [this, &mates] { check_living(mates, "joining the world"); });
  }
  memory->drop_descriptor();
  roster_ = segment_->roster();
  TransientBytes().swap(first_roster_);
}

void World::find_reach() {
  auto& reach = segment_->own().reach;
  const bool reaches = reaches_mates();
  reach.asked.store(settings_.cross_memory.value_or(false) ? 1 : 0, std::memory_order_seq_cst);
  if (segment_->sample() != nullptr && segment_->local_index() == 1) {
    const double slowness = reaches ? kernel_slowness(*segment_->sample(), member(roster_.rank_of(0)).pid) : 0;
    forget_sample(*segment_->sample());
    if (slowness > 0) {
      logger_.info("the kernel took {:.1f} times as long to copy from {} as memcpy did", slowness, who(roster_.rank_of(0)));
    }
    // Not measured is not found to be faster.
    const bool is_fast = slowness > 0 && slowness <= kMostSlowness;
    reach.too_slow.store(is_fast ? 0 : 1, std::memory_order_seq_cst);
  }
  reach.all.store(reaches ? 1 : 0, std::memory_order_seq_cst);
  std::vector<Probe>().swap(local_probes_);
}

// By reading a word of each. A number of a process alone would not do: in another namespace it is somebody else's.
bool World::reaches_mates() const {
  if (!settings_.cross_memory.value_or(true)) return false;
  if (in_process_) return true;
  for (int i = 0; i < roster_.local_size(); ++i) {
    const Probe& probe = local_probes_[static_cast<size_t>(i)];
    uint64_t word = 0;
    const int error =
        read_process(member(roster_.rank_of(i)).pid, reinterpret_cast<std::byte*>(&word), probe.address, sizeof word);
    if (error == 0 && word == probe.word) continue;
    logger_.info("the memory of {} cannot be reached ({}), so large data takes two copies",
                 who(roster_.rank_of(i)), error == 0 ? "another process has its number here" : std::strerror(error));
    return false;
  }
  return true;
}

bool World::reach_each_other(const std::vector<int32_t>& ranks) const {
  return std::all_of(ranks.begin(), ranks.end(), [this](int32_t rank) {
    const RankLines* const line = lines(rank);
    return line != nullptr && line->reach.all.load(std::memory_order_seq_cst) != 0;
  });
}

bool World::reaching_pays(const std::vector<int32_t>& ranks) const {
  return segment_->local_size() == 1 || segment_->lines(1).reach.too_slow.load(std::memory_order_seq_cst) == 0 ||
         std::any_of(ranks.begin(), ranks.end(), [this](int32_t rank) {
           return lines(rank)->reach.asked.load(std::memory_order_seq_cst) != 0;
         });
}

void World::watch_other_hosts(const StoreSettings& store, Deadline deadline) {
  StoreSettings found = store;
  found.url = store_->url();
  std::vector<Neighbour> neighbours;
  for (int32_t other = 0; other < size(); ++other) {
    if (roster_.local_index(other) < 0) neighbours.push_back({other, member(other).address});
  }
  const Member own = member(rank());
  const Attendance self{.world = id_, .world_size = size(), .rank = rank(), .node = own.node, .port = 0};
  watch_ = std::make_unique<Watch>(segment_, logger_, Dialer(found, Role::kWatch), self, own.address,
                                   std::move(neighbours), deadline);
}

void World::notice_vanished() const {
  if (in_process_ || local_tickets_.empty()) return;
  const int size = segment_->local_size();
  // To ask whether an offer stands takes a connection. In a large world each rank asks about a few at a time, beginning
  // with its neighbours; all ranks that wait ask about everybody.
  const int most = std::max(1, kMostAsked / size);
  for (int seen = 0, asked = 0; seen < size && asked < most; ++seen) {
    const int i = (segment_->local_index() + ++last_asked_) % size;
    const auto joining = [&] {
      return segment_->lines(i).life.presence.load(std::memory_order_seq_cst) == Presence::kJoining;
    };
    if (i == segment_->local_index() || !joining()) continue;
    ++asked;
    // A rank destroys its offer only after its guardian has marked it as present, so the second look settles it.
    if (!Offer::stands(local_tickets_[static_cast<size_t>(i)]) && joining()) {
      segment_->log_death(segment_->rank_of(i), Loss::kEnded);
    }
  }
}

void World::log_marked(const std::vector<int32_t>& ranks) const {
  for (const int32_t other : ranks) {
    const RankLines* const theirs = lines(other);
    if (theirs == nullptr || (theirs->life.word.load() & FUTEX_OWNER_DIED) == 0) continue;
    segment_->log_death(other, Loss::kEnded);
  }
}

bool World::share_a_host(const std::vector<int32_t>& ranks) const {
  return std::all_of(ranks.begin(), ranks.end(),
                     [&](int32_t rank) { return member(rank).node == member(ranks.front()).node; });
}

RankLines* World::lines(int32_t rank) const {
  const int index = roster_.local_index(rank);
  return index < 0 ? nullptr : &segment_->lines(index);
}

psRankState World::state(int32_t rank) const {
  if (has_left(rank)) return PS_RANK_LEFT;
  if (first_dead({rank}) != PS_NO_RANK) return PS_RANK_DEAD;
  return silent_ms(rank) >= kSilentMs ? PS_RANK_SILENT : PS_RANK_ALIVE;
}

int64_t World::silent_ms(int32_t rank) const {
  const int index = roster_.local_index(rank);
  if (index >= 0) return guardian_ ? guardian_->silent_ms(index) : 0;
  return watch_ ? watch_->silent_ms(rank) : 0;
}

int32_t World::first_dead(const std::vector<int32_t>& ranks) const {
  int32_t first = PS_NO_RANK;
  segment_->visit_deaths([&](int32_t dead) {
    if (std::find(ranks.begin(), ranks.end(), dead) == ranks.end()) return false;
    first = dead;
    return true;
  });
  return first;
}

bool World::has_left(int32_t rank) const {
  const RankLines* line = lines(rank);
  if (line == nullptr) return segment_->has_left(rank);
  return line->life.presence.load(std::memory_order_seq_cst) == Presence::kLeft;
}

uint64_t World::begin_attempt() const { return segment_->own().attempts.begin(); }

void World::abandon_attempt(uint64_t attempt, bool follows) const {
  segment_->own().attempts.abandon(attempt, follows);
  segment_->ring_all();
  if (watch_) watch_->tell_abandoned(attempt);
}

bool World::has_abandoned(int32_t rank, uint64_t attempt) const {
  RankLines* const theirs = lines(rank);
  if (theirs != nullptr) return theirs->attempts.abandoned(attempt);
  return watch_ && watch_->has_abandoned(rank, attempt);
}

bool World::has_followed(int32_t rank, uint64_t attempt) const {
  RankLines* const theirs = lines(rank);
  return theirs != nullptr && theirs->attempts.follows(attempt);
}

std::string World::who(int32_t rank) const {
  const Member& other = member(rank);
  return fmt::format("rank {} (pid {} on host {})", rank, other.pid, other.hostname);
}

std::string World::how_cut_off(int32_t other) const {
  return fmt::format("cannot be reached from {}: for 3 s neither host has answered the other ({} and {}), though the store "
                     "hears both; check the link, the routes and the firewalls between the two hosts",
                     who(rank()), member(rank()).address, member(other).address);
}

void World::check_living(const std::vector<int32_t>& ranks, const std::string& doing) const {
  if (closed()) throw Error(PS_ERR_ABORTED, doing + ": psFinalize was called on this rank", rank());
  notice_vanished();
  const auto check_deaths = [&] {
    const int32_t dead = first_dead(ranks);
    if (dead != PS_NO_RANK) throw Error(PS_ERR_PEER_FAILED, fmt::format("{}: {} {}", doing, who(dead), how_lost(dead)), dead);
  };
  check_deaths();
  for (const int32_t other : ranks) {
    if (!has_left(other)) continue;
    // Who leaves because of a death has logged it before, or heard of it by a connection that closed. That is after the
    // kernel has marked the dead one's word, whether or not a guardian has seen it yet.
    log_marked(ranks);
    check_deaths();
    throw Error(PS_ERR_PEER_FAILED, fmt::format("{}: {} left by psFinalize", doing, who(other)), other);
  }
}

std::shared_ptr<Store> World::store() const {
  const std::lock_guard lock(store_mutex_);
  if (!store_) fail(PS_ERR_STATE, "the context is finalized");
  return store_;
}

void World::leave(Deadline deadline) {
  std::shared_ptr<Store> store;
  {
    const std::lock_guard lock(store_mutex_);
    store.swap(store_);
  }
  if (!store) return;
  segment_->own().life.presence.store(Presence::kLeft, std::memory_order_seq_cst);
  segment_->ring_all();
  if (guardian_) guardian_->stop();
  if (watch_) watch_->stop();
  if (store_bell_) store_bell_->stop();
  drain_store(*store, deadline);
}

}  // namespace ps
