// Who the ranks of a world are and which of them are on this host. Every rank of a host comes to the same bytes from what
// all ranks said when they met; kept is one copy, in the host's segment, so that a large world costs each of them little.
//
//   sizes | a record of each rank | this host's ranks, by local index | host names and addresses, each once
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>

#include "base/transient.h"
#include "control/cpu_place.h"

namespace ps {

struct Member {
  int32_t node = 0;
  int32_t local_rank = 0;
  int32_t pid = 0;
  int local_index = -1;  // in this host's segment; -1 on other hosts
  CpuPlace place;
  const char* hostname = "";  // the roster's
  const char* address = "";
};

// A view: the bytes are somebody else's.
class Roster {
 public:
  Roster() = default;
  explicit Roster(const std::byte* bytes) : bytes_(bytes) {}
  explicit Roster(std::string_view bytes) : Roster(reinterpret_cast<const std::byte*>(bytes.data())) {}

  int32_t size() const { return sizes().world; }
  int local_size() const { return sizes().local; }
  Member member(int32_t rank) const;
  int local_index(int32_t rank) const { return record(rank).local_index; }
  // The world's rank of one of this host.
  int32_t rank_of(int local_index) const { return local_ranks()[local_index]; }

 private:
  friend class RosterWriter;

  struct Sizes {
    int32_t world;
    int32_t local;
  };
  struct Record {
    int32_t node;
    int32_t local_rank;
    int32_t pid;
    int32_t local_index;
    CpuPlace place;
    uint32_t hostname;  // where it begins among the texts
    uint32_t address;
  };

  const Sizes& sizes() const { return *reinterpret_cast<const Sizes*>(bytes_); }
  const Record* records() const { return reinterpret_cast<const Record*>(bytes_ + sizeof(Sizes)); }
  const Record& record(int32_t rank) const { return records()[rank]; }
  const int32_t* local_ranks() const { return reinterpret_cast<const int32_t*>(records() + size()); }
  const char* texts() const { return reinterpret_cast<const char*>(local_ranks() + local_size()); }

  const std::byte* bytes_ = nullptr;
};

// Ranks in their order.
class RosterWriter {
 public:
  explicit RosterWriter(int32_t world_size) { records_.reserve(static_cast<size_t>(world_size)); }

  // One whose local_index is not negative is the next of this host. The texts have to last until the end.
  void add(const Member& member, std::string_view hostname, std::string_view address);
  TransientBytes finish();

 private:
  uint32_t keep(std::string_view text);

  TransientVector<Roster::Record> records_;
  TransientVector<int32_t> local_ranks_;
  std::map<std::string_view, uint32_t> kept_;  // text -> where it begins; most ranks' are alike
  TransientBytes texts_;
};

}  // namespace ps
