// How much may be under way on a connection. Within one machine, between network namespaces or containers, the buffers that
// the system chooses are too large: it lets them grow to megabytes, which are in no cache any more when they are read.
#pragma once

namespace ps::gloo_transport {

// Of a connection that was just made. One to another machine is left to the system, and so is what it refuses.
void size_buffers(int socket);

}  // namespace ps::gloo_transport
