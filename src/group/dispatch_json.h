// Rows of the dispatch table as psGetLibraryInfo and psDescribe show them.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "host/dispatch.h"

namespace ps {

nlohmann::json dispatch_json(const std::vector<DispatchRow>& rows);
// Of one communicator, by operation: {"all_reduce": "<=64K one-shot, two-shot", ...}
nlohmann::json in_force_json(const std::vector<DispatchRow>& rows);

}  // namespace ps
