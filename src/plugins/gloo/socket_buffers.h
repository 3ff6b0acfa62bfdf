// How much may be under way on a connection. Gloo fixes 32 KiB for what is sent, so that a megabyte is some thirty turns of
// sender, event loop and receiver.
#pragma once

namespace ps::gloo_transport {

// Of a connection that was just made; where the system refuses, it stays as it is.
void size_buffers(int socket);

}  // namespace ps::gloo_transport
