// The time of one call when calls follow each other without a pause, for a caller in any language: it lends a function
// that makes n calls. The shared library peer_callers has this behind a C interface.
#pragma once

#include <cstdint>

extern "C" {

using MakeCalls = void (*)(int64_t n);
using Prepare = void (*)(const char* op, int64_t elements, void* send, int64_t send_bytes, void* recv,
                         int64_t recv_bytes);
using Run = void (*)();

// Of one rank. Batches of calls between meetings; rank 0 prints the median time of a call over the batches and the
// line latency as a line of JSON. Returns 0, or 1 after a word to standard error.
__attribute__((visibility("default"))) int peer_time_calls(const char* shared, int rank, int ranks,
                                                           MakeCalls make_calls);

// A peer that is driven from another language: `arguments` are those of a peer's program. `prepare` is told of a size
// with the pointers to use, `run` does the operation once. Where all_reduce is in place, its output is at `send`.
// Returns the exit status.
__attribute__((visibility("default"))) int peer_measure(int count, char** arguments, int rank, const char* name,
                                                        int in_place, Prepare prepare, Run run);
}
