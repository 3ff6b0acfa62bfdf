#include "group/dispatch_json.h"

#include <climits>
#include <cstdint>
#include <string>

#include "base/error.h"

namespace ps {

nlohmann::json dispatch_json(const std::vector<DispatchRow>& rows) {
  using nlohmann::json;
  json list = json::array();
  for (const DispatchRow& row : rows) {
    list.push_back({{"operation", row.kind ? kind_name(*row.kind) : "*"},
                    {"plane", row.plane},
                    {"max_ranks", row.most_ranks == INT_MAX ? json(nullptr) : json(row.most_ranks)},
                    {"max_bytes", row.most_bytes == SIZE_MAX ? json(nullptr) : json(row.most_bytes)},
                    {"uncrowded", row.uncrowded},
                    {"algorithm", algorithm_name(row.algorithm)},
                    {"from", row.from_rule ? "rule" : "library"}});
  }
  return list;
}

nlohmann::json in_force_json(const std::vector<DispatchRow>& rows) {
  nlohmann::json operations = nlohmann::json::object();
  for (const DispatchRow& row : rows) {
    std::string text;
    if (const auto found = operations.find(kind_name(*row.kind)); found != operations.end()) {
      text = found->get<std::string>() + ", ";
    }
    if (row.most_bytes != SIZE_MAX) text += fmt::format("<={} ", bytes_text(row.most_bytes));
    operations[kind_name(*row.kind)] = text + algorithm_name(row.algorithm);
  }
  return operations;
}

nlohmann::json paths_json(const PathCounts* counts) {
  nlohmann::json operations = nlohmann::json::object();
  if (counts == nullptr) return operations;
  for (int i = static_cast<int>(Kind::kAllReduce); i <= static_cast<int>(Kind::kSend); ++i) {
    const auto kind = static_cast<Kind>(i);
    for (size_t j = 0; j < kPaths; ++j) {
      const auto path = static_cast<Path>(j);
      if (const uint64_t count = counts->of(kind, path); count > 0) operations[kind_name(kind)][path_name(path)] = count;
    }
  }
  return operations;
}

}  // namespace ps
