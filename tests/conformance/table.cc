#include "table.h"

#include <bit>
#include <cstring>
#include <fstream>
#include <map>
#include <numeric>
#include <sstream>
#include <stdexcept>

namespace conformance {
namespace {

struct Type {
  psDataType code;
  size_t size;
};

const std::map<std::string, Type> kTypes = {
    {"int8", {PS_INT8, 1}},       {"int16", {PS_INT16, 2}},
    {"int32", {PS_INT32, 4}},     {"int64", {PS_INT64, 8}},
    {"uint8", {PS_UINT8, 1}},     {"uint16", {PS_UINT16, 2}},
    {"uint32", {PS_UINT32, 4}},   {"uint64", {PS_UINT64, 8}},
    {"float16", {PS_FLOAT16, 2}}, {"bfloat16", {PS_BFLOAT16, 2}},
    {"float32", {PS_FLOAT32, 4}}, {"float64", {PS_FLOAT64, 8}},
    {"bool", {PS_BOOL, 1}},       {"float8_e4m3", {PS_FLOAT8_E4M3, 1}},
    {"-", {PS_UINT8, 1}},         {"float8_e5m2", {PS_FLOAT8_E5M2, 1}}};

const std::map<std::string, psReduceOp> kReductions = {
    {"sum", PS_SUM},         {"product", PS_PRODUCT},         {"min", PS_MIN},
    {"max", PS_MAX},         {"avg", PS_AVG},                 {"bit_and", PS_BIT_AND},
    {"bit_or", PS_BIT_OR},   {"bit_xor", PS_BIT_XOR},         {"logical_and", PS_LOGICAL_AND},
    {"-", 0},                {"logical_or", PS_LOGICAL_OR},   {"logical_xor", PS_LOGICAL_XOR},
    {"premul_sum", PS_PREMUL_SUM}};

const std::map<std::string, psResult> kResults = {{"ok", PS_OK},
                                                  {"PS_ERR_ARGUMENT", PS_ERR_ARGUMENT},
                                                  {"PS_ERR_UNSUPPORTED", PS_ERR_UNSUPPORTED},
                                                  {"PS_ERR_MISMATCH", PS_ERR_MISMATCH}};

template <typename T>
const T& named(const std::map<std::string, T>& map, const std::string& name) {
  const auto found = map.find(name);
  if (found == map.end()) throw std::invalid_argument("the table's '" + name + "' is not known here");
  return found->second;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::string cell_of(const std::string& cell, int32_t rank) {
  const auto parts = split(cell, '/');
  return parts.size() == 1 ? parts[0] : parts.at(static_cast<size_t>(rank));
}

std::vector<size_t> counts_of(const Row& row, int32_t rank) {
  std::vector<size_t> counts;
  const std::string cell = cell_of(row.counts, rank);
  if (cell == "-") return counts;
  for (const auto& number : split(cell, ',')) counts.push_back(std::stoul(number));
  return counts;
}

uint64_t bits_of(const std::string& value, psDataType dtype) {
  if (value.starts_with("0x")) return std::stoull(value, nullptr, 16);
  switch (dtype) {
    case PS_FLOAT32:
      return std::bit_cast<uint32_t>(std::stof(value));
    case PS_FLOAT64:
      return std::bit_cast<uint64_t>(std::stod(value));
    case PS_UINT64:
      return std::stoull(value);
    case PS_FLOAT16:
    case PS_BFLOAT16:
    case PS_FLOAT8_E4M3:
    case PS_FLOAT8_E5M2:
      throw std::invalid_argument("the table has '" + value + "' for a small float, which needs bits as 0x...");
    default:
      return static_cast<uint64_t>(std::stoll(value));
  }
}

Bytes fill(const std::string& cell, const std::vector<size_t>& counts, psDataType dtype, size_t element) {
  Bytes bytes;
  const auto blocks = split(cell, ';');
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const auto values = split(blocks.size() == 1 ? blocks[0] : blocks.at(i), ',');
    for (size_t k = 0; k < counts[i]; ++k) {
      const uint64_t bits = bits_of(values[k % values.size()], dtype);
      const size_t end = bytes.size();
      bytes.resize(end + element);
      std::memcpy(&bytes[end], &bits, element);  // little-endian
    }
  }
  return bytes;
}

std::vector<size_t> sent_blocks(const Row& row, const Part& part) {
  const auto& operation = part.operation;
  const auto counts = counts_of(row, part.rank);
  const bool is_root = part.rank == part.root;
  if (operation == "barrier") return {};
  if ((operation == "broadcast" || operation == "scatter" || operation == "scatter_v") && !is_root) return {};
  if (operation == "scatter" || operation == "reduce_scatter" || operation == "all_to_all") {
    return std::vector<size_t>(static_cast<size_t>(part.ranks), counts.at(0));
  }
  if (operation == "scatter_v" || operation == "reduce_scatter_v" || operation == "all_to_all_v") return counts;
  if (operation == "all_gather_v" || operation == "gather_v") return {counts.at(static_cast<size_t>(part.rank))};
  return {counts.at(0)};
}

std::vector<size_t> received_blocks(const Row& row, const Part& part) {
  const auto& operation = part.operation;
  const auto counts = counts_of(row, part.rank);
  const bool is_root = part.rank == part.root;
  if (operation == "barrier") return {};
  if ((operation == "reduce" || operation == "gather" || operation == "gather_v") && !is_root) return {};
  if (operation == "all_gather" || operation == "gather" || operation == "all_to_all") {
    return std::vector<size_t>(static_cast<size_t>(part.ranks), counts.at(0));
  }
  if (operation == "all_gather_v" || operation == "gather_v") return counts;
  const auto own = static_cast<size_t>(part.rank);
  if (operation == "scatter_v" || operation == "reduce_scatter_v") return {counts.at(own)};
  if (operation == "all_to_all_v") {
    std::vector<size_t> blocks;
    for (int32_t source = 0; source < part.ranks; ++source) blocks.push_back(counts_of(row, source).at(own));
    return blocks;
  }
  return {counts.at(0)};
}

}  // namespace

size_t total(const std::vector<size_t>& blocks) { return std::accumulate(blocks.begin(), blocks.end(), size_t{0}); }

std::vector<Row> read_table(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::invalid_argument("cannot read " + path);
  std::vector<Row> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    Row row;
    std::istringstream cells(line);
    cells >> row.name >> row.ranks >> row.operation >> row.dtype >> row.reduction >> row.root >> row.counts >>
        row.input >> row.output >> row.result;
    if (!cells) throw std::invalid_argument(path + ": a row has less than ten cells: " + line);
    rows.push_back(row);
  }
  return rows;
}

Part part_of(const Row& row, int32_t rank) {
  Part part;
  part.operation = cell_of(row.operation, rank);
  part.rank = rank;
  part.ranks = row.ranks;
  const Type type = named(kTypes, cell_of(row.dtype, rank));
  part.dtype = type.code;
  part.element = type.size;
  const auto reduction = split(cell_of(row.reduction, rank), '=');
  part.reduction = named(kReductions, reduction[0]);
  if (part.reduction == PS_PREMUL_SUM) part.scalar = std::stod(reduction.at(1));
  const std::string root = cell_of(row.root, rank);
  if (root != "-") part.root = std::stoi(root);
  part.sent = sent_blocks(row, part);
  part.received = received_blocks(row, part);
  part.result = named(kResults, cell_of(row.result, rank));
  part.input = fill(cell_of(row.input, rank), part.sent, part.dtype, part.element);
  if (part.result == PS_OK) {
    part.expected = fill(cell_of(row.output, rank), part.received, part.dtype, part.element);
  }
  return part;
}

}  // namespace conformance
