// What psConfig can ask for and this build cannot do: it has host memory only.
#pragma once

#include <string_view>

#include "parallelstate.h"

namespace ps {

// Errors: UNSUPPORTED names the field, its value, the reason and what would work.
void check_supported(const psConfig& config);

// `where` names the field or variable: "psConfig.backend". A list by comma, one a kind of memory. Errors: UNSUPPORTED.
void check_backend(std::string_view backend, std::string_view where);

}  // namespace ps
