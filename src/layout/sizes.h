// The sizes that a preset reads from its spec, and the arithmetic that its refusals show.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "layout/spec.h"

namespace ps::layout {

// A size that enters a product.
struct Factor {
  std::string key;
  int64_t value;    // kRest while unknown
  size_t position;  // in the spec's text; of the preset where the key is not written
};

// What a product of sizes is compared with.
struct Total {
  std::string name;    // "tp", or "world"
  int64_t value;
  int64_t offset = 0;  // ranks of the world that the layout leaves out

  static Total world(int64_t world, int64_t offset);
};

class Sizes {
 public:
  // Any keys, and views.
  explicit Sizes(const Spec& spec) : spec_(spec) {}
  // Refuses keys of the preset's section that are not among `known`, and views.
  Sizes(const Spec& spec, std::initializer_list<std::string_view> known);

  const Spec& spec() const { return spec_; }
  // The size of a key, 1 (or `otherwise`) where it is not written.
  Factor get(std::string_view key, int64_t otherwise = 1) const;
  // The same where the size may be '*'.
  Factor get_or_rest(std::string_view key) const;
  // A key that says yes (1) or no (0).
  bool flag(std::string_view key) const;
  // The text of a key, nullptr where it is not written.
  const Entry* text(std::string_view key) const { return spec_.preset().find(key); }

  // The product must be `total`. The one factor that is '*' becomes what is left.
  void require_equal(std::vector<Factor*> factors, const Total& total) const;
  // The product must divide `total`. A factor that is '*' becomes what is left.
  void require_divides(std::vector<Factor*> factors, const Total& total) const;

 private:
  int64_t product(const std::vector<Factor*>& factors, const Total& total) const;
  void find_rest(const std::vector<Factor*>& factors, const Total& total) const;

  const Spec& spec_;
};

// The key rank_offset: the first rank of the layout; those below it belong to no group. 0 where it is not written.
int64_t rank_offset(const Sizes& sizes, int64_t world);

// "8 = 3 x 2 + 2".
std::string division(int64_t total, int64_t divisor);
// The divisors of `total` below 2^31 nearest to `wanted`, ascending, at most `most`. Of a total beyond 2^32 not every
// one is looked at.
std::vector<int64_t> nearest_divisors(int64_t total, int64_t wanted, size_t most = 5);
// "1, 2, 4 or 8".
std::string any_of(const std::vector<int64_t>& values);
// "tp=2 x pp=4 = 8", or "tp=2" alone; the first of many.
std::string product_text(const std::vector<Factor*>& factors, int64_t product);

}  // namespace ps::layout
