// Starts the library's own threads: every signal blocked, so that the host program's handlers never run on them, and a
// name that shows in a debugger.
#pragma once

#include <functional>
#include <thread>

namespace ps {

std::thread start_thread(const char* name, std::function<void()> body);

}  // namespace ps
