/*
 * ParallelState: a world of ranks, named parallel groups, and coordinated communication through them.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * This is the whole public interface. It is plain C (C99 to C++20), needs no other header than the two below,
 * and holds for 64-bit targets. The rules in this first block hold for every function and are not repeated.
 *
 * RESULTS. Functions return psResult, except psVersion, psResultName and psLastError. Negative is an error.
 * PS_IN_PROGRESS is returned by psWorkTest alone, so `result < 0` is a complete test everywhere else. Outputs are
 * written only on success: initialise handles to NULL and every cleanup path is legal, psXFree(NULL) is PS_OK.
 * Possible everywhere: PS_ERR_ARGUMENT (a NULL required pointer, a freed handle, an unknown enum value or flag, an
 * overflowing count), PS_ERR_STATE (the object can no longer do this, the text says why), PS_ERR_NO_MEMORY.
 *
 * OWNERSHIP. A handle from an output parameter is yours: free it exactly once with its own psXFree. A pointer inside
 * a struct is borrowed from the object that was asked. Strings, structs and arrays passed in are read during the call
 * only, also when the call is asynchronous. Data buffers are borrowed until the call returns (work == NULL) or until
 * the work completes. A handle outlives what it hangs on: after psFinalize it still is a valid object on which every
 * call is PS_ERR_STATE (but psWorkError answers) and psXFree works, so any order of destruction is safe. psBytes and
 * psLayout depend on no context.
 *
 * STRUCTS. `uint32_t struct_size` comes first; set it with the PS_X_INIT macro. Zero means default in every option
 * field, so a zeroed struct with its size set equals the macro and equals a NULL pointer. A longer struct than the
 * library knows is accepted when its unknown tail is zero, else PS_ERR_UNSUPPORTED; a shorter one than version 0.1 is
 * PS_ERR_ARGUMENT. Info structs: set struct_size, the library fills as much.
 *
 * LISTS. `(T* out, size_t capacity, size_t* count)`: *count becomes the full number, min(capacity, count) items are
 * written, the result is PS_OK. Ask for the number with (NULL, 0, &count).
 *
 * TIME. int64_t milliseconds. A parameter timeout_ms (-1 the default, 0 poll) bounds that call's waiting and never
 * harms the group: PS_ERR_TIMEOUT, try again. An option field timeout_ms (0 or -1 the default) is the deadline of
 * operations: the group's, else the context's, else 30 minutes; when it passes, the operation and its group failed.
 *
 * BLOCKING. Operations end in `psWork* work`. On host memory: with NULL they return when the data is there; else they
 * return at once, the library's thread makes progress, and *work observes it. `stream` is for device memory and is
 * ignored for host memory.
 *
 * ERRORS. psLastError() is the text of the last failing call on this thread: what was called, on which group, by which
 * rank, what was found, what would work. PS_ERR_ARGUMENT, PS_ERR_STATE, PS_ERR_UNSUPPORTED and a PS_ERR_NO_MEMORY
 * before the start are refusals: nothing was sent, the group is unharmed, the call took no place in the order. The
 * failures of an operation -- PS_ERR_PEER_FAILED, PS_ERR_MISMATCH, PS_ERR_ABORTED, PS_ERR_TIMEOUT, PS_ERR_BACKEND,
 * PS_ERR_SYSTEM, PS_ERR_INTERNAL -- fail the group: every later operation on it returns the first failure's code and
 * text. On a failed group these remain legal: its info, ranks, abort, operator free and free, and on its works wait,
 * test, error and free. Other groups go on unless they contain the dead rank. To recover, make a new group of the
 * survivors in the same context. What makes groups and memory is no operation: when it fails, the group it was called on
 * goes on.
 *
 * THREADS. Any function from any thread. Operations on one group start in call order; several threads on one group must
 * order their calls alike on all ranks. Freeing a handle must not race with its use; psGroupAbort, psAbort and
 * psFinalize are the exceptions: they may run beside blocked calls and end them. A work is waited on by one thread at a
 * time. Ranks may be threads of one process: each calls psInit with "mem://name", its own rank and the same world size.
 * No function is safe in a signal handler; interrupted system calls are retried and never surface. After fork() the
 * child of a process with a living context may call nothing but psLastError; all else is PS_ERR_STATE, the parent is
 * unharmed. A process that ends without psFinalize, however it ends, is found by its peers, who are told; it leaves at
 * most the file of a unix:// or file:// meeting place that it hosted, which the next world there replaces.
 *
 * ORDER. Collectives on a group match by their place in the group's order. Each carries its kind, data type, reduction,
 * root, count and flags; where two ranks differ, all ranks get PS_ERR_MISMATCH naming both ranks and both calls, before
 * any output is written; a rank that had already returned from a rooted operation is told at its next call.
 * Point-to-point matches by (source, destination, tag) in order, and never waits for a collective or another message.
 *
 * RANKS are ranks in the group. A parameter or field that holds a world rank has `global` in its name. Where a source
 * or destination is taken, PS_NEXT and PS_PREV name the neighbours in the ring of the group.
 *
 * MARKS below: C collective over all members, P needs its peer, L local; b may block up to a deadline, q returns soon.
 */
#ifndef PARALLELSTATE_H
#define PARALLELSTATE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define PS_API __attribute__((visibility("default")))
#else
#define PS_API
#endif

#define PS_VERSION_MAJOR 0 /* another number: another SONAME */
#define PS_VERSION_MINOR 1 /* functions, fields and values are added; before 1.0 all may change */
#define PS_VERSION_PATCH 0 /* the interface is the same */
/* In one number: 100 is 0.1.0. */
#define PS_VERSION (PS_VERSION_MAJOR * 10000 + PS_VERSION_MINOR * 100 + PS_VERSION_PATCH)

/* ---- Types and constants ------------------------------------------------------------------------------------- */

typedef struct psContextImpl* psContext; /* one rank of one world */
typedef struct psStoreImpl* psStore;     /* a key-value store */
typedef struct psGroupImpl* psGroup;     /* an ordered set of ranks and the order of operations on it */
typedef struct psWorkImpl* psWork;       /* an asynchronous operation */
typedef struct psLayoutImpl* psLayout;   /* which ranks of a world form which groups, as data */
typedef struct psBytesImpl* psBytes;     /* an immutable list of byte strings */

/* What became of a call: negative is an error, and psLastError has its text. */
typedef int32_t psResult;
enum {
  PS_OK = 0,               /* done */
  PS_IN_PROGRESS = 1,      /* not done yet, nothing wrong: psWorkTest alone */
  PS_ERR_ARGUMENT = -1,    /* the call itself is wrong */
  PS_ERR_STATE = -2,       /* the object can no longer do this */
  PS_ERR_UNSUPPORTED = -3, /* right, but not possible with this build, on this machine */
  PS_ERR_NO_MEMORY = -4,   /* no memory, of the process or shared */
  PS_ERR_SYSTEM = -5,      /* the operating system refused; the text has its reason */
  PS_ERR_PEER_FAILED = -6, /* another rank ended, left or failed */
  PS_ERR_TIMEOUT = -7,     /* a deadline passed; the text says who is missing */
  PS_ERR_ABORTED = -8,     /* ended by psAbort, psGroupAbort or psFinalize of some rank */
  PS_ERR_BACKEND = -9,     /* a communication library failed; its own words are in the text */
  PS_ERR_INTERNAL = -10,   /* a fault of this library */
  PS_ERR_MISMATCH = -11,   /* ranks called different things; the text has both */
  PS_ERR_NOT_FOUND = -12,  /* no such name or member */
  PS_ERR_CLOSED = -13,     /* the store's host closed it, or left */
  PS_ERR_DENIED = -14      /* a wrong secret, or another user without one */
};

/* What an element is, in the machine's own byte order. */
typedef int32_t psDataType;
enum {
  PS_INT8 = 1,         /* int8_t */
  PS_INT16 = 2,        /* int16_t */
  PS_INT32 = 3,        /* int32_t */
  PS_INT64 = 4,        /* int64_t */
  PS_UINT8 = 5,        /* uint8_t */
  PS_UINT16 = 6,       /* uint16_t */
  PS_UINT32 = 7,       /* uint32_t */
  PS_UINT64 = 8,       /* uint64_t */
  PS_FLOAT16 = 9,      /* IEEE 754 binary16 */
  PS_BFLOAT16 = 10,    /* the upper half of a float */
  PS_FLOAT32 = 11,     /* float */
  PS_FLOAT64 = 12,     /* double */
  PS_FLOAT8_E4M3 = 13, /* OCP e4m3fn: no infinity, conversion saturates at 448 */
  PS_FLOAT8_E5M2 = 14, /* OCP e5m2: conversion overflows to infinity */
  PS_BOOL = 15         /* one byte; reductions read non-zero as true and write 0 or 1 */
};

/*
 * Reductions. The order of accumulation is the rank order of the group, on every rank the same, so all ranks get the
 * same bits. A group that spans hosts with several ranks on one is combined host by host, in the order of their first
 * ranks, and each host's ranks in theirs; with PS_DETERMINISTIC in rank order too.
 *
 *   SUM, PRODUCT, MIN, MAX   all types but bool. 8- and 16-bit floats accumulate in float32 and round once, to nearest
 *                            even. Integers wrap. SUM and PRODUCT propagate NaN; MIN and MAX give NaN if any input is.
 *   AVG                      floats and integers: the sum, divided once at the end; integers divide towards zero
 *                            after the (wrapped) sum.
 *   PREMUL_SUM               floats: the sum of each rank's input times that rank's scalar; see psReduceOpCreate.
 *   BIT_AND, BIT_OR, BIT_XOR              integers.
 *   LOGICAL_AND, LOGICAL_OR, LOGICAL_XOR  bool.
 */
typedef int32_t psReduceOp;
enum {
  PS_SUM = 1,          /* all types but bool */
  PS_PRODUCT = 2,      /* all types but bool */
  PS_MIN = 3,          /* all types but bool */
  PS_MAX = 4,          /* all types but bool */
  PS_AVG = 5,          /* floats and integers */
  PS_BIT_AND = 6,      /* integers */
  PS_BIT_OR = 7,       /* integers */
  PS_BIT_XOR = 8,      /* integers */
  PS_LOGICAL_AND = 9,  /* bool */
  PS_LOGICAL_OR = 10,  /* bool */
  PS_LOGICAL_XOR = 11, /* bool */
  PS_PREMUL_SUM = 12   /* only as the kind of psReduceOpCreate, whose results are >= 65536 */
};

/* What a part of psBytes holds. The library itself makes BYTES and JSON; the others are for its users. */
typedef int32_t psContentType;
enum {
  PS_CONTENT_BYTES = 1,   /* as they are */
  PS_CONTENT_TEXT = 2,    /* UTF-8 */
  PS_CONTENT_JSON = 3,    /* UTF-8, one JSON value */
  PS_CONTENT_PLAIN = 4,   /* the bindings' common encoding */
  PS_CONTENT_DICT = 5,    /* the bindings' common encoding of named values */
  PS_CONTENT_INT64 = 6,   /* 8 bytes, little-endian */
  PS_CONTENT_FLOAT64 = 7, /* 8 bytes, little-endian */
  PS_CONTENT_BOOL = 8,    /* 1 byte */
  PS_CONTENT_PICKLE = 9,  /* Python's own; never read unasked */
  PS_CONTENT_USER = 65536 /* and above */
};

/* Where memory is, numbered as in DLPack. */
typedef int32_t psDeviceType;
enum {
  PS_DEVICE_HOST = 1,      /* main memory */
  PS_DEVICE_CUDA = 2,      /* NVIDIA */
  PS_DEVICE_ROCM = 10,     /* AMD */
  PS_DEVICE_XPU = 14,      /* Intel GPU */
  PS_DEVICE_HPU = 1001,    /* Intel Gaudi; from here on no number of DLPack's */
  PS_DEVICE_NPU = 1002,    /* Huawei Ascend */
  PS_DEVICE_MUSA = 1003,   /* Moore Threads */
  PS_DEVICE_MLU = 1004,    /* Cambricon */
  PS_DEVICE_PLUGIN = 65536 /* and above */
};

/* What is logged: everything up to a level. */
typedef int32_t psLogLevel;
enum {
  PS_LOG_OFF = 1,   /* nothing */
  PS_LOG_ERROR = 2, /* failures */
  PS_LOG_WARN = 3,  /* what works, but not as it should */
  PS_LOG_INFO = 4,  /* what happens seldom: worlds, groups */
  PS_LOG_DEBUG = 5, /* what was decided, and why */
  PS_LOG_TRACE = 6  /* all there is */
};

/* How device operations compare their signatures. Host operations always compare before any output is written. */
typedef int32_t psCheckMode;
enum {
  PS_CHECK_OFF = 1,   /* not at all */
  PS_CHECK_LATE = 2,  /* beside the operation: told at a later call */
  PS_CHECK_STRICT = 3 /* before the operation starts */
};

/* What is known of a rank. */
typedef int32_t psRankState;
enum {
  PS_RANK_ALIVE = 1,  /* its heartbeat comes */
  PS_RANK_SILENT = 2, /* no heartbeat for a second or more: stopped, or starved of CPU */
  PS_RANK_LEFT = 3,   /* left by psFinalize */
  PS_RANK_DEAD = 4    /* its process ended without psFinalize; on another host also: it cannot be reached any more */
};

/* What an entry of psBatch does. */
typedef int32_t psDirection;
enum {
  PS_SEND = 1, /* sends the buffer to the peer */
  PS_RECV = 2  /* receives into the buffer from the peer */
};

/* Flags, one name space; each function and struct says which it accepts. */
enum {
  PS_DETERMINISTIC = 0x1,          /* results do not depend on size, timing, algorithm, hosts or backend either */
  PS_OWN_COMMUNICATOR = 0x2,       /* do not share a communicator with groups of equal members */
  PS_WARM_UP = 0x4,                /* connect now, not at the first operation; PS_OK also when the deadline came first */
  PS_HOST_ONLY = 0x8,              /* host memory only; no device is touched */
  PS_ALLOW_UNAUTHENTICATED = 0x10, /* bind beyond loopback without a secret */
  PS_SERVE = 0x20,                 /* host the store */
  PS_NO_ENVIRONMENT = 0x100,       /* ignore the variables that say who a rank is and how its world is set up */
  PS_SHARE_DEVICE = 0x200          /* several ranks may use one device */
};

/* What stands where a rank or a colour is expected. */
enum {
  PS_NO_RANK = -1,  /* no rank */
  PS_NO_COLOR = -1, /* psSplitGroup: in no part */
  PS_NEXT = -101,   /* the next rank in the ring of the group */
  PS_PREV = -102    /* the previous one */
};

/* A log sink. Called from any thread with no lock held; must not call the library, and returns: an exception or the end
 * of its thread must not leave it. `text` is one line, borrowed. */
typedef void (*psLogFunction)(void* user, psLogLevel level, const char* text);

/* ---- Library, bytes ------------------------------------------------------------------------------------------ */

/* L q. The library's PS_VERSION. A binding refuses a library of another major version (before 1.0: another minor). */
PS_API int32_t psVersion(void);

/* L q. The constant's name, "PS_ERR_TIMEOUT"; "unknown result" for numbers this version does not know. Static. */
PS_API const char* psResultName(psResult result);

/* L q. The text of the last failing call on this thread. Never NULL; "" before the first failure; not cleared by
 * success; cut at 8 KiB; valid until this thread's next call of the library. A binding whose tasks move between threads
 * makes the call and reads this text without leaving the thread. */
PS_API const char* psLastError(void);

/* L b. JSON: version, build, CPU and kernel features, limits, backends with the reason where one is missing, dispatch
 * table. Needs no context. The caller frees *json. */
PS_API psResult psGetLibraryInfo(psBytes* json);

/* L q. The number of parts: 1, or the group's size after a gather. psBytes is immutable and safe from all threads. */
PS_API psResult psBytesCount(psBytes bytes, size_t* count);

/* L q. Part `index`: its data (borrowed until psBytesFree, followed by a NUL byte that is not counted), its size in
 * bytes and its content type. `data`, `size` and `type` may each be NULL. PS_ERR_ARGUMENT: index >= count. */
PS_API psResult psBytesAt(psBytes bytes, size_t index, const void** data, size_t* size, psContentType* type);

/* L q. Frees all parts; what psBytesAt gave is gone with them. */
PS_API psResult psBytesFree(psBytes bytes);

/* ---- Context ------------------------------------------------------------------------------------------------- */

/* What is zero comes from the environment (PS_*, then psctl run, torchrun, mpirun, srun), then from the default. The same
 * on all ranks, else MISMATCH: world_size, replica_count, backend, dispatch, max_object_bytes, host_buffer_bytes, the flags
 * DETERMINISTIC and WARM_UP, and the library's major and minor version. */
typedef struct psConfig {
  uint32_t struct_size;
  uint32_t flags;            /* DETERMINISTIC, WARM_UP (the world's group), HOST_ONLY, ALLOW_UNAUTHENTICATED,
                                NO_ENVIRONMENT, SHARE_DEVICE */
  int32_t rank;              /* 0 .. world_size - 1 */
  int32_t world_size;        /* 0: rank and world_size from the environment; without one, rank 0 of 1. With all replicas
                                at most 65535, else UNSUPPORTED */
  int32_t local_rank;        /* the rank's place on its host */
  int32_t local_size;        /* 0: local_rank and local_size from the environment, else measured */
  int32_t replica;           /* 0 .. replica_count - 1 */
  int32_t replica_count;     /* > 0: rank and world_size are this replica's and the world spans all replicas:
                                global rank = replica * world_size + rank */
  const char* rendezvous;    /* tcp://host:port, unix:///path, file:///dir, mem://name, fd://N (an inherited listening
                                socket, for rank 0), or the address of a served store (psStoreAddress) */
  const char* job;           /* a name that keeps strangers and stale ranks apart; default "default" */
  const char* secret;        /* proven by every connection, never sent, logged or described */
  const char* network;       /* interface name or address to use; NULL: the route to the rendezvous */
  const char* device;        /* "cuda:1", "cpu"; NULL: cuda:local_rank where present */
  const char* backend;       /* "auto", "shm" (within a host), "gloo" (anywhere); two by comma: UNSUPPORTED, one moves host
                                memory */
  const char* dispatch;      /* rules that override the dispatch table */
  const char* plugins;       /* reserved: UNSUPPORTED; "gloo" is found without, see parallelstate_plugin.h */
  const char* nccl_library;  /* path of the NCCL library */
  psLogFunction log;         /* NULL: stderr */
  void* log_user;            /* passed to log */
  int64_t timeout_ms;        /* deadline of operations; default 30 minutes */
  int64_t init_timeout_ms;   /* deadline of psInit; default 5 minutes */
  uint64_t max_object_bytes; /* reserved: cap for a received object; default 1 GiB */
  uint64_t host_buffer_bytes; /* shared memory per rank and communicator, at most; default 4 MiB, less than 64 KiB counts as
                                 that */
  psLogLevel log_level;      /* default PS_LOG_LEVEL (off, error, warn, info, debug, trace), else errors only */
  psCheckMode check_mode;    /* device memory only; default LATE */
} psConfig;

#define PS_CONFIG_INIT                                                                                          \
  {                                                                                                             \
    (uint32_t)sizeof(psConfig), 0u, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,     \
        NULL, NULL, 0, 0, 0u, 0u, 0, 0                                                                          \
  }

/* C b. Joins the world and returns this rank's context; returns on all ranks once all have arrived. config NULL: all
 * from the environment. A process may hold many contexts, of one or of several worlds. Deadline: init_timeout_ms.
 * Errors: TIMEOUT lists who arrived, who did not, and who was refused; DENIED a wrong secret, on the rank that comes to
 * the store; MISMATCH ranks that disagree on the world size or the configuration; PEER_FAILED a rank that ended
 * meanwhile; SYSTEM names the address, and who holds it, or whose job; UNSUPPORTED what this build lacks. */
PS_API psResult psInit(const psConfig* config, psContext* context);

/* L b. Leaves the world: sends that returned PS_OK are still delivered, unfinished operations of this rank end with
 * ABORTED, peers that wait for this rank are told that it left. No peer need call anything; may be called in any order
 * and after failures. Waits at most 5 s on the rank that hosts the store for the others to leave; and, one after the other,
 * for each communicator as long for peers that are in this rank's memory, and between hosts some seconds for peers that do
 * not take what was sent to them. Consumes the handle whatever it returns. Afterwards aborted operations touch no buffer,
 * and handles of the context answer PS_ERR_STATE until freed. */
PS_API psResult psFinalize(psContext context);

/* L q. Fails every group of the context that exists, on all members, with ABORTED and the reason (may be NULL).
 * Idempotent. */
PS_API psResult psAbort(psContext context, const char* reason);

/* This rank's place in the world, and how the context is. */
typedef struct psWorldInfo {
  uint32_t struct_size;
  int32_t rank;               /* the global rank */
  int32_t world_size;         /* of all replicas together */
  int32_t local_rank;         /* the place on its host */
  int32_t local_size;         /* ranks on its host */
  int32_t node;               /* hosts are numbered by their first rank */
  int32_t node_count;         /* hosts in the world */
  int32_t replica;            /* as configured */
  int32_t replica_count;      /* 0: the world is not made of replicas */
  int32_t device_index;       /* -1: none */
  psResult failure;           /* PS_OK, or ABORTED: this rank called psAbort */
  int32_t failed_global_rank; /* PS_NO_RANK: nobody */
  const char* failure_text;   /* "" while there is none */
  const char* layout_spec;    /* NULL: no model-parallel state */
  const char* worker_suffix;  /* "" without model-parallel state */
} psWorldInfo;

#define PS_WORLD_INFO_INIT                                                                                \
  {                                                                                                       \
    (uint32_t)sizeof(psWorldInfo), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL                      \
  }

/* L q. Strings live until psFinalize. */
PS_API psResult psGetWorldInfo(psContext context, psWorldInfo* info);

/* Where a rank is and how it is. */
typedef struct psRankInfo {
  uint32_t struct_size;
  psRankState state;    /* as this rank sees it now */
  int32_t node;         /* its host; see psWorldInfo.node */
  int32_t local_rank;   /* its place on the host */
  int32_t pid;          /* of its process, as its host numbers it */
  int32_t device_index; /* -1: none */
  const char* hostname; /* of its host */
  const char* address;  /* of the process, as its peers see it */
  int64_t silent_ms;    /* time since its last heartbeat; 0 where ranks are threads of this process */
} psRankInfo;

#define PS_RANK_INFO_INIT                                            \
  {                                                                  \
    (uint32_t)sizeof(psRankInfo), 0, 0, 0, 0, 0, NULL, NULL, 0       \
  }

/* L q. One rank's host, process and state. Strings live until psFinalize. ARGUMENT: no such rank in the world. */
PS_API psResult psGetRankInfo(psContext context, int32_t global_rank, psRankInfo* info);

/* L b. JSON: the configuration in force (no secret), ranks, hosts, groups, communicators and their memory, times, and
 * the last operation of every rank on this host. Works on a failed context and beside blocked calls. */
PS_API psResult psDescribe(psContext context, psBytes* json);

/* ---- Store: small shared values ------------------------------------------------------------------------------- */

/* Keys are UTF-8, 1 to 1024 bytes; values at most max_value_bytes. The library's own keys live in a name space that no
 * caller can reach. Every call is thread-safe; TIMEOUT after the store's own deadline, PEER_FAILED when its host is gone. */
typedef struct psStoreOptions {
  uint32_t struct_size;
  uint32_t flags;           /* SERVE, ALLOW_UNAUTHENTICATED (PS_ALLOW_UNAUTHENTICATED is not read) */
  const char* secret;       /* NULL: PS_SECRET, PS_SECRET_FILE, else none */
  const char* network;      /* interface name or address to bind or use; PS_NETWORK is not read */
  int64_t timeout_ms;       /* the store's deadline; default 5 minutes */
  uint64_t max_value_bytes; /* default 64 MiB */
} psStoreOptions;

#define PS_STORE_OPTIONS_INIT                                        \
  {                                                                  \
    (uint32_t)sizeof(psStoreOptions), 0u, NULL, NULL, 0, 0u          \
  }

/* L b. A store without a world. With SERVE this process hosts it (tcp port 0 is bound here), else it is a client.
 * Errors: DENIED; SYSTEM names the port's owner; TIMEOUT nobody answers. */
PS_API psResult psStoreOpen(const char* url, const psStoreOptions* options, psStore* store);

/* L q. The last reference closes it. A served store ends its clients' calls with PS_ERR_CLOSED. */
PS_API psResult psStoreFree(psStore store);

/* L q. The world's store, a counted reference. */
PS_API psResult psGetStore(psContext context, psStore* store);

/* L q. What others pass as url or rendezvous, with the port really bound. Lives until psStoreFree. */
PS_API psResult psStoreAddress(psStore store, const char** url);

/* L b. expire_ms 0 or -1: never. An expired key is absent at once, whoever reads. */
PS_API psResult psStoreSet(psStore store, const char* key, const void* data, size_t size, int64_t expire_ms);

/* L b. Waits until the key exists: this is wait as well as get. timeout_ms -1: the store's; 0: poll. TIMEOUT names the
 * key. The caller frees *value. */
PS_API psResult psStoreGet(psStore store, const char* key, int64_t timeout_ms, psBytes* value);

/* L b. Adds atomically; an absent key counts as 0; *value (may be NULL) is the sum. The key holds decimal text.
 * ARGUMENT: the key holds something else, or the sum overflows. */
PS_API psResult psStoreAdd(psStore store, const char* key, int64_t delta, int64_t* value);

/* L b. Sets the key to `desired` if its value equals `expected` (NULL: if it is absent). *swapped (may be NULL): 1 or 0. */
PS_API psResult psStoreCompareAndSet(psStore store, const char* key, const void* expected, size_t expected_size,
                                     const void* desired, size_t desired_size, int64_t expire_ms, int32_t* swapped);

/* L b. *existed (may be NULL): 1 or 0. */
PS_API psResult psStoreDelete(psStore store, const char* key, int32_t* existed);

/* ---- Groups --------------------------------------------------------------------------------------------------- */

/* What is zero comes from the context. The same on all members: flags, backend and both sizes, else MISMATCH; and the
 * name, else they do not meet. */
typedef struct psGroupOptions {
  uint32_t struct_size;
  uint32_t flags;              /* DETERMINISTIC, OWN_COMMUNICATOR, WARM_UP, HOST_ONLY */
  const char* name;            /* for messages and matching, at most 63 bytes; not for psGetGroup */
  const char* backend;         /* as psConfig.backend; NULL: the context's */
  const char* backend_options; /* "key=value,..."; unknown keys are refused */
  int64_t timeout_ms;          /* deadline of its operations; default the context's */
  uint64_t max_object_bytes;   /* reserved; default the context's */
  uint64_t host_buffer_bytes;  /* default the context's; of a communicator that is shared, its first group's counts */
} psGroupOptions;

#define PS_GROUP_OPTIONS_INIT                                                  \
  {                                                                            \
    (uint32_t)sizeof(psGroupOptions), 0u, NULL, NULL, NULL, 0, 0u, 0u          \
  }

/* L q. A counted reference to a group of the context: "world", and after psInitModelParallel the names and aliases of its
 * layout. NOT_FOUND lists what exists, and says when this rank is in no group of that name. */
PS_API psResult psGetGroup(psContext context, const char* name, psGroup* group);

/* C b, over the listed ranks only. The caller's order of ranks becomes the group's. `count` world ranks, without
 * duplicates, the caller among them. Members that make several groups of one name (or of none) make them in the same
 * order; from different threads at once, use different names. Up to 64 groups with equal lists and backend share a
 * communicator, and with it failures and the order of operations, unless OWN_COMMUNICATOR is set. Deadline: the group's
 * timeout_ms. Errors: MISMATCH lists or options differ between members; PEER_FAILED a member ended, or the process that
 * hosts the store, member or not; CLOSED that one left; TIMEOUT lists who is missing. */
PS_API psResult psNewGroup(psContext context, const int32_t* global_ranks, size_t count, const psGroupOptions* options,
                           psGroup* group);

/* C b, over `group`. Members with equal colour form a part, ordered by (key, rank in group). PS_NO_COLOR: *part becomes
 * NULL and the result is PS_OK; other negative colours are refused. Parts have communicators of their own. Deadline and
 * errors as psNewGroup. */
PS_API psResult psSplitGroup(psGroup group, int32_t color, int32_t key, const psGroupOptions* options, psGroup* part);

/* L b. Drops one reference. The last waits for this rank's unfinished operations (bounded by their deadline), and where it
 * is a communicator's last between hosts, some seconds for peers that do not take what was sent to them; no peer need call
 * anything. A peer's call that would need this rank is then PEER_FAILED, "rank 2 has freed it". */
PS_API psResult psGroupFree(psGroup group);

/* A group as this rank sees it. The fields with `global` are world ranks. */
typedef struct psGroupInfo {
  uint32_t struct_size;
  int32_t rank;               /* this rank's own, 0 .. size - 1 */
  int32_t size;               /* how many members */
  int32_t host_count;         /* 1: all members share a host */
  int32_t global_rank;        /* this rank's own */
  int32_t global_first;       /* of rank 0 */
  int32_t global_last;        /* of rank size - 1 */
  int32_t global_next;        /* circular */
  int32_t global_prev;        /* circular */
  uint32_t flags;             /* those of psGroupOptions that are in force */
  psResult failure;           /* PS_OK, or why the group failed */
  int32_t failed_global_rank; /* PS_NO_RANK: nobody */
  const char* failure_text;   /* "" while there is none */
  const char* name;           /* as given when it was made; "" without one */
  const char* host_backend;   /* NULL: data cannot be moved between the members; an operation's error says why */
  const char* device_backend; /* NULL */
  int64_t timeout_ms;         /* deadline of operations that this rank starts */
} psGroupInfo;

#define PS_GROUP_INFO_INIT                                                                                     \
  {                                                                                                            \
    (uint32_t)sizeof(psGroupInfo), 0, 0, 0, 0, 0, 0, 0, 0, 0u, 0, 0, NULL, NULL, NULL, NULL, 0                 \
  }

/* L q. Also the health check; never blocks. Is-first is rank == 0, is-last rank == size - 1. Strings live until
 * psGroupFree. */
PS_API psResult psGetGroupInfo(psGroup group, psGroupInfo* info);

/* L q. The members' world ranks in group order. */
PS_API psResult psGroupGlobalRanks(psGroup group, int32_t* global_ranks, size_t capacity, size_t* count);

/* L q. World rank to rank in the group. NOT_FOUND: not a member. */
PS_API psResult psGroupFindGlobal(psGroup group, int32_t global_rank, int32_t* rank);

/* L q. For each member 1 when it is on the host of member `source`, else 0; found by psInit: a host is one boot of one
 * machine and one network namespace, and PS_HOST_ID can part it further. */
PS_API psResult psSameHost(psGroup group, int32_t source, int32_t* same, size_t capacity, size_t* count);

/* L q. The deadline of operations that this rank starts later; -1: the context's, 0: ARGUMENT. */
PS_API psResult psGroupSetTimeout(psGroup group, int64_t timeout_ms);

/* L q. Ends blocked calls here and on every member with ABORTED, naming this rank and the reason (may be NULL).
 * Idempotent; may be called while another thread is blocked in the group. */
PS_API psResult psGroupAbort(psGroup group, const char* reason);

/* ---- Layouts --------------------------------------------------------------------------------------------------- */

/*
 * A layout says which ranks of a world form which named groups. It is data: it needs no context, no other rank and no
 * device, is immutable and safe from all threads. All ranks here are world ranks.
 *
 * A spec is text, at most 4 KiB: preset:key=value,... One size may be '*', what is left of the world. Presets:
 *
 *   sglang      tp pp attn_dp attn_cp moe_ep moe_dp dcp shared_experts_tp duplicate_tp
 *   vllm        tp pp pcp dcp dp dcp_rule (pcp_first, tp_adjacent); a product smaller than the world is external data
 *               parallelism
 *   megatron    tp pp cp ep etp gtp egtp vpp distopt hcp (2x2) hybrid order (tp-cp-ep-dp-pp, any case)
 *   trtllm      tp cp pp moe_tp moe_ep
 *   deepspeed   ep tp pp
 *   grid        any axes, the leftmost fastest; views of the same ranks after ';', sharing axes by name:
 *               grid:tp=4,dp=4,pp=2;expert:etp=2,ep=8,pp=2
 *   mesh        any axes, row-major: the rightmost fastest
 *
 * All take rank_offset: ranks below it belong to no group. Group names, their order and the order of members are those
 * of the system a preset is named after. Axes of one grid are merged by '-': "tp-cp". Two specs of equal layouts have
 * one canonical form and one hash.
 */

/* L q. PS_ERR_ARGUMENT names the axis, shows the arithmetic, offers the nearest sizes that work and tells the position in
 * the text. The caller frees *layout. */
PS_API psResult psLayoutCreate(const char* spec, int32_t world_size, psLayout* layout);

/* L q. */
PS_API psResult psLayoutFree(psLayout layout);

/* What a layout is. */
typedef struct psLayoutInfo {
  uint32_t struct_size;
  int32_t world_size; /* how many ranks its world has */
  uint64_t hash;      /* of the canonical spec and the world's size; the same in every build and language */
  size_t name_count;  /* how many names psLayoutName has */
  size_t axis_count;  /* how many axes psLayoutAxis has */
  const char* spec;   /* the canonical form */
} psLayoutInfo;

#define PS_LAYOUT_INFO_INIT                            \
  {                                                    \
    (uint32_t)sizeof(psLayoutInfo), 0, 0u, 0, 0, NULL  \
  }

/* L q. The spec lives until psLayoutFree. */
PS_API psResult psGetLayoutInfo(psLayout layout, psLayoutInfo* info);

/* L q. The name of a kind of groups, index < name_count. *alias_of (may be NULL) is NULL for a name of its own, else the
 * name whose groups these are. Both live until psLayoutFree. */
PS_API psResult psLayoutName(psLayout layout, size_t index, const char** name, const char** alias_of);

/* L q. An axis, index < axis_count, and its size (may be NULL). Those of views are "expert.ep". Lives until
 * psLayoutFree. */
PS_API psResult psLayoutAxis(psLayout layout, size_t index, const char** name, int32_t* size);

/* L q. How many groups a name or merged name has. NOT_FOUND lists the names. */
PS_API psResult psLayoutGroupCount(psLayout layout, const char* name, size_t* count);

/* L q. The members of one group, in their order; index < the name's number of groups. */
PS_API psResult psLayoutGroupRanks(psLayout layout, const char* name, size_t index, int32_t* global_ranks,
                                   size_t capacity, size_t* count);

/* L q. The group of that name that has the rank: its index and the rank's place in it (each may be NULL). NOT_FOUND: the
 * rank is in none. */
PS_API psResult psLayoutFind(psLayout layout, const char* name, int32_t global_rank, size_t* index, int32_t* rank);

/* L q. A rank's coordinate on an axis, "ep" or "expert.ep". NOT_FOUND lists the axes, or the rank is below rank_offset. */
PS_API psResult psLayoutCoordinate(psLayout layout, const char* axis, int32_t global_rank, int32_t* coordinate);

/* L q. JSON: spec, world, hash (hexadecimal text), axes, groups (name to lists of ranks), aliases. The caller frees *json.
 * UNSUPPORTED when that would be more than 1 GiB of text; psLayoutGroupRanks and psLayoutFind have no such limit. */
PS_API psResult psLayoutDescribe(psLayout layout, psBytes* json);

/* L q. JSON: {"equal": true}, or the keys and groups that differ. The caller frees *json. */
PS_API psResult psLayoutDiff(psLayout layout, psLayout other, psBytes* json);

/* L q. Which layers each pipeline stage holds: stage s has [boundaries[s], boundaries[s + 1]), boundaries is
 * [stages + 1]. What does not divide evenly goes by rule: "sglang" one more to each of the last stages, "vllm" to the
 * stages before the last one, backwards. partition NULL, or [stages] numbers of layers. ARGUMENT shows the sum. */
PS_API psResult psPipelineLayers(const char* rule, int64_t layers, int32_t stages, const int64_t* partition,
                                 int64_t* boundaries);

/* L q. Part `index` of `total` in equal parts: [*begin, *end). ARGUMENT when parts does not divide total. */
PS_API psResult psShardRange(int64_t total, int32_t parts, int32_t index, int64_t* begin, int64_t* end);

/* ---- Model-parallel state --------------------------------------------------------------------------------------- */

/* What is zero comes from the context. */
typedef struct psModelParallelOptions {
  uint32_t struct_size;
  uint32_t flags;              /* DETERMINISTIC, WARM_UP, HOST_ONLY: of all its groups */
  const char* backend_options; /* per group name, "tp:key=value,...;dp:..."; unknown names and keys are refused */
  int64_t timeout_ms;          /* deadline of their operations; default the context's */
} psModelParallelOptions;

#define PS_MODEL_PARALLEL_OPTIONS_INIT                      \
  {                                                         \
    (uint32_t)sizeof(psModelParallelOptions), 0u, NULL, 0   \
  }

/* C b, over the world. Makes every group of the layout in one step; psGetGroup gives them by name. Ranks agree on the
 * layout first, and must on flags. Equal member lists share a communicator, a group of one costs nothing; memory is touched
 * at first use, or now with WARM_UP. `spec` NULL or "": that of PS_LAYOUT. Deadline: the context's init_timeout_ms. Errors:
 * ARGUMENT as psLayoutCreate; STATE there is one already; MISMATCH "rank 3 says tp=4, rank 0 says tp=2"; PEER_FAILED a rank
 * ended, or the process that hosts the store; CLOSED that one left; TIMEOUT lists who is missing. */
PS_API psResult psInitModelParallel(psContext context, const char* spec, const psModelParallelOptions* options);

/* C b when there is none yet: psInitModelParallel. Else L q: PS_OK when the layout is the same, STATE showing the
 * difference. */
PS_API psResult psEnsureModelParallel(psContext context, const char* spec, const psModelParallelOptions* options);

/* L q. *initialized: 1 or 0. */
PS_API psResult psModelParallelIsInitialized(psContext context, int32_t* initialized);

/* L b. Drops the context's references to the groups of the layout, which are freed unless the caller holds them too (see
 * psGroupFree). Without one: PS_OK. Another psInitModelParallel may follow. */
PS_API psResult psDestroyModelParallel(psContext context);

/* ---- Collectives ---------------------------------------------------------------------------------------------- */

/*
 * All C; b where work is NULL, else q. `count` is in elements of `dtype`. Every function moves every type; reductions
 * take the types in the table at psReduceOp, others are UNSUPPORTED. Zero counts are legal, take their place in the order
 * and are checked; their buffers may be NULL. In a group of one an operation is a copy, but for its arithmetic: PREMUL_SUM
 * multiplies, and the logical ones write 0 or 1.
 *
 * Offsets are in elements; NULL means packed. Received blocks must not overlap.
 *
 * Input is read at `send`, output written at `recv`. They may be the same memory only so (block r: the part of rank r),
 * any other overlap is PS_ERR_ARGUMENT naming the pointer that would be right:
 *   all_reduce, all_to_all; reduce and broadcast at the root;
 *     all_to_all_v when both count and offset arrays are equal                       send == recv
 *   all_gather, all_gather_v; gather and gather_v at the root                        send == own block of recv
 *   reduce_scatter, reduce_scatter_v; scatter and scatter_v at the root              recv == own block of send
 *
 * Algorithms on one host: up to 8 to 64 KiB, by operation and ranks, a flat one-shot exchange with the flag in the data
 * line, for many ranks up to 256 bytes a tree of leaders. Above it what only copies goes from buffer to buffer, up to 8 to
 * 32 MiB, where processes reach each other's memory and that is faster, but for the *_v and a broadcast to more than one;
 * the rest in a pipeline of pieces without barriers between them, all_reduce in two shots (reduce-scatter, then all-gather). They follow
 * the shared-memory designs surveyed in docs/architecture.md; `psctl info --dispatch` prints which runs when.
 */

/* count in, count out. */
PS_API psResult psAllReduce(psGroup group, const void* send, void* recv, size_t count, psDataType dtype, psReduceOp op,
                            void* stream, psWork* work);

/* count in, count out at root; recv may be NULL elsewhere. */
PS_API psResult psReduce(psGroup group, const void* send, void* recv, size_t count, psDataType dtype, psReduceOp op,
                         int32_t root, void* stream, psWork* work);

/* count from root's send (may be NULL elsewhere) to recv on every rank. */
PS_API psResult psBroadcast(psGroup group, const void* send, void* recv, size_t count, psDataType dtype, int32_t root,
                            void* stream, psWork* work);

/* count from each rank, size * count out, in group order. */
PS_API psResult psAllGather(psGroup group, const void* send, void* recv, size_t count, psDataType dtype, void* stream,
                            psWork* work);

/* recv_counts [size], equal on all ranks, own entry == send_count; recv_offsets [size] or NULL. */
PS_API psResult psAllGatherV(psGroup group, const void* send, size_t send_count, void* recv, const size_t* recv_counts,
                             const size_t* recv_offsets, psDataType dtype, void* stream, psWork* work);

/* count from each, size * count at root; recv may be NULL elsewhere. */
PS_API psResult psGather(psGroup group, const void* send, void* recv, size_t count, psDataType dtype, int32_t root,
                         void* stream, psWork* work);

/* recv, recv_counts [size], recv_offsets [size] or NULL: used at root only. recv_counts[r] must be rank r's send_count. */
PS_API psResult psGatherV(psGroup group, const void* send, size_t send_count, void* recv, const size_t* recv_counts,
                          const size_t* recv_offsets, psDataType dtype, int32_t root, void* stream, psWork* work);

/* size * count at root (send may be NULL elsewhere), count to each. */
PS_API psResult psScatter(psGroup group, const void* send, void* recv, size_t count, psDataType dtype, int32_t root,
                          void* stream, psWork* work);

/* send, send_counts [size], send_offsets [size] or NULL: used at root only. send_counts[r] must be rank r's recv_count. */
PS_API psResult psScatterV(psGroup group, const void* send, const size_t* send_counts, const size_t* send_offsets,
                           void* recv, size_t recv_count, psDataType dtype, int32_t root, void* stream, psWork* work);

/* size * count in, count out. */
PS_API psResult psReduceScatter(psGroup group, const void* send, void* recv, size_t count, psDataType dtype,
                                psReduceOp op, void* stream, psWork* work);

/* counts [size], equal on all ranks; send holds their sum, packed; counts[rank] out. */
PS_API psResult psReduceScatterV(psGroup group, const void* send, void* recv, const size_t* counts, psDataType dtype,
                                 psReduceOp op, void* stream, psWork* work);

/* size * count in and out; block q goes to rank q. */
PS_API psResult psAllToAll(psGroup group, const void* send, void* recv, size_t count, psDataType dtype, void* stream,
                           psWork* work);

/* All four arrays [size]; offsets may be NULL. send_counts[q] here must be recv_counts[own rank] on rank q. */
PS_API psResult psAllToAllV(psGroup group, const void* send, const size_t* send_counts, const size_t* send_offsets,
                            void* recv, const size_t* recv_counts, const size_t* recv_offsets, psDataType dtype,
                            void* stream, psWork* work);

/* Returns when all members have called it. Does not wait for device streams. For a limit of its own use a work and
 * psWorkWait, whose TIMEOUT text lists who is missing and which harms nothing. */
PS_API psResult psBarrier(psGroup group, psWork* work);

/* L q. A reduction that multiplies this rank's input by *scalar first. kind is PS_PREMUL_SUM; dtype a float type; scalar
 * a float, for PS_FLOAT64 a double, read now. Ranks match by kind; each uses its own scalar. Belongs to group and dtype. */
PS_API psResult psReduceOpCreate(psGroup group, psReduceOp kind, psDataType dtype, const void* scalar, psReduceOp* op);

/* L q. Operations in flight keep it. Freed with the group otherwise. */
PS_API psResult psReduceOpFree(psGroup group, psReduceOp op);

/* ---- Memory ---------------------------------------------------------------------------------------------------- */

/* On one host a group's collectives of 8 KiB and more (mostly 32 where ranks share CPUs) use buffers that lie anywhere in
 * what these functions gave it where they are: one pass and no copy through the library's own buffers (all_reduce where all
 * members' lie there). Not so gather_v, scatter_v, all_to_all_v, an all_to_all in place, what goes in a tree, and messages.
 * Nothing else changes, and members need not agree on it: what lies elsewhere is served as usual. Also when an operation
 * fails it ends on a rank only when no member is in that rank's buffers any more; a member that was stopped (SIGSTOP) just
 * there is waited for 5 s, and may read and write them when it is continued. Errors of all four, which do not fail the
 * group: PEER_FAILED a member ended, or the process that hosts the store; CLOSED that one left; TIMEOUT after the group's
 * deadline; MISMATCH when members call different ones of them, or with different arguments. */

/* C b. `size` bytes of zeroed memory for each member, which all members on its host reach; *memory is this rank's part,
 * on a page boundary. Pages are taken now. `size` is the same on all; 0 gives a pointer to free. `device`:
 * PS_DEVICE_HOST. Freed by psMemFree, else with the last handle of its group, also after psFinalize. Errors: NO_MEMORY,
 * SYSTEM of any member, on all of them; UNSUPPORTED another device. */
PS_API psResult psMemAlloc(psGroup group, size_t size, psDeviceType device, void** memory);

/* C b. Waits for this rank's asynchronous operations first. On a failed group: L q. ARGUMENT: not from psMemAlloc on
 * this group, or freed before. */
PS_API psResult psMemFree(psGroup group, void* memory);

/* C b. Adds a range of each member; sizes may differ, and may be 0 (`memory` may be NULL then). It stays the caller's.
 * Between processes the ranges of all members must lie in memory of one psMemAlloc, on any group of this context that has
 * all these members; between threads of one process any memory will do. Errors: UNSUPPORTED says whose range does not, on
 * all members. */
PS_API psResult psGroupRegister(psGroup group, void* memory, size_t size);

/* C b. As psMemFree, of what psGroupRegister added; the memory stays. */
PS_API psResult psGroupDeregister(psGroup group, void* memory);

/* ---- Point-to-point ------------------------------------------------------------------------------------------- */

/* P b. Tags are >= 0. May return before the message is received; never rely on it. To oneself: legal with a receive
 * posted (asynchronously, or in the same batch or send_recv); a blocking one without is STATE. */
PS_API psResult psSend(psGroup group, const void* send, size_t count, psDataType dtype, int32_t dst, int32_t tag,
                       void* stream, psWork* work);

/* P b. count and dtype must equal the sender's, else MISMATCH naming both. */
PS_API psResult psRecv(psGroup group, void* recv, size_t count, psDataType dtype, int32_t src, int32_t tag, void* stream,
                       psWork* work);

/* P b. Both at once, free of deadlock in a ring. The buffers must not overlap. */
PS_API psResult psSendRecv(psGroup group, const void* send, size_t send_count, int32_t dst, void* recv,
                           size_t recv_count, int32_t src, psDataType dtype, int32_t tag, void* stream, psWork* work);

/* One message of psBatch. */
typedef struct psMessage {
  uint32_t struct_size;
  psDirection direction; /* required */
  void* buffer;          /* not written for PS_SEND */
  size_t count;          /* in elements */
  psDataType dtype;      /* required */
  int32_t peer;          /* the rank to send to or receive from */
  int32_t tag;           /* >= 0 */
  uint32_t flags;        /* 0 */
} psMessage;

#define PS_MESSAGE_INIT                                   \
  {                                                       \
    (uint32_t)sizeof(psMessage), 0, NULL, 0, 0, 0, 0, 0u  \
  }

/* P b. All start together; the order within a (peer, tag) is the array's; one work for all. Messages must not overlap.
 * All entries have the same struct_size, which is the stride. */
PS_API psResult psBatch(psGroup group, const psMessage* messages, size_t count, void* stream, psWork* work);

/* ---- Work ----------------------------------------------------------------------------------------------------- */

/* L q. PS_OK complete, PS_IN_PROGRESS, or the operation's error. */
PS_API psResult psWorkTest(psWork work);

/* L b. PS_OK: the data is there. TIMEOUT while psWorkTest says PS_IN_PROGRESS: only this wait ran out, nothing failed, the
 * text says who is missing. */
PS_API psResult psWorkWait(psWork work, int64_t timeout_ms);

/* L b. Later work on `stream` runs after the operation. For host memory the same as psWorkWait. */
PS_API psResult psWorkOrder(psWork work, void* stream, int64_t timeout_ms);

/* L q. The operation's error text, "" while there is none. Valid until psWorkFree; also after psFinalize. */
PS_API psResult psWorkError(psWork work, const char** text);

/* L b. An unfinished operation is waited for (bounded by its deadline); after it the library touches no buffer of it. */
PS_API psResult psWorkFree(psWork work);

#ifdef __cplusplus
}
#endif

#endif /* PARALLELSTATE_H */
