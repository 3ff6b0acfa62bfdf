// The operations as Gloo has them, over its TCP transport on the loopback interface.
#include <stdlib.h>

#include <cstdio>
#include <filesystem>

#include <gloo/allgather.h>
#include <gloo/allreduce.h>
#include <gloo/alltoall.h>
#include <gloo/barrier.h>
#include <gloo/broadcast.h>
#include <gloo/math.h>
#include <gloo/reduce_scatter.h>
#include <gloo/rendezvous/context.h>
#include <gloo/rendezvous/file_store.h>
#include <gloo/transport/tcp/device.h>

#include "peers/peer.h"

namespace {

using measure::Operation;

std::shared_ptr<gloo::Context> connected(const std::string& folder, int rank, int ranks) {
  gloo::transport::tcp::attr where;
  const char* interface = std::getenv("PEER_GLOO_INTERFACE");
  where.iface = interface == nullptr ? "lo" : interface;
  gloo::rendezvous::FileStore store(folder);
  std::shared_ptr<gloo::transport::Device> device = gloo::transport::tcp::CreateDevice(where);
  auto context = std::make_shared<gloo::rendezvous::Context>(rank, ranks);
  context->connectFullMesh(store, device);
  return context;
}

class Gloo : public measure::Patterned {
 public:
  Gloo(std::shared_ptr<gloo::Context> context, void* send, void* recv)
      : Patterned(context->rank, send, recv), context_(std::move(context)) {}

  void prepare(const measure::Shape& shape) override {
    Patterned::prepare(shape);
    in_ = context_->createUnboundBuffer(send(), std::max<size_t>(shape.send_bytes(rank()), 1));
    out_ = context_->createUnboundBuffer(recv(), std::max<size_t>(shape.recv_bytes(rank()), 1));
    reduce_scatter_.reset();
    if (shape.operation == Operation::kReduceScatter) {
      const auto count = static_cast<int>(shape.count);
      reduce_scatter_ = std::make_unique<gloo::ReduceScatterHalvingDoubling<float>>(
          context_, std::vector<float*>{in()}, count * shape.ranks, std::vector<int>(shape.ranks, count));
    }
  }

  void run() override {
    const size_t count = shape().count;
    switch (shape().operation) {
      case Operation::kAllReduce: all_reduce(count); break;
      case Operation::kAllGather: {
        gloo::AllgatherOptions options(context_);
        options.setInput(in(), count);
        options.setOutput(out(), count * shape().ranks);
        gloo::allgather(options);
        break;
      }
      case Operation::kAllToAll: {
        gloo::AlltoallOptions options(context_);
        options.setInput(in(), count * shape().ranks);
        options.setOutput(out(), count * shape().ranks);
        gloo::alltoall(options);
        break;
      }
      case Operation::kBroadcast: {
        gloo::BroadcastOptions options(context_);
        options.setOutput(rank() == measure::kRoot ? in() : out(), count);
        options.setRoot(measure::kRoot);
        gloo::broadcast(options);
        break;
      }
      case Operation::kBarrier: {
        gloo::BarrierOptions options(context_);
        gloo::barrier(options);
        break;
      }
      case Operation::kReduceScatter: reduce_scatter_->run(); break;
      case Operation::kSendRecv: ping_pong(); break;
      default: throw std::runtime_error("this operation of Gloo is not measured");
    }
  }

  // Its reduce_scatter works in place.
  bool verify(int64_t iteration) override {
    const bool in_place = shape().operation == Operation::kReduceScatter;
    return measure::output_is_right(shape(), rank(), iteration, in_place ? send() : recv());
  }

 private:
  float* in() const { return static_cast<float*>(send()); }
  float* out() const { return static_cast<float*>(recv()); }

  void all_reduce(size_t count) {
    gloo::AllreduceOptions options(context_);
    options.setInput(in(), count);
    options.setOutput(out(), count);
    void (*const sum)(void*, const void*, const void*, size_t) = &gloo::sum<float>;
    options.setReduceFunction(sum);
    gloo::allreduce(options);
  }

  void ping_pong() {
    const int partner = shape().partner(rank());
    if (partner == rank()) return;
    const size_t bytes = shape().send_bytes(rank());
    const auto say = [&] {
      in_->send(partner, kSlot, 0, bytes);
      in_->waitSend();
    };
    if (rank() < partner) say();
    out_->recv(partner, kSlot, 0, bytes);
    out_->waitRecv();
    if (rank() > partner) say();
  }

  static constexpr uint64_t kSlot = 77;
  std::shared_ptr<gloo::Context> context_;
  std::unique_ptr<gloo::transport::UnboundBuffer> in_;
  std::unique_ptr<gloo::transport::UnboundBuffer> out_;
  std::unique_ptr<gloo::ReduceScatterHalvingDoubling<float>> reduce_scatter_;
};

int measure_in(const std::string& folder, const peers::Work& work, int rank) {
  const std::shared_ptr<gloo::Context> context = connected(folder, rank, work.ranks);
  return peers::measure_rank(work, rank, "gloo", [&](void* send, void* recv) {
    return std::make_unique<Gloo>(context, send, recv);
  });
}

}  // namespace

// Starts its ranks itself, or is one of those that psctl run has started when PEER_GLOO_STORE names a folder of all.
int main(int argc, char** argv) {
  const peers::Work work = peers::work_of(argc, argv);
  const char* store = std::getenv("PEER_GLOO_STORE");
  const char* rank = std::getenv("PS_RANK");
  if (store != nullptr && rank != nullptr) {
    std::filesystem::create_directories(store);
    return measure_in(store, work, std::atoi(rank));
  }
  char folder[] = "/tmp/peer-gloo-XXXXXX";
  if (::mkdtemp(folder) == nullptr) {
    std::perror(folder);
    return 1;
  }
  const int status = peers::fork_ranks(work.ranks, [&](int r) { return measure_in(folder, work, r); });
  std::filesystem::remove_all(folder);
  return status;
}
