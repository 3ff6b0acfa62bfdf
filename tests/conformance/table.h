// The rows of table.txt, whose head explains them, and what one rank has to do for a row.
#pragma once

#include <parallelstate.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace conformance {

using Bytes = std::vector<unsigned char>;

struct Row {
  std::string name, operation, dtype, reduction, root, counts, input, output, result;
  int32_t ranks = 0;
};

// One rank's share of a row.
struct Part {
  std::string operation;
  int32_t rank = 0;
  int32_t ranks = 0;
  psDataType dtype = PS_UINT8;
  size_t element = 1;  // bytes
  psReduceOp reduction = 0;
  std::optional<double> scalar;  // of premul_sum
  int32_t root = -1;
  std::vector<size_t> sent;      // elements of each block; none where nothing is sent
  std::vector<size_t> received;  // likewise
  Bytes input;
  Bytes expected;  // without a value where `result` is an error
  psResult result = PS_OK;
};

size_t total(const std::vector<size_t>& blocks);

std::vector<Row> read_table(const std::string& path);

// Throws std::invalid_argument for what the table's head does not describe.
Part part_of(const Row& row, int32_t rank);

}  // namespace conformance
