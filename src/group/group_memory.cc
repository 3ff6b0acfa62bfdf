#include "group/group_memory.h"

#include <algorithm>
#include <optional>

#include "base/pages.h"
#include "base/wire.h"
#include "control/memory_room.h"
#include "group/agreement.h"
#include "group/context.h"
#include "group/failure_text.h"
#include "group/group.h"

namespace ps {
namespace {

const char* call_name(Kind kind) {
  switch (kind) {
    case Kind::kMemAlloc: return "psMemAlloc";
    case Kind::kMemFree: return "psMemFree";
    case Kind::kGroupRegister: return "psGroupRegister";
    default: return "psGroupDeregister";
  }
}

}  // namespace

struct GroupMemory::Statement {
  Kind kind{};
  uint64_t size = 0;
  uint64_t allocation = 0;  // psGroupRegister: that in which the range lies, 0 none; frees: the serial of what is freed
  uint64_t offset = 0;      // and where in this rank's part
  uint64_t address = 0;     // means something within one process alone
  std::string ticket;
  psResult code = PS_OK;  // how it went so far
  std::string error;

  std::string encode() const {
    return WireWriter()
        .number(static_cast<uint8_t>(kind)).number(size).number(allocation).number(offset).number(address)
        .number(code).text(ticket).text(error)
        .take();
  }
  static Statement decode(std::string_view bytes) {
    WireReader reader(bytes, "a member's statement about memory");
    Statement self;
    self.kind = static_cast<Kind>(reader.number<uint8_t>());
    self.size = reader.number<uint64_t>();
    self.allocation = reader.number<uint64_t>();
    self.offset = reader.number<uint64_t>();
    self.address = reader.number<uint64_t>();
    self.code = reader.number<psResult>();
    self.ticket = reader.text();
    self.error = reader.text();
    reader.finish();
    return self;
  }

  // Does what may fail on this rank alone, so that the others learn of it in the next round.
  template <class Body>
  void attempt(Body&& body) {
    try {
      body();
    } catch (const Error& failed) {
      code = failed.code();
      error = failed.text();
    } catch (const std::bad_alloc&) {
      code = PS_ERR_NO_MEMORY;
      error = "out of memory";
    }
  }
};

struct GroupMemory::Round {
  uint64_t serial = 0;
  std::vector<Statement> statements;  // in the order of the members
};

GroupMemory::~GroupMemory() {
  for (const Entry& entry : entries_) {
    if (entry.has_region) group_.communicator().remove_region(entry.serial);
  }
}

bool GroupMemory::shares() const { return group_.communicator().uses_regions(); }

Deadline GroupMemory::deadline() const { return Deadline::in_ms(group_.timeout_ms()); }

// A member that returned from the call may leave at once, before its last word has reached this rank: the second look
// settles it.
StopCheck GroupMemory::stop_check() const {
  return [this, looks = 0]() mutable {
    const std::string doing = fmt::format("group '{}'", group_.name());
    try {
      group_.world().check_living(group_.global_ranks(), doing);
      for (int member = 0; member < group_.size(); ++member) {
        const std::string reason = group_.communicator().gone(member, group_.label());
        if (reason.empty()) continue;
        const int32_t culprit = group_.global_ranks()[static_cast<size_t>(member)];
        throw Error(PS_ERR_PEER_FAILED, fmt::format("{}: {} {}", doing, group_.world().who(culprit), reason), culprit);
      }
    } catch (const Error& error) {
      if (error.code() != PS_ERR_PEER_FAILED || ++looks > 1) throw;
    }
    if (const auto failure = group_.communicator().failure()) throw *failure;
  };
}

GroupMemory::Round GroupMemory::meet(const Statement& own, const char* step) {
  const Communicator& communicator = group_.communicator();
  const std::string scope = fmt::format("memory of group '{}' ({}.{}) of world {}{}", group_.name(),
                                        communicator.serial(), group_.tag(), group_.world().id(), step);
  const StopCheck check = stop_check();
  check();
  const Exchanged agreed = agree(group_.world(), own.kind, group_.name(), scope, group_.global_ranks(), own.encode(),
                                 deadline(), check);
  record_return(group_.world());
  Round round{agreed.serial, {}};
  for (const std::string_view blob : agreed.blobs) round.statements.push_back(Statement::decode(blob));
  const std::vector<int32_t>& ranks = group_.global_ranks();
  const Statement& first = round.statements.front();
  for (size_t i = 0; i < ranks.size(); ++i) {
    const Statement& other = round.statements[i];
    if (other.code != PS_OK) {
      throw Error(other.code, fmt::format("group '{}', rank {}: {}", group_.name(), i, other.error), ranks[i]);
    }
    if (other.kind != first.kind) {
      throw Error(PS_ERR_MISMATCH,
                  fmt::format("group '{}': rank {} called {}, but rank 0 called {}", group_.name(), i,
                              call_name(other.kind), call_name(first.kind)),
                  ranks[i]);
    }
    if (other.kind == Kind::kMemAlloc && other.size != first.size) {
      throw Error(PS_ERR_MISMATCH,
                  fmt::format("group '{}': rank {} asks for {} bytes, but rank 0 for {}; parts of symmetric memory are "
                              "of equal size",
                              group_.name(), i, other.size, first.size),
                  ranks[i]);
    }
    if ((other.kind == Kind::kMemFree || other.kind == Kind::kGroupDeregister) && other.allocation != first.allocation) {
      throw Error(PS_ERR_MISMATCH,
                  fmt::format("group '{}': rank {} names other memory in {} than rank 0; all members free the same "
                              "memory in the same order",
                              group_.name(), i, call_name(other.kind)),
                  ranks[i]);
    }
  }
  return round;
}

void GroupMemory::hand_over(Offer& offer, Allocation& allocation, const Round& round, Deadline deadline) {
  const size_t bytes = allocation.stride * allocation.global_ranks.size();
  const StopCheck check = stop_check();
  if (group_.rank() == 0) {
    offer.give(allocation.memory, group_.size() - 1, deadline, check);
  } else {
    allocation.memory = offer.take(round.statements.front().ticket, bytes, deadline, check);
  }
  allocation.memory->drop_descriptor();
  allocation.own = allocation.part(static_cast<size_t>(group_.rank()));
  allocation.memory->prefault(static_cast<size_t>(group_.rank()) * allocation.stride, allocation.stride,
                               "psMemAlloc");
}

void* GroupMemory::allocate(size_t size) {
  const Deadline until = deadline();
  auto allocation = std::make_shared<Allocation>();
  allocation->global_ranks = group_.global_ranks();
  allocation->size = size;
  const bool is_shared = shares();

  std::optional<Offer> offer;
  Statement own;
  own.kind = Kind::kMemAlloc;
  own.size = size;
  own.attempt([&] {
    own.ticket = offer.emplace(group_.world().in_process()).ticket();
    if (size > SIZE_MAX / 4 / static_cast<size_t>(group_.size())) {
      fail(PS_ERR_NO_MEMORY, "{} bytes for each of {} members", size, group_.size());
    }
    const size_t part = whole_pages(std::max<size_t>(size, 1));
    if (is_shared) allocation->stride = part;
    const size_t bytes = is_shared ? part * static_cast<size_t>(group_.size()) : part;
    if (!is_shared || group_.rank() == 0) {
      require_memory(bytes, fmt::format("psMemAlloc of {} bytes for each of {} members", size, group_.size()));
    }
    if (!is_shared) {
      allocation->memory = SharedMemory::create_in_process(bytes);
      allocation->memory->prefault(0, bytes, "psMemAlloc");
      allocation->own = allocation->memory->data();
    } else if (group_.rank() == 0) {
      allocation->memory = SharedMemory::create(group_.world().in_process(), "parallelstate-memory", bytes);
    }
  });
  const Round round = meet(own, "");
  allocation->serial = round.serial;
  if (!is_shared) {
    void* const memory = allocation->own;
    enter({memory, round.serial, false, std::move(allocation)}, nullptr, Kind::kMemAlloc);
    return memory;
  }
  own.attempt([&] { hand_over(*offer, *allocation, round, until); });
  auto region = std::make_shared<Region>();
  region->id = round.serial;
  for (size_t i = 0; own.code == PS_OK && i < allocation->global_ranks.size(); ++i) {
    region->parts.push_back(allocation->part(i));
    region->sizes.push_back(size);
  }
  region->memory = allocation->memory;
  if (own.code != PS_OK) {
    meet(own, ", given");
    throw Error(own.code, own.error);
  }
  void* const memory = allocation->own;
  enter({memory, round.serial, true, std::move(allocation)}, std::move(region), Kind::kMemAlloc);
  return memory;
}

// Nobody returns before everybody knows the region: a member that uses it at once finds it known to all.
void GroupMemory::enter(Entry entry, std::shared_ptr<Region> region, Kind kind) {
  if (region) region->group = group_.tag();
  if (region) group_.communicator().add_region(std::move(region));
  Statement own;
  own.kind = kind;
  own.size = entry.allocation ? entry.allocation->size : 0;
  try {
    meet(own, ", given");
  } catch (...) {
    if (entry.has_region) group_.communicator().remove_region(entry.serial);
    throw;
  }
  const std::lock_guard lock(mutex_);
  entries_.push_back(std::move(entry));
}

void GroupMemory::add(void* memory, size_t size) {
  const auto found = size > 0 ? group_.context()->find_allocation(memory, size) : nullptr;
  const bool in_process = group_.world().in_process();
  Statement own;
  own.kind = Kind::kGroupRegister;
  own.size = size;
  own.address = reinterpret_cast<uintptr_t>(memory);
  if (found) {
    own.allocation = found->serial;
    own.offset = static_cast<size_t>(static_cast<std::byte*>(memory) - found->own);
  }
  const Round round = meet(own, "");
  const auto& statements = round.statements;
  const bool is_empty = std::all_of(statements.begin(), statements.end(), [](const Statement& s) { return s.size == 0; });
  if (is_empty || !shares()) return enter({memory, round.serial, false, nullptr}, nullptr, Kind::kGroupRegister);

  auto region = std::make_shared<Region>();
  region->id = round.serial;
  uint64_t common = 0;
  for (const Statement& statement : statements) common = std::max(common, statement.allocation);
  for (size_t i = 0; i < statements.size(); ++i) {
    const Statement& other = statements[i];
    region->sizes.push_back(other.size);
    if (in_process || other.size == 0) {
      region->parts.push_back(reinterpret_cast<std::byte*>(other.address));
      continue;
    }
    if (other.allocation == 0 || other.allocation != common) {
      throw Error(PS_ERR_UNSUPPORTED,
                  fmt::format("group '{}': the {} bytes of rank {} lie in no memory that all members "
                              "reach; memory from one psMemAlloc on this group, or on a group that has all its members, "
                              "would do",
                              group_.name(), other.size, i),
                  group_.global_ranks()[i]);
    }
    region->parts.push_back(nullptr);
  }
  // Every member with bytes has named the same allocation, so every one of them has it; one without may lack it, but
  // reads what the others lend.
  const auto allocation = in_process ? nullptr : found ? found : group_.context()->find_allocation(common);
  own.attempt([&] {
    if (in_process || allocation) return;
    fail(PS_ERR_UNSUPPORTED, "it is no member of the psMemAlloc in which the others' ranges lie, so "
         "it does not reach them; memory from one psMemAlloc on this group, or on a group that has all its members, would "
         "do");
  });
  for (size_t i = 0; allocation && i < statements.size(); ++i) {
    const auto place = std::find(allocation->global_ranks.begin(), allocation->global_ranks.end(), group_.global_ranks()[i]);
    if (statements[i].size == 0) continue;
    if (place == allocation->global_ranks.end() || statements[i].offset > allocation->size ||
        statements[i].size > allocation->size - statements[i].offset) {
      fail(PS_ERR_INTERNAL, "rank {} registers {} bytes at {} of a part of {} bytes", i, statements[i].size,
           statements[i].offset, allocation->size);
    }
    region->parts[i] = allocation->part(static_cast<size_t>(place - allocation->global_ranks.begin())) + statements[i].offset;
  }
  if (allocation) region->memory = allocation->memory;
  if (own.code != PS_OK) {
    meet(own, ", given");
    throw Error(own.code, own.error);
  }
  enter({memory, round.serial, true, nullptr}, std::move(region), Kind::kGroupRegister);
}

void GroupMemory::free(void* memory) { leave(memory, Kind::kMemFree); }
void GroupMemory::remove(void* memory) { leave(memory, Kind::kGroupDeregister); }

void GroupMemory::leave(void* memory, Kind kind) {
  const bool allocated = kind == Kind::kMemFree;
  const auto is_it = [&](const Entry& entry) {
    return entry.memory == memory && (entry.allocation != nullptr) == allocated;
  };
  Statement own;
  own.kind = kind;
  bool has_region = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(entries_.begin(), entries_.end(), is_it);
    if (found == entries_.end()) {
      fail(PS_ERR_ARGUMENT, "{} is no memory that {} gave on group '{}'", memory,
           allocated ? "psMemAlloc" : "psGroupRegister", group_.name());
    }
    own.allocation = found->serial;
    has_region = found->has_region;
  }
  Communicator& communicator = group_.communicator();
  // Until nobody uses the memory, which the deadlines of the operations see to.
  group_.wait_until_idle(Deadline::never());
  if (!communicator.failure()) {
    try {
      meet(own, "");
    } catch (const Error& error) {
      // What can no longer be agreed on is freed by each for itself.
      if (error.code() != PS_ERR_PEER_FAILED && !communicator.failure()) throw;
    }
  }
  if (has_region) communicator.remove_region(own.allocation);
  const std::lock_guard lock(mutex_);
  // A range may have been registered more than once: one of them goes.
  entries_.erase(std::find_if(entries_.begin(), entries_.end(),
                              [&](const Entry& entry) { return is_it(entry) && entry.serial == own.allocation; }));
}

std::shared_ptr<const Allocation> GroupMemory::find(const void* memory, size_t size) const {
  const auto* const begin = static_cast<const std::byte*>(memory);
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_) {
    const auto& allocation = entry.allocation;
    if (!allocation || allocation->stride == 0 || begin < allocation->own || size > allocation->size) continue;
    if (static_cast<size_t>(begin - allocation->own) <= allocation->size - size) return allocation;
  }
  return nullptr;
}

std::shared_ptr<const Allocation> GroupMemory::find(uint64_t serial) const {
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_) {
    if (entry.allocation && entry.allocation->serial == serial && entry.allocation->stride > 0) return entry.allocation;
  }
  return nullptr;
}

}  // namespace ps
