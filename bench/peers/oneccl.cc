// The operations as Intel's oneCCL has them, between processes of one host.
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <oneapi/ccl.hpp>
#include <stdexcept>

#include "peers/peer.h"

namespace {

using measure::Operation;

// How rank 0 tells the others where its key-value store is.
struct Address {
  std::atomic<int> known;
  ccl::kvs::address_type value;
};

class OneCcl : public measure::Patterned {
 public:
  OneCcl(int rank, ccl::communicator& group, void* send, void* recv) : Patterned(rank, send, recv), group_(group) {}

  void run() override {
    const size_t count = shape().count;
    constexpr auto kFloat = ccl::datatype::float32;
    constexpr auto kSum = ccl::reduction::sum;
    switch (shape().operation) {
      case Operation::kAllReduce: ccl::allreduce(send(), recv(), count, kFloat, kSum, group_).wait(); break;
      case Operation::kAllGather: ccl::allgather(send(), recv(), count, kFloat, group_).wait(); break;
      case Operation::kReduceScatter: ccl::reduce_scatter(send(), recv(), count, kFloat, kSum, group_).wait(); break;
      case Operation::kAllToAll: ccl::alltoall(send(), recv(), count, kFloat, group_).wait(); break;
      case Operation::kBroadcast:
        ccl::broadcast(rank() == measure::kRoot ? send() : recv(), count, kFloat, measure::kRoot, group_).wait();
        break;
      case Operation::kBarrier: ccl::barrier(group_).wait(); break;
      case Operation::kSendRecv: ping_pong(count); break;
      default: throw std::runtime_error("this operation of oneCCL is not measured");
    }
  }

 private:
  void ping_pong(size_t count) {
    const int partner = shape().partner(rank());
    if (partner == rank()) return;
    if (rank() < partner) ccl::send(send(), count, ccl::datatype::float32, partner, group_).wait();
    ccl::recv(recv(), count, ccl::datatype::float32, partner, group_).wait();
    if (rank() > partner) ccl::send(send(), count, ccl::datatype::float32, partner, group_).wait();
  }

  ccl::communicator& group_;
};

}  // namespace

int main(int argc, char** argv) {
  const peers::Work work = peers::work_of(argc, argv);
  void* const memory = ::mmap(nullptr, sizeof(Address), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("mmap");
    return 1;
  }
  auto& address = *static_cast<Address*>(memory);
  return peers::fork_ranks(work.ranks, [&](int rank) {
    ccl::init();
    ccl::shared_ptr_class<ccl::kvs> store;
    if (rank == 0) {
      store = ccl::create_main_kvs();
      address.value = store->get_address();
      address.known.store(1);
    } else {
      while (address.known.load() == 0) ::usleep(1000);
      store = ccl::create_kvs(address.value);
    }
    ccl::communicator group = ccl::create_communicator(work.ranks, rank, store);
    return peers::measure_rank(work, rank, "oneccl", [&](void* send, void* recv) {
      return std::make_unique<OneCcl>(rank, group, send, recv);
    });
  });
}
