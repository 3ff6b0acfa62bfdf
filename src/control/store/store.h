// What a rank can ask of the world's store: small values under keys, and the exchange by which ranks agree. Ranks that
// share a process with the store's data ask it directly; others through an authenticated connection.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/transient.h"

namespace ps {

// Called a few times a second while a call waits; throws to end it, for example because a peer died.
using StopCheck = std::function<void()>;

// An all-gather of one blob a member, run by the store. Calls with equal `scope` and equal `members` meet; one round
// takes one blob of each member, and the next call of the same rank opens the next round.
struct Exchange {
  std::string scope;
  std::vector<int32_t> members;  // world ranks, the same list in the same order on all; the caller is one of them
  int32_t rank = 0;              // the caller's world rank
  std::string blob;              // at most 16 KiB
  bool tell_latecomers = false;  // a member that comes after a conflict is told it too; for scopes of one world alone
  std::string who;               // "rank 3, pid 77 on host h": how others name the caller in errors
};

// The blobs stay where they arrived: in a large world a string for each would take more memory than all that is kept.
struct Exchanged {
  uint64_t serial = 0;                         // the same on all members, never given twice by one store
  TransientVector<std::string_view> blobs;     // in the order of `members`
  std::shared_ptr<const void> owner;           // of the bytes that they are
};

class Store {
 public:
  virtual ~Store() = default;

  virtual void set(std::string_view key, std::string_view value, int64_t expire_ms, const StopCheck& check = nullptr) = 0;
  // Waits until the key exists. Errors: TIMEOUT naming the key.
  virtual std::string get(std::string_view key, Deadline deadline, const StopCheck& check = nullptr) = 0;
  virtual int64_t add(std::string_view key, int64_t delta) = 0;
  // `expected` nullopt: only if absent.
  virtual bool compare_and_set(std::string_view key, std::optional<std::string_view> expected,
                               std::string_view desired, int64_t expire_ms, const StopCheck& check = nullptr) = 0;
  virtual bool remove(std::string_view key, const StopCheck& check = nullptr) = 0;

  // Errors, the same for all members that wait: TIMEOUT lists who arrived and who is missing; PEER_FAILED a member
  // whose connection ended while it waited; MISMATCH two ranks that wait for each other under one scope with different
  // member lists (rank a waits in list A that has b, b waits in list B that has a), naming both ranks and both lists;
  // ARGUMENT a rank that arrives twice in one round.
  virtual Exchanged exchange(const Exchange& request, Deadline deadline, const StopCheck& check) = 0;

  // How others reach it: the URL to pass as psConfig.rendezvous or to psStoreOpen.
  virtual const std::string& url() const = 0;

  // The deadline of calls that are given none.
  virtual int64_t default_timeout_ms() const = 0;
};

struct StoreSettings {
  std::string url;      // tcp://host:port, unix:///path, file:///dir, mem://name, fd://N
  std::string job;      // worlds only, "" a client that is no rank: a store hosted for one job refuses ranks of another
  std::string secret;   // "" none
  std::string network;  // "" any: interface name or address to bind or use
  bool allow_unauthenticated = false;
  int64_t timeout_ms = 300'000;
  uint64_t max_value_bytes = 64u << 20;
};

// A store that this process hosts or uses; the last reference closes it.
//
// `host_store`: binds the URL and serves (psStoreOpen with SERVE). Errors: SYSTEM naming who holds the address.
// `join_store`: a client. Waits until somebody answers, up to the deadline. Errors: TIMEOUT nobody answers; DENIED;
//               SYSTEM a stranger answers (named: torch's store, an HTTP server, another job, another version).
// `meet_store`: what rank 0 of a world does: hosts the URL, unless a served store already answers there, then joins it.
std::shared_ptr<Store> host_store(const StoreSettings& settings);
std::shared_ptr<Store> join_store(const StoreSettings& settings, Deadline deadline);
std::shared_ptr<Store> meet_store(const StoreSettings& settings, Deadline deadline);

// For a world that has formed: where this process hosts the store, ranks that come from now on are told to wait until
// it has ended, so that a rank which starts over meets the next world and not this one. Clients without a job still
// come in.
void seal_store(Store& store);

// For a rank that leaves: where this process hosts the store, waits until the other ranks have left, at most until the
// deadline, and lets no new ones in. Returns at once elsewhere.
void drain_store(Store& store, Deadline deadline);

// The library's own keys begin with this byte, which no caller's key may contain.
inline constexpr char kReservedKeyPrefix = '\x01';

// Errors: ARGUMENT unless the caller's key has 1 to 1024 bytes of UTF-8 and is not one of the library's.
void check_key(std::string_view key);

}  // namespace ps
