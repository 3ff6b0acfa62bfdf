// The operations as MPI has them, compiled for each implementation.
#include <mpi.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "measure/meeting.h"
#include "peers/peer.h"

namespace {

using measure::Operation;

class Mpi : public measure::Patterned {
 public:
  using Patterned::Patterned;

  void run() override {
    const auto count = static_cast<int>(shape().count);
    switch (shape().operation) {
      case Operation::kAllReduce: MPI_Allreduce(send(), recv(), count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD); break;
      case Operation::kReduce: MPI_Reduce(send(), recv(), count, MPI_FLOAT, MPI_SUM, kRoot, MPI_COMM_WORLD); break;
      case Operation::kBroadcast: MPI_Bcast(rank() == kRoot ? send() : recv(), count, MPI_FLOAT, kRoot, MPI_COMM_WORLD); break;
      case Operation::kAllGather: MPI_Allgather(send(), count, MPI_FLOAT, recv(), count, MPI_FLOAT, MPI_COMM_WORLD); break;
      case Operation::kReduceScatter: MPI_Reduce_scatter_block(send(), recv(), count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD); break;
      case Operation::kAllToAll: MPI_Alltoall(send(), count, MPI_FLOAT, recv(), count, MPI_FLOAT, MPI_COMM_WORLD); break;
      case Operation::kGather: MPI_Gather(send(), count, MPI_FLOAT, recv(), count, MPI_FLOAT, kRoot, MPI_COMM_WORLD); break;
      case Operation::kScatter: MPI_Scatter(send(), count, MPI_FLOAT, recv(), count, MPI_FLOAT, kRoot, MPI_COMM_WORLD); break;
      case Operation::kBarrier: MPI_Barrier(MPI_COMM_WORLD); break;
      case Operation::kSendRecv: ping_pong(count); break;
    }
  }

 private:
  static constexpr int kRoot = measure::kRoot;

  void ping_pong(int count) {
    const int partner = shape().partner(rank());
    if (partner == rank()) return;
    if (rank() < partner) MPI_Send(send(), count, MPI_FLOAT, partner, 0, MPI_COMM_WORLD);
    MPI_Recv(recv(), count, MPI_FLOAT, partner, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (rank() > partner) MPI_Send(send(), count, MPI_FLOAT, partner, 0, MPI_COMM_WORLD);
  }
};

}  // namespace

int main(int argc, char** argv) {
  const peers::Work work = peers::work_of(argc, argv);
  // Before MPI_Init, so that the library places its memory from the right processor.
  for (const char* name : {"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID"}) {
    if (const char* rank = std::getenv(name)) measure::bind_to_processor(std::atoi(rank), work.ranks);
  }
  MPI_Init(&argc, &argv);
  int rank = 0;
  int ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  int status = 1;
  if (ranks == work.ranks) {
    status = peers::measure_rank(work, rank, PEER_NAME, [rank](void* send, void* recv) {
      return std::make_unique<Mpi>(rank, send, recv);
    });
  } else {
    std::fprintf(stderr, "%d ranks were asked for and %d started\n", work.ranks, ranks);
  }
  if (status != 0) MPI_Abort(MPI_COMM_WORLD, status);
  MPI_Finalize();
  return 0;
}
