// Adds 1 of every rank, in C++: the handles are owned by std::unique_ptr. Ends with 0 when the sum is the world's size.
#include <parallelstate.h>

#include <cstdint>
#include <iostream>
#include <memory>
#include <stdexcept>

namespace {

void check(psResult result) {
  if (result < 0) throw std::runtime_error(psLastError());
}

struct Deleter {
  void operator()(psContext context) const { psFinalize(context); }
  void operator()(psGroup group) const { psGroupFree(group); }
};

std::int64_t add_up() {
  psContext joined = nullptr;
  check(psInit(nullptr, &joined));
  const std::unique_ptr<psContextImpl, Deleter> context(joined);
  psGroup found = nullptr;
  check(psGetGroup(context.get(), "world", &found));
  const std::unique_ptr<psGroupImpl, Deleter> world(found);

  psGroupInfo info = PS_GROUP_INFO_INIT;
  check(psGetGroupInfo(world.get(), &info));
  std::int64_t one = 1, sum = 0;
  check(psAllReduce(world.get(), &one, &sum, 1, PS_INT64, PS_SUM, nullptr, nullptr));
  std::cout << "rank " << info.rank << " of " << info.size << ": sum " << sum << std::endl;
  return sum - info.size;
}

}  // namespace

int main() try {
  return add_up() == 0 ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << error.what() << std::endl;
  return 1;
}
