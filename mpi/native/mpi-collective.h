/**
 * What the collectives share: their buffers, and the three forms of every call.
 *
 * Sizes have been compared in TypeScript, which both these and the one-rank communicator go
 * through; here they are only handed on.
 */
#ifndef MPI_COLLECTIVE_H
#define MPI_COLLECTIVE_H

#include "mpi-addon.h"

/**
 * Persistent collectives of the library: of Open MPI 5, or under another name as an extension of
 * Open MPI 4. Those of MPICH 4.0 copy local data when they are prepared, not when they are started,
 * and some hang; there, and elsewhere, TypeScript starts a nonblocking collective in their place.
 */
#if defined(OPEN_MPI) && OMPI_MAJOR_VERSION >= 5
#define HAS_PERSISTENT_COLLECTIVES 1
#define INIT_OF(name) MPI_##name##_init
#elif defined(OPEN_MPI)
#include <mpi-ext.h>
#if defined(OMPI_HAVE_MPI_EXT_PCOLLREQ) && OMPI_HAVE_MPI_EXT_PCOLLREQ
#define HAS_PERSISTENT_COLLECTIVES 1
#define INIT_OF(name) MPIX_##name##_init
#endif
#endif

/** Forms of a call. */
typedef enum { FORM_BLOCKING = 0, FORM_NONBLOCKING = 1, FORM_PERSISTENT = 2 } collective_form;

#ifdef HAS_PERSISTENT_COLLECTIVES
#define LAST_FORM FORM_PERSISTENT
#else
#define LAST_FORM FORM_NONBLOCKING
#endif

/** A call that is being made. */
typedef struct {
  napi_env env;
  addon_context *context;
  const char *name;
  MPI_Comm comm;
  int ranks; /* that data goes to and comes from */
  int size;  /* of the own group */
  bool is_inter;
  int kind;
  collective_form form;
  mpi_buffer send;
  mpi_buffer recv;
  MPI_Request *request; /* NULL in a blocking call */
  int64_t handle;       /* of the request */
  napi_value kept;      /* array of what the request keeps alive */
} collective_call;

/** One of the forms of a call, with the same arguments. */
#ifdef HAS_PERSISTENT_COLLECTIVES
#define ONE_OF(call, blocking, nonblocking, ...)                                                   \
  ((call)->form == FORM_BLOCKING ? MPI_##blocking(__VA_ARGS__)                                     \
   : (call)->form == FORM_NONBLOCKING                                                              \
       ? MPI_##nonblocking(__VA_ARGS__, (call)->request)                                           \
       : INIT_OF(blocking)(__VA_ARGS__, MPI_INFO_NULL, (call)->request))
#else
#define ONE_OF(call, blocking, nonblocking, ...)                                                   \
  ((call)->form == FORM_BLOCKING ? MPI_##blocking(__VA_ARGS__)                                     \
                                 : MPI_##nonblocking(__VA_ARGS__, (call)->request))
#endif

/** Reads (comm, kind, form, ...); `values` has `count` of them. */
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
