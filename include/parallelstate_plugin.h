/*
 * ParallelState: the interface of a plugin, a shared object that brings the library a way to move data.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * A plugin exports psPluginQuery, includes this header and the public one, and links nothing of the library. What it
 * needs of the library comes in psPluginHost; what it offers are tables of functions. Plain C, C99 to C++20.
 *
 * TODAY the library calls TRANSPORTS: host memory between hosts. PLATFORMS and BACKENDS are reserved for device memory:
 * their tables are declared so that a plugin can be written against their final layout, and are not called yet.
 *
 * MODULES. The library asks for one transport, "gloo": `parallelstate/ps_gloo.so` in the folder of libparallelstate.so,
 * else ps_gloo.so in a folder of PS_PLUGIN_PATH. psConfig.plugins is reserved: UNSUPPORTED. A plugin is loaded when it is
 * first asked for, once for a process, and never closed.
 *
 * STRUCTS follow the public header: struct_size first, append-only, no padding. What is unknown to one side is beyond
 * its struct_size and is not read. Tables and strings of a plugin are static: they live until the process ends. A
 * function that is marked optional may be NULL; the others may not, and the library checks this before any call.
 *
 * RESULTS. Functions return psResult; unknown codes count as PS_ERR_BACKEND. Before a plugin returns an error it calls
 * set_error on the failing thread, with the rank to blame or PS_NO_RANK. Exceptions must not leave a plugin; those that
 * do are caught, and only the group concerned fails.
 *
 * RANKS in this header are ranks in the communicator. Threads: a plugin may be called from any thread, and its own
 * threads block all signals.
 */
#ifndef PARALLELSTATE_PLUGIN_H
#define PARALLELSTATE_PLUGIN_H

#include "parallelstate.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Raised on an incompatible change only. A plugin of another number is refused before any other call. */
#define PS_PLUGIN_ABI 1

/* The library's: one communicator, as a plugin's function sees it. */
typedef struct psPluginPeersImpl* psPluginPeers;
/* The plugin's: its state of a communicator. */
typedef struct psPluginCommImpl* psPluginComm;
/* The plugin's: one send or receive in flight. */
typedef struct psPluginTicketImpl* psPluginTicket;

/* As psDeviceType of device memory, which is reserved: 1 host, 2 CUDA, 10 ROCm, 14 XPU, 65536 and above for plugins. */
typedef int32_t psPluginDeviceType;

typedef int32_t psOperation;
enum {
  PS_OP_ALL_REDUCE = 1,
  PS_OP_REDUCE = 2,
  PS_OP_BROADCAST = 3,
  PS_OP_ALL_GATHER = 4,
  PS_OP_ALL_GATHER_V = 5,
  PS_OP_GATHER = 6,
  PS_OP_GATHER_V = 7,
  PS_OP_SCATTER = 8,
  PS_OP_SCATTER_V = 9,
  PS_OP_REDUCE_SCATTER = 10,
  PS_OP_REDUCE_SCATTER_V = 11,
  PS_OP_ALL_TO_ALL = 12,
  PS_OP_ALL_TO_ALL_V = 13,
  PS_OP_BARRIER = 14,
  PS_OP_SEND = 15,
  PS_OP_RECV = 16
};

/* ---- What the library gives a plugin ---------------------------------------------------------------------------- */

typedef struct psPluginHost {
  uint32_t struct_size; /*  0 */
  uint32_t abi;         /*  4  PS_PLUGIN_ABI of the library */
  /* One line for the context's log. Any thread. */
  void (*log)(psPluginPeers peers, psLogLevel level, const char* text); /*  8 */
  /* The text of the error that the calling thread is about to return, and the rank to blame, PS_NO_RANK: none. */
  void (*set_error)(psPluginPeers peers, int32_t rank, const char* text); /* 16 */
  /* An all-gather of `size` bytes for bootstrap: `all` receives size bytes of each rank in order. Waits for all members,
   * up to the context's timeout_ms: only for what all members do together. At most 16 KiB. */
  psResult (*exchange)(psPluginPeers peers, const void* data, size_t size, void* all); /* 24 */
  /* PS_OK while the operation may go on, else why to stop; to be polled by whatever waits. */
  psResult (*check)(psPluginPeers peers); /* 32 */
  /* The address that other members reach this rank at, an IPv4 or IPv6 literal. Valid as long as `peers`. */
  psResult (*network_address)(psPluginPeers peers, const char** address); /* 40 */
  /* Bootstrap between two ranks that need not wait for the others: leaves `size` bytes, at most 16 KiB, for rank `to` to
   * read. Through the world's store, which only members of the job can read. */
  psResult (*leave_for)(psPluginPeers peers, int32_t to, const void* data, size_t size); /* 48 */
  /* Reads what rank `from` left for this rank. PS_IN_PROGRESS: nothing yet, ask again in the next wait_any,
   * which is called as soon as there may be something; PS_ERR_ARGUMENT: more than `capacity`. Never waits for a peer. */
  psResult (*read_from)(psPluginPeers peers, int32_t from, void* data, size_t capacity, size_t* size); /* 56 */
} psPluginHost;

/* ---- Transport: host memory between hosts ------------------------------------------------------------------------ */

/*
 * Moves bytes between pairs of ranks. The library's own step functions post and test; nothing in a transport waits but
 * wait_any. Messages of one (peer, channel) arrive in the order in which they were posted; each send meets one receive,
 * which is at least as large. Channels are independent: a channel on which nothing is received stops no other one.
 *
 * The library posts receives of what small messages need before they can come. The memory that it gives stays as it is until
 * the ticket is complete or released, or destroy has returned.
 */
typedef struct psPluginTransport {
  uint32_t struct_size; /*  0 */
  uint32_t reserved;    /*  4 */
  const char* name;     /*  8  as psConfig.backend names it: "gloo" */
  /* Makes this rank's side for a communicator. Reaches no peer: a pair of ranks is connected at the first post that
   * either makes for the other. `options` is reserved, NULL. */
  psResult (*create)(psPluginPeers peers, int32_t rank, int32_t size, const char* options, psPluginComm* comm); /* 16 */
  psResult (*post_send)(psPluginComm comm, int32_t peer, uint64_t channel, const void* data, size_t size,
                        psPluginTicket* ticket); /* 24 */
  psResult (*post_recv)(psPluginComm comm, int32_t peer, uint64_t channel, void* data, size_t size,
                        psPluginTicket* ticket); /* 32 */
  /* PS_IN_PROGRESS, or the end of the ticket, which is gone then: PS_OK, or its error. A send is complete when its bytes
   * are on their way and need nothing more from this rank; they arrive unless this process dies or the path fails. */
  psResult (*test)(psPluginComm comm, psPluginTicket ticket); /* 40 */
  /* Returns PS_OK as soon as a ticket may have completed or a connection changed since the last call, PS_IN_PROGRESS
   * when the time has passed. Called by one thread, which also drives connecting; with timeout_ms 0 by any thread, which
   * does nothing but make that one return. */
  psResult (*wait_any)(psPluginComm comm, int64_t timeout_ms); /* 48 */
  /* From any thread, quick: ends every ticket, now and later, with PS_ERR_ABORTED, and wait_any. */
  psResult (*abort)(psPluginComm comm); /* 56 */
  /* Once, last, when no other call is running. Unless aborted, first sees completed sends off: for ten seconds at most, and
   * two in which nothing moves. No memory of a ticket is touched afterwards. */
  psResult (*destroy)(psPluginComm comm); /* 64 */
  /* Ends a ticket early: it is gone, and its memory is not touched after the return. The message keeps its place: what is
   * not sent yet of it goes out later as it is now, what is received of it is thrown away. Any thread, quick. */
  psResult (*release)(psPluginComm comm, psPluginTicket ticket); /* 72 */
  /* Optional, NULL: test serves. As test of a receive, for who waits for it without sleeping: takes in on the calling thread
   * what has come from the ticket's peer. Of what that completes wait_any says all but the ticket itself. */
  psResult (*poll)(psPluginComm comm, psPluginTicket ticket); /* 80 */
  /* Optional, NULL: none. A thread that may have polled is about to sleep, or goes to do something else: from now on what comes
   * must not wait for the next poll. Any thread, quick. */
  psResult (*rest)(psPluginComm comm); /* 88 */
} psPluginTransport;

/* ---- Reserved for device memory: not called yet ------------------------------------------------------------------- */

typedef struct psPluginPlatform {
  uint32_t struct_size;                                                                        /*  0 */
  psPluginDeviceType device_type;                                                              /*  4 */
  const char* name;                                                                            /*  8 */
  psResult (*default_backend)(const char** backend);                                           /* 16 */
  psResult (*find)(const void* memory, int32_t* device_index);                                 /* 24 */
  psResult (*allocate)(int32_t device_index, size_t size, void** memory);                      /* 32 */
  psResult (*release)(int32_t device_index, void* memory);                                     /* 40 */
  psResult (*copy)(void* to, const void* from, size_t size, void* stream);                     /* 48 */
  psResult (*query)(void* stream); /* 56  PS_OK done, PS_IN_PROGRESS */
} psPluginPlatform;

typedef struct psPluginCall {
  uint32_t struct_size;       /*   0 */
  psOperation operation;      /*   4 */
  psDataType dtype;           /*   8 */
  psReduceOp op;              /*  12 */
  int32_t peer;               /*  16  root, source or destination */
  int32_t tag;                /*  20 */
  const void* send;           /*  24 */
  void* recv;                 /*  32 */
  size_t send_count;          /*  40 */
  size_t recv_count;          /*  48 */
  const size_t* send_counts;  /*  56 */
  const size_t* send_offsets; /*  64 */
  const size_t* recv_counts;  /*  72 */
  const size_t* recv_offsets; /*  80 */
  const void* scalar;         /*  88 */
  void* stream;               /*  96 */
  int64_t remaining_ms;       /* 104 */
} psPluginCall;

typedef struct psPluginBackend {
  uint32_t struct_size;           /*  0 */
  psPluginDeviceType device_type; /*  4 */
  const char* name;               /*  8 */
  psResult (*create)(psPluginPeers peers, int32_t rank, int32_t size, const char* options, psPluginComm* comm); /* 16 */
  psResult (*supports)(psPluginComm comm, const psPluginCall* call);                                            /* 24 */
  psResult (*run)(psPluginComm comm, const psPluginCall* calls, size_t count);                                  /* 32 */
  psResult (*abort)(psPluginComm comm);                                                                         /* 40 */
  psResult (*destroy)(psPluginComm comm);                                                                       /* 48 */
} psPluginBackend;

/* ---- What a plugin is -------------------------------------------------------------------------------------------- */

/* Filled by the plugin. Lists of pointers to its tables; a list may be NULL where its count is 0. */
typedef struct psPlugin {
  uint32_t struct_size; /*  0  set by the library before the call; the plugin fills as much */
  uint32_t abi;         /*  4  PS_PLUGIN_ABI of the plugin */
  const char* name;     /*  8 */
  const char* version;  /* 16 */
  const psPluginPlatform* const* platforms;   /* 24 */
  size_t platform_count;                      /* 32 */
  const psPluginBackend* const* backends;     /* 40 */
  size_t backend_count;                       /* 48 */
  const psPluginTransport* const* transports; /* 56 */
  size_t transport_count;                     /* 64 */
} psPlugin;

/* What a plugin exports: `psPluginQuery`. `host` lives as long as the process. */
typedef psResult (*psPluginQueryFunction)(const psPluginHost* host, psPlugin* plugin);
PS_API psResult psPluginQuery(const psPluginHost* host, psPlugin* plugin);

#ifdef __cplusplus
}
#endif

#endif /* PARALLELSTATE_PLUGIN_H */
