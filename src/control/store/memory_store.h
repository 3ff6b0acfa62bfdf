// Stores by name for the threads of one process.
#pragma once

#include <memory>
#include <string>

#include "control/store/local_store.h"

namespace ps {

// The store of that name, made if there is none; `world`: for one world alone.
std::shared_ptr<Store> open_memory_store(const std::string& name, const StoreSettings& settings, bool world);
// The same, but somebody else must make it. Errors: TIMEOUT.
std::shared_ptr<Store> join_memory_store(const std::string& name, const StoreSettings& settings, Deadline deadline);

}  // namespace ps
