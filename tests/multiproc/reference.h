// What a collective must give, computed the simple way: element by element, folded in rank order, with its own number
// formats. It shares no code with the library.
#pragma once

#include <parallelstate.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ps_test {

constexpr psDataType kFirstType = PS_INT8;
constexpr psDataType kLastType = PS_BOOL;

size_t size_of(psDataType dtype);
bool is_float(psDataType dtype);
const char* name_of(psDataType dtype);
const char* reduction_name(psReduceOp op);

// As the table of the header says. PS_PREMUL_SUM stands for a reduction made by psReduceOpCreate.
bool is_legal(psDataType dtype, psReduceOp op);

// The scalar of a rank in pre-multiplied sums.
float scalar_of(int rank);

// Every rank's input is an endless repetition of kPeriod elements, its own for each type and reduction, entered at a
// place that the case chooses. So what any block must contain is known without a copy of anybody's input. The period
// is no divisor of anything in which the library could misplace data.
class Pattern {
 public:
  static constexpr size_t kPeriod = 1021;
  static constexpr int kFold = -1;

  // op 0: for moving alone, any bits. `size` ranks are folded; `hosts`, a letter for each: those of each host first, then
  // what those came to, in the order of the hosts' first ranks. "" is one host.
  Pattern(psDataType dtype, psReduceOp op, int size, const std::string& hosts = "");

  psDataType dtype() const { return dtype_; }
  psReduceOp op() const { return op_; }
  int size() const { return static_cast<int>(inputs_.size()); }

  // `count` elements of a rank's input, or of the fold of all (kFold), from element `begin` on.
  void write(std::byte* to, int rank, size_t begin, size_t count) const;

  // Equal as results may be: any NaN equals any other, and minimum and maximum may choose either zero.
  bool equal(const std::byte* found, const std::byte* expected, size_t count) const;

 private:
  psDataType dtype_;
  psReduceOp op_;
  std::vector<std::vector<std::byte>> inputs_;
  std::vector<std::byte> fold_;
};

}  // namespace ps_test
