// Gloo's TCP connections as a transport: its rendezvous data, pairs and unbound buffers, none of its collectives. Those
// cannot be aborted, lack types and operations, and tell a failure to neighbours alone.
#include <gloo/config.h>

#include <new>

#include "comm.h"
#include "device.h"

namespace {

const psPluginHost* library = nullptr;

// Nothing may be thrown into the library.
template <class Body>
psResult guarded(psPluginPeers peers, Body&& body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    library->set_error(peers, PS_NO_RANK, "out of memory");
    return PS_ERR_NO_MEMORY;
  } catch (const std::exception& error) {
    library->set_error(peers, PS_NO_RANK, error.what());
    return PS_ERR_BACKEND;
  }
}

psResult create(psPluginPeers peers, int32_t rank, int32_t size, const char*, psPluginComm* comm) {
  return guarded(peers, [&] {
    *comm = new psPluginCommImpl(*library, peers, rank, size);
    return PS_OK;
  });
}

psResult post_send(psPluginComm comm, int32_t peer, uint64_t channel, const void* data, size_t size, psPluginTicket* ticket) {
  // Gloo's buffers serve both directions; a sent one is not written.
  return guarded(nullptr, [&] { return comm->post(peer, channel, const_cast<void*>(data), size, true, ticket); });
}

psResult post_recv(psPluginComm comm, int32_t peer, uint64_t channel, void* data, size_t size, psPluginTicket* ticket) {
  return guarded(nullptr, [&] { return comm->post(peer, channel, data, size, false, ticket); });
}

psResult test(psPluginComm comm, psPluginTicket ticket) {
  return guarded(nullptr, [&] { return comm->test(ticket); });
}

psResult wait_any(psPluginComm comm, int64_t timeout_ms) {
  return guarded(nullptr, [&] { return comm->wait_any(timeout_ms); });
}

psResult abort_comm(psPluginComm comm) {
  comm->abort();
  return PS_OK;
}

psResult destroy(psPluginComm comm) {
  return guarded(nullptr, [&] {
    delete comm;
    return PS_OK;
  });
}

psResult release(psPluginComm comm, psPluginTicket ticket) {
  return guarded(nullptr, [&] {
    comm->release(ticket);
    return PS_OK;
  });
}

psResult poll(psPluginComm comm, psPluginTicket ticket) {
  return guarded(nullptr, [&] { return comm->poll(ticket); });
}

psResult rest(psPluginComm comm) {
  comm->rest();
  return PS_OK;
}

constexpr psPluginTransport kTransport = {sizeof(psPluginTransport), 0, "gloo", create, post_send, post_recv, test, wait_any,
                                          abort_comm, destroy, release, poll, rest};
constexpr const psPluginTransport* kTransports[] = {&kTransport};

}  // namespace

#define PS_TEXT_OF(number) #number
#define PS_TEXT(number) PS_TEXT_OF(number)

psResult psPluginQuery(const psPluginHost* host, psPlugin* plugin) {
  library = host;
  plugin->abi = PS_PLUGIN_ABI;
  plugin->name = "gloo";
  plugin->version = PS_TEXT(GLOO_VERSION_MAJOR) "." PS_TEXT(GLOO_VERSION_MINOR) "." PS_TEXT(GLOO_VERSION_PATCH);
  plugin->transports = kTransports;
  plugin->transport_count = 1;
  return PS_OK;
}
