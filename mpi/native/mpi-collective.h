/**
 * What the collectives share: their buffers, and the two forms of every call.
 *
 * Sizes have been compared in TypeScript, which both these and the one-rank communicator go
 * through; here they are only handed on.
 */
#ifndef MPI_COLLECTIVE_H
#define MPI_COLLECTIVE_H

#include "mpi-addon.h"

/** A call that is being made. */
typedef struct {
  napi_env env;
  addon_context *context;
  const char *name;
  MPI_Comm comm;
  int ranks;
  int kind;
  bool is_nonblocking;
  mpi_buffer send;
  mpi_buffer recv;
  MPI_Request *request; /* NULL in a blocking call */
  int64_t handle;       /* of the request */
  napi_value kept;      /* array of what the request keeps alive */
} collective_call;

/** The blocking or the nonblocking form of a call, with the same arguments. */
#define EITHER(call, blocking, nonblocking, ...)                                                   \
  ((call)->request ? nonblocking(__VA_ARGS__, (call)->request) : blocking(__VA_ARGS__))

/** Reads (comm, kind, isNonblocking, ...); `values` has `count` of them. */
bool open_collective(napi_env env, napi_callback_info info, size_t count, napi_value *values,
                     const char *const *names_of_kinds, int kind_count, collective_call *call);

/** Reads the two buffers; null is MPI_IN_PLACE, undefined is one that is not significant here. */
bool collective_buffers(collective_call *call, napi_value *values, element_meaning meaning);

/** Before the library is called, and after all arguments were read: takes the request's slot. */
bool start_collective(collective_call *call);

/** After the library was called: its error, the request's handle, or nothing. */
napi_value end_collective(collective_call *call, int code);

/** Keeps a value alive until the request has completed. */
void keep_for_collective(collective_call *call, napi_value value);

#endif
