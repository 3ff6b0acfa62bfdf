#include "layout/sizes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace ps::layout {
namespace {

constexpr size_t kMostOffers = 3;

}  // namespace

Sizes::Sizes(const Spec& spec, std::initializer_list<std::string_view> known) : spec_(spec) {
  for (const Entry& entry : spec.preset().entries) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    const bool rest = entry.key == "dp" && (spec.preset().name == "megatron" || spec.preset().name == "deepspeed");
    spec.refuse(entry, fmt::format("unknown key '{}'; there are {}{}", shown(entry.key), fmt::join(known, ", "),
                                   rest ? "; dp is what the other sizes leave of the world" : ""));
  }
  for (const Section& view : spec.views()) {
    spec.refuse(view.position,
                fmt::format("the preset has its own views; only a grid can have one like '{}'", shown(view.name)));
  }
}

Factor Sizes::get(std::string_view key, int64_t otherwise) const {
  const Entry* entry = spec_.preset().find(key);
  if (entry == nullptr) return {std::string(key), otherwise, spec_.preset().position};
  return {std::string(key), spec_.size_of(*entry, false), entry->position};
}

Factor Sizes::get_or_rest(std::string_view key) const {
  const Entry* entry = spec_.preset().find(key);
  if (entry == nullptr) return {std::string(key), 1, spec_.preset().position};
  return {std::string(key), spec_.size_of(*entry, true), entry->position};
}

bool Sizes::flag(std::string_view key) const {
  const Entry* entry = spec_.preset().find(key);
  if (entry == nullptr || entry->value == "0") return false;
  if (entry->value != "1") spec_.refuse(*entry, fmt::format("{} is 0 or 1, not '{}'", key, shown(entry->value)));
  return true;
}

int64_t Sizes::product(const std::vector<Factor*>& factors, const Total& total) const {
  int64_t result = 1;
  for (const Factor* factor : factors) {
    if (__builtin_mul_overflow(result, factor->value, &result)) {
      spec_.refuse(factor->position, fmt::format("the product of the sizes up to {}={} is beyond all bounds; {} is {}",
                                                 shown(factor->key), factor->value, total.name, total.value));
    }
  }
  return result;
}

void Sizes::find_rest(const std::vector<Factor*>& factors, const Total& total) const {
  Factor* rest = nullptr;
  std::vector<Factor*> others;
  for (Factor* factor : factors) {
    if (factor->value != kRest) {
      others.push_back(factor);
    } else if (rest != nullptr) {
      spec_.refuse(factor->position, fmt::format("only one size can be '*', {} is one already", shown(rest->key)));
    } else {
      rest = factor;
    }
  }
  if (rest == nullptr) return;
  require_divides(others, total);
  rest->value = total.value / product(others, total);
}

void Sizes::require_equal(std::vector<Factor*> factors, const Total& total) const {
  find_rest(factors, total);
  const int64_t found = product(factors, total);
  if (found == total.value) return;
  std::vector<std::string> offers;
  for (const Factor* factor : factors) {
    const int64_t others = found / factor->value;
    if (total.value % others != 0 || offers.size() == kMostOffers) continue;
    offers.push_back(fmt::format("{}={}", shown(factor->key), total.value / others));
  }
  const auto written =
      std::find_if(factors.begin(), factors.end(), [](const Factor* each) { return each->value != 1; });
  const Factor* blamed = written == factors.end() ? factors.front() : *written;
  const bool world = total.name.starts_with("world");
  spec_.refuse(blamed->position,
               fmt::format("{} is not {} {}{}; {}{}, or {}", product_text(factors, found), total.name, total.value,
                           total.value % found == 0 ? "" : fmt::format(" ({})", division(total.value, found)),
                           offers.empty() ? "no single change is enough; try other sizes" : "try ",
                           fmt::join(offers, " or "),
                           world ? fmt::format("a world of {}", found + total.offset)
                                 : fmt::format("{}={}", total.name, found)));
}

void Sizes::require_divides(std::vector<Factor*> factors, const Total& total) const {
  find_rest(factors, total);
  const int64_t found = product(factors, total);
  if (total.value % found == 0) return;
  std::vector<std::string> offers;
  const Factor* blamed = nullptr;
  for (const Factor* factor : factors) {
    const int64_t others = found / factor->value;
    if (factor->value == 1 || total.value % others != 0 || offers.size() == kMostOffers) continue;
    if (blamed == nullptr) blamed = factor;
    offers.push_back(
        fmt::format("{}={}", shown(factor->key), any_of(nearest_divisors(total.value / others, factor->value))));
  }
  std::string advice = fmt::format("try {}", fmt::join(offers, ", or "));
  if (blamed == nullptr) {
    const auto smaller = [](const Factor* a, const Factor* b) { return a->value < b->value; };
    blamed = *std::max_element(factors.begin(), factors.end(), smaller);
    advice = fmt::format("no single change is enough, their product must be {}",
                         any_of(nearest_divisors(total.value, found)));
  }
  spec_.refuse(blamed->position,
               fmt::format("{} does not divide {} {} ({}); {}", product_text(factors, found), total.name, total.value,
                           division(total.value, found), advice));
}

Total Total::world(int64_t world, int64_t offset) {
  if (offset == 0) return {"world", world};
  return {fmt::format("world {} - rank_offset {} =", world, offset), world - offset, offset};
}

int64_t rank_offset(const Sizes& sizes, int64_t world) {
  const Entry* entry = sizes.text("rank_offset");
  if (entry == nullptr) return 0;
  const int64_t offset = sizes.spec().size_of(*entry, false, 0);
  if (offset >= world) {
    sizes.spec().refuse(
        *entry, fmt::format("rank_offset={} leaves no rank of world {}; try 0 .. {}", offset, world, world - 1));
  }
  return offset;
}

std::string division(int64_t total, int64_t divisor) {
  return fmt::format("{} = {} x {} + {}", total, divisor, total / divisor, total % divisor);
}

std::vector<int64_t> nearest_divisors(int64_t total, int64_t wanted, size_t most) {
  constexpr int64_t kTried = 1 << 16;
  std::vector<int64_t> divisors;
  const auto try_pair = [&](int64_t d) {
    if (total % d != 0) return;
    divisors.push_back(d);
    divisors.push_back(total / d);
  };
  for (int64_t d = 1; d <= kTried && d <= total / d; ++d) try_pair(d);
  if (total / kTried > kTried) {
    for (int64_t d = std::max<int64_t>(1, wanted - kTried); d <= std::min(total, wanted + kTried); ++d) try_pair(d);
  }
  std::sort(divisors.begin(), divisors.end(), [&](int64_t a, int64_t b) {
    const int64_t from_a = std::abs(a - wanted);
    const int64_t from_b = std::abs(b - wanted);
    return from_a != from_b ? from_a < from_b : a < b;
  });
  divisors.erase(std::unique(divisors.begin(), divisors.end()), divisors.end());
  std::erase_if(divisors, [](int64_t d) { return d > std::numeric_limits<int32_t>::max(); });
  divisors.resize(std::min(divisors.size(), most));
  std::sort(divisors.begin(), divisors.end());
  return divisors;
}

std::string any_of(const std::vector<int64_t>& values) {
  if (values.size() == 1) return std::to_string(values.front());
  return fmt::format("{} or {}", fmt::join(values.begin(), values.end() - 1, ", "), values.back());
}

std::string product_text(const std::vector<Factor*>& factors, int64_t product) {
  constexpr size_t kMost = 8;
  std::vector<std::string> parts;
  for (const Factor* factor : factors) {
    if (factor->value != 1) parts.push_back(fmt::format("{}={}", shown(factor->key), factor->value));
  }
  if (parts.empty()) parts.push_back(fmt::format("{}=1", shown(factors.front()->key)));
  if (parts.size() == 1) return parts.front();
  if (parts.size() > kMost) {
    parts.resize(kMost);
    parts.emplace_back("...");
  }
  return fmt::format("{} = {}", fmt::join(parts, " x "), product);
}

}  // namespace ps::layout
