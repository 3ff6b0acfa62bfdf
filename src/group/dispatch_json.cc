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

}  // namespace ps
