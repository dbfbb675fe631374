/**
 * What all parts of the MPI addon share: its context, its error choke point, its buffers.
 *
 * One source tree is compiled once per MPI library (Open MPI, MPICH, another). The addon exposes
 * plain functions over numbers and buffers; argument checks and the public API are in TypeScript.
 *
 * Threads: each JavaScript environment has its own `addon_context`; only the state of MPI itself
 * (`mpi_phase`) is shared by all threads of the process.
 */
#ifndef MPI_ADDON_H
#define MPI_ADDON_H

#include "handles.h"
#include "napi-args.h"

#include <mpi.h>
#include <stdatomic.h>

typedef enum { PHASE_BEFORE_INIT = 0, PHASE_ACTIVE = 1, PHASE_FINALIZED = 2 } mpi_phase_value;

/** Where this process is between MPI_Init and MPI_Finalize. */
extern atomic_int mpi_phase;

/** Memory as MPI sees it. */
typedef struct {
  void *data;
  int count; /* elements */
  MPI_Datatype type;
  int element_size; /* bytes */
} mpi_buffer;

typedef struct {
  handle_table handles;
  napi_ref error_factory; /* (call, code, class, className, text) => MpiError */
  napi_ref status_array;
  MPI_Op user_operations[2]; /* not commutative, commutative; see has_user_operation */
  bool has_user_operation[2];
  MPI_Group everyone; /* all processes that this thread has met: see mpi-group.c */
  bool has_everyone;
  double *status; /* the fields below, shared with TypeScript */
  mpi_buffer sent, received; /* of the last blocking send and receive: see send_again */
} addon_context;

/** Values that TypeScript uses for every library; ranks and tags are translated on the way. */
enum { ANY_SOURCE = -1, PROC_NULL = -2, ROOT = -3, ANY_TAG = -1 };

static inline int library_rank(int rank) {
  if (rank >= 0)
    return rank;
  return rank == ANY_SOURCE ? MPI_ANY_SOURCE : rank == PROC_NULL ? MPI_PROC_NULL : rank;
}

static inline int library_root(int root) {
  return root == ROOT ? MPI_ROOT : root == PROC_NULL ? MPI_PROC_NULL : root;
}

static inline int library_tag(int tag) { return tag == ANY_TAG ? MPI_ANY_TAG : tag; }

/** Throws an MpiError for an error code that an MPI function returned. */
void throw_library_error(napi_env env, addon_context *context, const char *call, int code);

/** Throws an MpiError for a mistake of the caller; `class_name` is its code, such as MPI_ERR_COMM.
 */
void throw_usage_error(napi_env env, addon_context *context, const char *call,
                       const char *class_name, const char *text);

/** The choke point: every MPI call goes through here. */
static inline bool check(napi_env env, addon_context *context, const char *call, int code) {
  if (code == MPI_SUCCESS)
    return true;
  throw_library_error(env, context, call, code);
  return false;
}

/** Finds a live communicator, or throws (freed handle, before init, after finalize). */
communicator_slot *communicator_argument(napi_env env, addon_context *context, const char *call,
                                         napi_value value);

/**
 * The numbers in the array that is shared with TypeScript: the status of what completed last, and the
 * arguments of `sendAgain` and `recvAgain`.
 */
enum {
  STATUS_SOURCE,
  STATUS_TAG,
  STATUS_BYTES,
  STATUS_CANCELLED,
  CALL_COMM,
  CALL_RANK,
  CALL_TAG,
  STATUS_FIELD_COUNT
};

/** Writes a status where TypeScript reads it. */
void store_status(addon_context *context, const MPI_Status *status);

/** The status of what received nothing: a send, an inactive request. */
void store_empty_status(addon_context *context);

/**
 * Where a buffer is that has no memory: libraries refuse NULL also where they read nothing. One
 * that is not significant on this rank is at `absent_memory`, one without elements at
 * `empty_memory`.
 */
extern char absent_memory, empty_memory;

/**
 * What MPI is told of a buffer's elements.
 *
 * Messages go as bytes, where MPI can count them (below 2 GiB): a message and its receive buffer
 * may then differ in element type, which some libraries answer with a failed assertion otherwise.
 * In reductions, Uint8Array holds numbers, because MPI_BYTE has no sum.
 */
typedef enum { AS_BYTES, AS_ELEMENTS, AS_NUMBERS } element_meaning;

/**
 * Reads a typed array, DataView or ArrayBuffer, or a description { buffer, offset, count, type } of
 * elements of a datatype in one; the memory belongs to the caller's object. TypeScript has checked
 * that the elements lie inside.
 */
bool buffer_argument(napi_env env, addon_context *context, const char *call, napi_value value,
                     element_meaning meaning, mpi_buffer *buffer);

/** As above; null is MPI_IN_PLACE, undefined is a buffer that is not significant on this rank. */
bool optional_buffer_argument(napi_env env, addon_context *context, const char *call,
                              napi_value value, element_meaning meaning, mpi_buffer *buffer);

/** Finds a live object of a kind, or throws; `class_name` is the error's code. */
handle_slot *find_object(napi_env env, addon_context *context, const char *call, int64_t handle,
                         handle_kind kind, const char *class_name);

/** As above, from an argument. */
handle_slot *object_argument(napi_env env, addon_context *context, const char *call,
                             napi_value value, handle_kind kind, const char *class_name);

/** Takes a request's slot and a reference to its buffers, before the operation starts. */
request_slot *open_request(napi_env env, addon_context *context, const char *call,
                           napi_value buffers, bool receives, int64_t *handle);

/** The handle of an operation that was started; or its error, and the slot is given back. */
napi_value request_result(napi_env env, addon_context *context, const char *call, int code,
                          int64_t handle);

/** Gives a new communicator a handle; MPI_COMM_NULL becomes undefined. */
napi_value communicator_result(napi_env env, addon_context *context, MPI_Comm comm,
                               bool predefined);

/** Lets go of every request that nobody waited for, so that MPI_Finalize can run. */
void abandon_requests(addon_context *context);

/** Gives all datatypes back: some libraries complain of those that MPI_Finalize finds. */
void free_datatypes(addon_context *context);

/** Closes the files that the program left open, which some libraries need before MPI_Finalize. */
void close_files(addon_context *context);
/** Detaches the memory of all windows, which MPI_Finalize may take away. */
void close_windows(napi_env env, addon_context *context);

/** Gives back what groups are compared by. */
void free_everyone(addon_context *context);

/** Reads [key, value, key, value, ...], or undefined as MPI_INFO_NULL; to be freed by free_info. */
bool info_argument(napi_env env, addon_context *context, const char *call, napi_value value,
                   MPI_Info *info);

void free_info(MPI_Info *info);

/** What is in an info, as [key, value, key, value, ...]. */
napi_value info_result(napi_env env, addon_context *context, const char *call, MPI_Info info);

/** Reads a string; the result is to be freed, NULL after an exception. */
char *string_argument(napi_env env, napi_value value);

/** Reads an operation of the standard by its place in OP_NAMES; MPI_OP_NULL for none. */
MPI_Op built_in_operation(int index);

/** Gives back what reductions by a function of JavaScript were made with. */
void free_operations(addon_context *context);

/** A function of the addon's table. */
typedef struct {
  const char *name;
  napi_callback call;
} addon_function;

/** Each part's functions, ended by a row of NULLs. */
extern const addon_function environment_functions[];
extern const addon_function communicator_functions[];
extern const addon_function datatype_functions[];
extern const addon_function group_functions[];
extern const addon_function point_to_point_functions[];
extern const addon_function probe_functions[];
extern const addon_function request_functions[];
extern const addon_function collective_functions[];
extern const addon_function vector_functions[];
extern const addon_function reduction_functions[];
extern const addon_function file_functions[];
extern const addon_function file_access_functions[];
extern const addon_function info_functions[];
extern const addon_function topology_functions[];
extern const addon_function process_functions[];
extern const addon_function window_functions[];
extern const addon_function rma_functions[];

#endif
