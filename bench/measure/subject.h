// What is measured, as the measurement sees it: four callbacks on every rank.
#pragma once

#include <cstdint>

#include "measure/pattern.h"
#include "measure/shape.h"

namespace measure {

// For every visit to a point the measurement calls prepare; then for every iteration dirty, and run on all ranks at
// once; after some iterations verify, which sees the output of the last run.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual void prepare(const Shape& shape) = 0;
  // The owner rewrites its input, as every program does between two operations. Otherwise peers would find an input
  // that stayed in their own caches, and an operation would look up to twice as fast as it is.
  virtual void dirty(int64_t iteration) = 0;
  // One operation, until its output is there.
  virtual void run() = 0;
  virtual bool verify(int64_t iteration) = 0;
};

// A subject with its buffers and patterns: what is left is run(), with shape(), send() and recv(). The memory, which
// the caller owns, has room for the largest of its points (most_send_bytes, most_recv_bytes), so that no visit waits
// for new pages. At the root of a broadcast the input is the output and lies at send().
class Patterned : public Subject {
 public:
  Patterned(int rank, void* send, void* recv) : rank_(rank), send_(send), recv_(recv) {}

  void prepare(const Shape& shape) override;  // also spoils what is left in the output
  void dirty(int64_t iteration) override { write_input(shape_, rank_, iteration, send_); }
  bool verify(int64_t iteration) override { return output_is_right(shape_, rank_, iteration, recv_); }

 protected:
  int rank() const { return rank_; }
  const Shape& shape() const { return shape_; }
  void* send() const { return send_; }
  void* recv() const { return recv_; }

 private:
  int rank_;
  void* send_;
  void* recv_;
  Shape shape_;
};

// Pages of this process's own, all of them touched.
class PlainMemory {
 public:
  explicit PlainMemory(size_t bytes);
  PlainMemory(const PlainMemory&) = delete;
  ~PlainMemory();
  void* data() const { return data_; }

 private:
  size_t bytes_;
  void* data_;
};

}  // namespace measure
