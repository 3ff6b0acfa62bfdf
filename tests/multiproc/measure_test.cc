// What measures is itself checked: inputs differ, wrong outputs are seen, all points take turns, and a rank that fails
// ends the others' waiting. The ranks are threads, the library that they measure a few copies in shared vectors.
#include <gtest/gtest.h>

#include <cstring>
#include <mutex>
#include <thread>

#include "measure/point.h"
#include "measure/statistics.h"

namespace {

using measure::DataType;
using measure::Operation;
using measure::Shape;
using measure::Visit;

constexpr int kRanks = 3;

using Bytes = std::vector<unsigned char>;

// Every rank's input, seen by all.
struct Board {
  std::vector<Bytes> inputs{kRanks};
};

float float_at(const Bytes& bytes, size_t i) {
  float value;
  std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
  return value;
}

// The output of a rank, by definition, in float32.
Bytes output_of(const Shape& shape, int rank, const Board& board) {
  const size_t block = shape.count * sizeof(float);
  const size_t own = static_cast<size_t>(rank) * shape.count;
  const auto part = [&](int from, size_t first) {
    const auto* at = board.inputs[static_cast<size_t>(from)].data() + first * sizeof(float);
    return Bytes(at, at + block);
  };
  const auto sum = [&](size_t first) {
    Bytes output(block);
    for (size_t i = 0; i < shape.count; ++i) {
      float value = 0;
      for (const Bytes& input : board.inputs) value += float_at(input, first + i);
      std::memcpy(output.data() + i * sizeof value, &value, sizeof value);
    }
    return output;
  };
  const auto of_all = [&](size_t first) {
    Bytes output;
    for (int from = 0; from < kRanks; ++from) {
      const Bytes received = part(from, first);
      output.insert(output.end(), received.begin(), received.end());
    }
    return output;
  };
  if (shape.recv_bytes(rank) == 0) return {};
  switch (shape.operation) {
    case Operation::kAllReduce:
    case Operation::kReduce: return sum(0);
    case Operation::kReduceScatter: return sum(own);
    case Operation::kBroadcast: return part(measure::kRoot, 0);
    case Operation::kScatter: return part(measure::kRoot, own);
    case Operation::kAllGather:
    case Operation::kGather: return of_all(0);
    case Operation::kAllToAll: return of_all(own);
    case Operation::kSendRecv: return part(shape.partner(rank), 0);
    case Operation::kBarrier: return {};
  }
  return {};
}

class Copies final : public measure::Patterned {
 public:
  Copies(measure::Meeting& meeting, Board& board, void* send, void* recv, int fault_of_rank, bool throws)
      : Patterned(meeting.rank(), send, recv), meeting_(meeting), board_(board), fault_of_rank_(fault_of_rank),
        throws_(throws) {}

  void run() override {
    const auto* input = static_cast<const unsigned char*>(send());
    board_.inputs[static_cast<size_t>(rank())].assign(input, input + shape().send_bytes(rank()));
    if (throws_ && rank() == fault_of_rank_) throw std::runtime_error("the network is down");
    meeting_.meet();
    Bytes output = output_of(shape(), rank(), board_);
    if (rank() == fault_of_rank_ && !output.empty()) output.back() ^= 1;
    std::memcpy(recv(), output.data(), output.size());
    meeting_.meet();
  }

 private:
  measure::Meeting& meeting_;
  Board& board_;
  int fault_of_rank_;
  bool throws_;
};

struct Outcome {
  std::vector<Visit> visits;
  std::vector<std::string> errors;
};

Outcome measured(const std::vector<Shape>& points, const measure::Plan& plan, int fault_of_rank = -1,
                 bool throws = false) {
  measure::Region region = measure::Region::create(kRanks);
  Board board;
  Outcome outcome;
  std::mutex mutex;
  std::vector<std::thread> ranks;
  for (int rank = 0; rank < kRanks; ++rank) {
    ranks.emplace_back([&, rank] {
      measure::Meeting meeting(region, rank);
      Bytes send(measure::most_send_bytes(points, rank));
      Bytes recv(measure::most_recv_bytes(points, rank));
      Copies copies(meeting, board, send.data(), recv.data(), fault_of_rank, throws);
      try {
        measure::measure_rounds(meeting, copies, points, plan,
                                [&](const Visit& visit) { outcome.visits.push_back(visit); });
      } catch (const std::exception& error) {
        const std::lock_guard lock(mutex);
        outcome.errors.emplace_back(error.what());
      }
    });
  }
  for (std::thread& rank : ranks) rank.join();
  return outcome;
}

std::vector<Shape> every_operation() {
  std::vector<Shape> points;
  for (const Operation operation : measure::all_operations()) {
    points.push_back(Shape::of(operation, DataType::kF32, kRanks, 8));
    points.push_back(Shape::of(operation, DataType::kF32, kRanks, 9000));
  }
  return points;
}

TEST(Measure, RightOutputsAreVerifiedAndAllPointsTakeTurns) {
  const std::vector<Shape> points = every_operation();
  const Outcome outcome = measured(points, {.rounds = 2, .iterations = 3});
  EXPECT_TRUE(outcome.errors.empty());
  ASSERT_EQ(outcome.visits.size(), 2 * points.size());
  for (size_t i = 0; i < outcome.visits.size(); ++i) {
    const Visit& visit = outcome.visits[i];
    EXPECT_EQ(visit.round, static_cast<int>(i / points.size()));
    EXPECT_EQ(visit.point, i % points.size());
    EXPECT_EQ(visit.us.size(), 3u);
    EXPECT_TRUE(visit.is_verified) << measure::name_of(points[visit.point].operation);
  }
}

TEST(Measure, OneWrongBitOnOneRankIsSeen) {
  const std::vector<Shape> points = every_operation();
  for (int rank = 0; rank < kRanks; ++rank) {
    const Outcome outcome = measured(points, {.rounds = 1, .iterations = 1}, rank);
    for (const Visit& visit : outcome.visits) {
      const Shape& shape = points[visit.point];
      EXPECT_EQ(visit.is_verified, shape.recv_bytes(rank) == 0) << measure::name_of(shape.operation) << " " << rank;
    }
  }
}

TEST(Measure, ARankThatFailsEndsTheOthers) {
  const Outcome outcome = measured({Shape::of(Operation::kAllReduce, DataType::kF32, kRanks, 8)}, {}, 1, true);
  ASSERT_EQ(outcome.errors.size(), static_cast<size_t>(kRanks));
  for (const std::string& error : outcome.errors) {
    EXPECT_NE(error.find("the network is down"), std::string::npos) << error;
  }
}

TEST(Measure, InputsDifferByRankAndIteration) {
  const Shape shape = Shape::of(Operation::kAllReduce, DataType::kBf16, kRanks, 4096);
  const auto input = [&](int rank, int64_t iteration) {
    Bytes bytes(shape.send_bytes(rank));
    measure::write_input(shape, rank, iteration, bytes.data());
    return bytes;
  };
  EXPECT_NE(input(0, 1), input(1, 1));
  EXPECT_NE(input(0, 1), input(0, 2));
  EXPECT_EQ(input(0, 1), input(0, 1));
}

TEST(Measure, BandwidthIsThatOfNcclTests) {
  const auto bus = [](Operation operation, int ranks) {
    return Shape::of(operation, DataType::kF32, ranks, 4000).bus_bandwidth(1);
  };
  EXPECT_DOUBLE_EQ(bus(Operation::kAllReduce, 4), 6);
  EXPECT_DOUBLE_EQ(bus(Operation::kAllGather, 4), 3);
  EXPECT_DOUBLE_EQ(bus(Operation::kReduceScatter, 4), 3);
  EXPECT_DOUBLE_EQ(bus(Operation::kAllToAll, 4), 3);
  EXPECT_DOUBLE_EQ(bus(Operation::kBroadcast, 4), 4);
  EXPECT_DOUBLE_EQ(bus(Operation::kSendRecv, 2), 4);
}

TEST(Measure, Statistics) {
  EXPECT_EQ(measure::median({3, 1, 2}), 2);
  EXPECT_EQ(measure::median({4, 1, 2, 3}), 2.5);
  EXPECT_EQ(measure::median({}), 0);
  std::vector<double> hundred;
  for (int i = 1; i <= 100; ++i) hundred.push_back(i);
  EXPECT_EQ(measure::quantile(hundred, 0.99), 99);
  EXPECT_EQ(measure::quantile(hundred, 0), 1);
  EXPECT_EQ(measure::quantile(hundred, 1), 100);
}

}  // namespace
