#include "bench_path.h"

#include <parallelstate.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

namespace psctl {
namespace {

constexpr std::array kKnown = {"operation", "plane", "max_ranks", "max_bytes", "uncrowded", "algorithm", "from"};

bool is_known(const std::string& key) {
  return std::any_of(kKnown.begin(), kKnown.end(), [&](const char* known) { return key == known; });
}

// What the limits of the table are about: the most that any rank contributes.
size_t contributed_bytes(const measure::Shape& shape) {
  size_t most = 0;
  for (int rank = 0; rank < shape.ranks; ++rank) most = std::max(most, shape.send_bytes(rank));
  return most;
}

}  // namespace

DispatchTable::DispatchTable(psContext context) {
  psBytes bytes = nullptr;
  const void* data = nullptr;
  if (psDescribe(context, &bytes) == PS_OK && psBytesAt(bytes, 0, &data, nullptr, nullptr) == PS_OK) {
    const auto world = nlohmann::json::parse(static_cast<const char*>(data), nullptr, false);
    if (world.is_object() && world.contains("dispatch")) rows_ = world["dispatch"];
    if (world.is_object()) is_crowded_ = world.value(nlohmann::json::json_pointer("/crowded"), false);
  }
  psBytesFree(bytes);
}

std::string DispatchTable::path(const measure::Shape& shape) const {
  if (shape.operation == measure::Operation::kSendRecv || !rows_.is_array()) return "";
  if (shape.ranks == 1) return "copy";
  for (const auto& row : rows_) {
    for (const auto& [key, value] : row.items()) {
      if (!is_known(key)) return "";
    }
    const std::string operation = row.value("operation", "");
    if (operation != "*" && operation != measure::name_of(shape.operation)) continue;
    if (const std::string plane = row.value("plane", ""); plane != "*" && plane != "shm") continue;
    if (is_crowded_ && row.value("uncrowded", false)) continue;
    const auto ranks = row.find("max_ranks");
    if (ranks != row.end() && ranks->is_number() && shape.ranks > ranks->get<int>()) continue;
    const auto most = row.find("max_bytes");
    if (most != row.end() && most->is_number() && contributed_bytes(shape) > most->get<size_t>()) continue;
    return row.value("algorithm", "");
  }
  return "";
}

}  // namespace psctl
