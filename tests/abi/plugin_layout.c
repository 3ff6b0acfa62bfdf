/*
 * The binary layout that plugins rely on. Compiling this file is the test; header.py checks that no field and no constant
 * is left out. A number here changes only with PS_PLUGIN_ABI.
 */
#include "parallelstate_plugin.h"

#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type)
#define FIELD(type, field, offset) _Static_assert(offsetof(type, field) == (offset), #type "." #field)
#define VALUE(name, number) _Static_assert((name) == (number), #name)

SIZE(psPluginPeers, 8);
SIZE(psPluginComm, 8);
SIZE(psPluginTicket, 8);
SIZE(psOperation, 4);
SIZE(psPluginDeviceType, 4);
SIZE(psPluginQueryFunction, 8);

SIZE(psPluginHost, 64);
FIELD(psPluginHost, struct_size, 0);
FIELD(psPluginHost, abi, 4);
FIELD(psPluginHost, log, 8);
FIELD(psPluginHost, set_error, 16);
FIELD(psPluginHost, exchange, 24);
FIELD(psPluginHost, check, 32);
FIELD(psPluginHost, network_address, 40);
FIELD(psPluginHost, leave_for, 48);
FIELD(psPluginHost, read_from, 56);

SIZE(psPluginTransport, 96);
FIELD(psPluginTransport, struct_size, 0);
FIELD(psPluginTransport, reserved, 4);
FIELD(psPluginTransport, name, 8);
FIELD(psPluginTransport, create, 16);
FIELD(psPluginTransport, post_send, 24);
FIELD(psPluginTransport, post_recv, 32);
FIELD(psPluginTransport, test, 40);
FIELD(psPluginTransport, wait_any, 48);
FIELD(psPluginTransport, abort, 56);
FIELD(psPluginTransport, destroy, 64);
FIELD(psPluginTransport, release, 72);
FIELD(psPluginTransport, poll, 80);
FIELD(psPluginTransport, rest, 88);

SIZE(psPluginPlatform, 64);
FIELD(psPluginPlatform, struct_size, 0);
FIELD(psPluginPlatform, device_type, 4);
FIELD(psPluginPlatform, name, 8);
FIELD(psPluginPlatform, default_backend, 16);
FIELD(psPluginPlatform, find, 24);
FIELD(psPluginPlatform, allocate, 32);
FIELD(psPluginPlatform, release, 40);
FIELD(psPluginPlatform, copy, 48);
FIELD(psPluginPlatform, query, 56);

SIZE(psPluginCall, 112);
FIELD(psPluginCall, struct_size, 0);
FIELD(psPluginCall, operation, 4);
FIELD(psPluginCall, dtype, 8);
FIELD(psPluginCall, op, 12);
FIELD(psPluginCall, peer, 16);
FIELD(psPluginCall, tag, 20);
FIELD(psPluginCall, send, 24);
FIELD(psPluginCall, recv, 32);
FIELD(psPluginCall, send_count, 40);
FIELD(psPluginCall, recv_count, 48);
FIELD(psPluginCall, send_counts, 56);
FIELD(psPluginCall, send_offsets, 64);
FIELD(psPluginCall, recv_counts, 72);
FIELD(psPluginCall, recv_offsets, 80);
FIELD(psPluginCall, scalar, 88);
FIELD(psPluginCall, stream, 96);
FIELD(psPluginCall, remaining_ms, 104);

SIZE(psPluginBackend, 56);
FIELD(psPluginBackend, struct_size, 0);
FIELD(psPluginBackend, device_type, 4);
FIELD(psPluginBackend, name, 8);
FIELD(psPluginBackend, create, 16);
FIELD(psPluginBackend, supports, 24);
FIELD(psPluginBackend, run, 32);
FIELD(psPluginBackend, abort, 40);
FIELD(psPluginBackend, destroy, 48);

SIZE(psPlugin, 72);
FIELD(psPlugin, struct_size, 0);
FIELD(psPlugin, abi, 4);
FIELD(psPlugin, name, 8);
FIELD(psPlugin, version, 16);
FIELD(psPlugin, platforms, 24);
FIELD(psPlugin, platform_count, 32);
FIELD(psPlugin, backends, 40);
FIELD(psPlugin, backend_count, 48);
FIELD(psPlugin, transports, 56);
FIELD(psPlugin, transport_count, 64);

VALUE(PS_OP_ALL_REDUCE, 1);
VALUE(PS_OP_REDUCE, 2);
VALUE(PS_OP_BROADCAST, 3);
VALUE(PS_OP_ALL_GATHER, 4);
VALUE(PS_OP_ALL_GATHER_V, 5);
VALUE(PS_OP_GATHER, 6);
VALUE(PS_OP_GATHER_V, 7);
VALUE(PS_OP_SCATTER, 8);
VALUE(PS_OP_SCATTER_V, 9);
VALUE(PS_OP_REDUCE_SCATTER, 10);
VALUE(PS_OP_REDUCE_SCATTER_V, 11);
VALUE(PS_OP_ALL_TO_ALL, 12);
VALUE(PS_OP_ALL_TO_ALL_V, 13);
VALUE(PS_OP_BARRIER, 14);
VALUE(PS_OP_SEND, 15);
VALUE(PS_OP_RECV, 16);
VALUE(PS_PLUGIN_ABI, 1);
