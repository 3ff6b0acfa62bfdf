// The operations as MPI has them, compiled for each implementation.
#include <mpi.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "measure/meeting.h"
#include "peers/peer.h"

namespace {

using measure::kRoot;
using measure::Operation;

// Names for both implementations' macros.
const MPI_Comm kWorld = MPI_COMM_WORLD;
const MPI_Datatype kFloat = MPI_FLOAT;

class Mpi : public measure::Patterned {
 public:
  using Patterned::Patterned;

  void run() override {
    const auto count = static_cast<int>(shape().count);
    void* const in = send();
    void* const out = recv();
    switch (shape().operation) {
      case Operation::kAllReduce: MPI_Allreduce(in, out, count, kFloat, MPI_SUM, kWorld); break;
      case Operation::kReduce: MPI_Reduce(in, out, count, kFloat, MPI_SUM, kRoot, kWorld); break;
      case Operation::kBroadcast: MPI_Bcast(rank() == kRoot ? in : out, count, kFloat, kRoot, kWorld); break;
      case Operation::kAllGather: MPI_Allgather(in, count, kFloat, out, count, kFloat, kWorld); break;
      case Operation::kReduceScatter: MPI_Reduce_scatter_block(in, out, count, kFloat, MPI_SUM, kWorld); break;
      case Operation::kAllToAll: MPI_Alltoall(in, count, kFloat, out, count, kFloat, kWorld); break;
      case Operation::kGather: MPI_Gather(in, count, kFloat, out, count, kFloat, kRoot, kWorld); break;
      case Operation::kScatter: MPI_Scatter(in, count, kFloat, out, count, kFloat, kRoot, kWorld); break;
      case Operation::kBarrier: MPI_Barrier(kWorld); break;
      case Operation::kSendRecv: ping_pong(count); break;
    }
  }

 private:
  void ping_pong(int count) {
    const int partner = shape().partner(rank());
    if (partner == rank()) return;
    if (rank() < partner) MPI_Send(send(), count, kFloat, partner, 0, kWorld);
    MPI_Recv(recv(), count, kFloat, partner, 0, kWorld, MPI_STATUS_IGNORE);
    if (rank() > partner) MPI_Send(send(), count, kFloat, partner, 0, kWorld);
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
