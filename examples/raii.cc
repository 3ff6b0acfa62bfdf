// RAII over the C header: C++ needs nothing more than the ten lines of Owned, and nothing to link but the library.
//
//     g++ raii.cc -o raii $(pkg-config --cflags --libs parallelstate)
//     psctl run -n 4 -- ./raii
#include <parallelstate.h>

#include <cstdio>
#include <numeric>
#include <stdexcept>
#include <vector>

template <typename Handle, psResult (*Free)(Handle)>
class Owned {
 public:
  Owned() = default;
  Owned(const Owned&) = delete;
  ~Owned() { Free(handle_); }
  operator Handle() const { return handle_; }
  Handle* out() { return &handle_; }  // for the call that makes it
 private:
  Handle handle_ = nullptr;
};

void check(psResult result) {
  if (result < 0) throw std::runtime_error(psLastError());
}

int main() try {
  // They go in the reverse order, also when something throws: the work, which lets go of the vector, then the group,
  // then the world is left. The vector goes last.
  std::vector<double> values(1000);
  Owned<psContext, psFinalize> context;
  Owned<psGroup, psGroupFree> world;
  Owned<psWork, psWorkFree> work;

  check(psInit(nullptr, context.out()));
  check(psGetGroup(context, "world", world.out()));
  std::iota(values.begin(), values.end(), 1.0);
  check(psAllReduce(world, values.data(), values.data(), values.size(), PS_FLOAT64, PS_AVG, nullptr, work.out()));
  // Something else, meanwhile.
  check(psWorkWait(work, -1));
  std::printf("averages: %g to %g\n", values.front(), values.back());
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
