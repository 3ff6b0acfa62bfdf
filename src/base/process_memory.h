// Memory of another process of this host, read and written by the kernel in one copy (Linux' cross-memory attach). Allowed
// is it to whoever may trace that process: its own user, unless a security module, a container's filter of system calls or
// different namespaces of processes stand between.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ps {

// Both move all of `bytes` and return 0, or the errno of what stopped them: EPERM and ENOSYS where it is refused, ESRCH
// where there is no such process, EFAULT where there is no memory that the kernel can move for others.
int read_process(int32_t pid, std::byte* to, uint64_t from, size_t bytes);
int write_process(int32_t pid, uint64_t to, const std::byte* from, size_t bytes);

inline uint64_t address_of(const void* data) { return reinterpret_cast<uint64_t>(data); }

// Whether other processes can be given a range of this one's, judged by its ends: memory that a device maps cannot.
bool is_lendable(const std::byte* data, size_t bytes);

}  // namespace ps
