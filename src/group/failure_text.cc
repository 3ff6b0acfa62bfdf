#include "group/failure_text.h"

#include <fmt/core.h>

#include <bit>
#include <cstring>

#include "base/deadline.h"

namespace ps {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

using SignatureWords = std::array<uint64_t, 2>;

}  // namespace

std::string describe_call(const Signature& signature, uint64_t number, const std::string& group) {
  const std::string place = number > 0 ? fmt::format(" #{}", number) : "";
  return fmt::format("{}{} on group '{}'", describe(signature), place, group);
}

std::string describe_last_call(const World& world, int32_t rank) {
  const RankLines* lines = world.lines(rank);
  if (lines == nullptr) return "its last call is not known here";
  const CallRecord& record = lines->last_call;
  const int64_t started = record.started_ns.load(kRelaxed);
  if (started == 0) return "it has called no operation yet";
  const auto signature =
      std::bit_cast<Signature>(SignatureWords{record.signature[0].load(kRelaxed), record.signature[1].load(kRelaxed)});
  char name[sizeof record.group_name + 1] = {};
  for (size_t i = 0; i < record.group_name.size(); ++i) {
    const uint64_t word = record.group_name[i].load(kRelaxed);
    std::memcpy(name + i * sizeof word, &word, sizeof word);
  }
  const double seconds = static_cast<double>(monotonic_ns() - started) / 1e9;
  return fmt::format("its last call was {}, begun {:.1f} s ago{}", describe_call(signature, record.number.load(kRelaxed), name),
                     seconds < 0 ? 0 : seconds, record.running.load(kRelaxed) != 0 ? " and not returned from" : "");
}

CallRecord::Name record_name(const std::string& group) {
  CallRecord::Name name{};
  std::memcpy(name.data(), group.data(), std::min(group.size(), sizeof name));
  return name;
}

void record_call(const World& world, const Signature& signature, uint64_t number, const CallRecord::Name& group,
                 bool blocking) {
  CallRecord& record = world.segment().own().last_call;
  const auto words = std::bit_cast<SignatureWords>(signature);
  record.number.store(number, kRelaxed);
  record.signature[0].store(words[0], kRelaxed);
  record.signature[1].store(words[1], kRelaxed);
  for (size_t i = 0; i < group.size(); ++i) record.group_name[i].store(group[i], kRelaxed);
  record.started_ns.store(monotonic_coarse_ns(), kRelaxed);
  record.running.store(blocking ? 1 : 0, kRelaxed);
}

void record_return(const World& world) { world.segment().own().last_call.running.store(0, kRelaxed); }

}  // namespace ps
