// The dispatch table, and what became of it, as psGetLibraryInfo and psDescribe show them.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "host/dispatch.h"
#include "host/path_counts.h"

namespace ps {

nlohmann::json dispatch_json(const std::vector<DispatchRow>& rows);
// Of one communicator, by operation: {"all_reduce": "<=64K one-shot, two-shot", ...}
nlohmann::json in_force_json(const std::vector<DispatchRow>& rows);
// How many operations went which way: {"all_reduce": {"one-shot": 3, "direct": 1}, "send": {"eager": 2}}
nlohmann::json paths_json(const PathCounts* counts);

}  // namespace ps
