// Whether memory can be had, asked before it is touched: the kernel ends a process that goes beyond its control group's
// limit, and a page that a mapping promised and the kernel does not have is a SIGBUS. Neither can be caught, so both are
// foreseen.
#pragma once

#include <cstddef>
#include <string>

namespace ps {

// What is about to be touched: "group 'world' of 4 ranks" needs bytes.
// Errors: NO_MEMORY names the bytes, the limit that is too small and what to lower.
void require_memory(size_t bytes, const std::string& what);
// The same with what others take meanwhile: `in_group` by all whose memory_group() is this process's, `on_host` by all of
// the host.
void require_memory(size_t in_group, size_t on_host, const std::string& what);

// Which control group's limit this process would meet first, the same number for all processes in it; 0: none has one.
uint64_t memory_group();

// For a system call that has failed for want of memory: finds the limit that did it. `bytes` were asked for.
[[noreturn]] void fail_no_memory(size_t bytes, const std::string& what);

}  // namespace ps
