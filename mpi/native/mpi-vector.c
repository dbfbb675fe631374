/**
 * Collectives of contributions that differ: in length, in place, in datatype.
 *
 * Lists of a nonblocking call are the caller's arrays, which its request keeps; those that the
 * library wants in another form are made in ArrayBuffers, whose memory does not move.
 */
#include "mpi-collective.h"

/** Calls in the order of VECTOR_KINDS in collective-transport.ts. DO NOT REORDER without it. */
enum {
  GATHERV,
  SCATTERV,
  ALLGATHERV,
  ALLTOALLV,
  ALLTOALLW,
  NEIGHBOR_ALLGATHERV,
  NEIGHBOR_ALLTOALLV,
  NEIGHBOR_ALLTOALLW,
  VECTOR_KIND_COUNT
};

static const char *const names[VECTOR_KIND_COUNT] = {"MPI_Gatherv",
                                                     "MPI_Scatterv",
                                                     "MPI_Allgatherv",
                                                     "MPI_Alltoallv",
                                                     "MPI_Alltoallw",
                                                     "MPI_Neighbor_allgatherv",
                                                     "MPI_Neighbor_alltoallv",
                                                     "MPI_Neighbor_alltoallw"};

/** One side of a call: either a count, or lists. */
typedef struct {
  int count;
  const int *counts;
  const int *displs;
  size_t list_length;
  MPI_Datatype *types;
  MPI_Aint *addresses; /* displs, for neighbours */
} side;

static bool has_lists(int kind, bool sends) {
  switch (kind) {
  case GATHERV:
  case ALLGATHERV:
  case NEIGHBOR_ALLGATHERV:
    return !sends;
  case SCATTERV:
    return sends;
  default:
    return true;
  }
}

/** Memory that the call, or its request, keeps. */
static void *kept_memory(collective_call *call, size_t size) {
  napi_value value;
  void *data = NULL;
  if (!succeeded(call->env, napi_create_arraybuffer(call->env, size > 0 ? size : 1, &data, &value)))
    return NULL;
  keep_for_collective(call, value);
  return data;
}

/** Reads the datatypes (handles, Float64Array) of an alltoallw. */
static bool read_types(collective_call *call, napi_value value, side *lists) {
  napi_typedarray_type type;
  size_t count = 0;
  void *data = NULL;
  napi_status found = napi_get_typedarray_info(call->env, value, &type, &count, &data, NULL, NULL);
  bool is_sound = type == napi_float64_array && count == lists->list_length;
  if (!succeeded(call->env, found == napi_ok && !is_sound ? napi_invalid_arg : found))
    return false;
  lists->types = kept_memory(call, sizeof(MPI_Datatype) * count);
  lists->addresses = kept_memory(call, sizeof(MPI_Aint) * count);
  if (!lists->types || !lists->addresses)
    return false;
  const double *handles = data;
  for (size_t i = 0; i < count; i++) {
    handle_slot *slot = handle_find(&call->context->handles, HANDLE_DATATYPE, (int64_t)handles[i]);
    if (!slot) {
      throw_usage_error(call->env, call->context, call->name, "MPI_ERR_TYPE",
                        "a datatype has been freed or is none");
      return false;
    }
    lists->types[i] = slot->as.datatype.type;
    lists->addresses[i] = lists->displs[i];
  }
  return true;
}

/** Reads (count or counts, displs, types) of one side; undefined where they are not significant. */
static bool read_side(collective_call *call, napi_value *values, side *lists) {
  *lists = (side){0};
  napi_valuetype given = type_of(call->env, values[0]);
  if (given == napi_undefined)
    return true;
  if (given == napi_number)
    return int_argument(call->env, values[0], &lists->count);
  size_t displ_count = 0;
  if (!int32_array_argument(call->env, values[0], &lists->counts, &lists->list_length) ||
      !int32_array_argument(call->env, values[1], &lists->displs, &displ_count))
    return false;
  bool is_sound = displ_count == lists->list_length &&
                  (call->kind >= NEIGHBOR_ALLGATHERV || displ_count == (size_t)call->ranks);
  if (!succeeded(call->env, is_sound ? napi_ok : napi_invalid_arg))
    return false;
  keep_for_collective(call, values[0]);
  keep_for_collective(call, values[1]);
  return type_of(call->env, values[2]) == napi_undefined || read_types(call, values[2], lists);
}

static int run_all_to_all(collective_call *c, const side *s, const side *r) {
  void *out = c->send.data, *in = c->recv.data;
  MPI_Datatype sent = c->send.type, received = c->recv.type;
  switch (c->kind) {
  case ALLTOALLV:
    return ONE_OF(c, Alltoallv, Ialltoallv, out, s->counts, s->displs, sent, in, r->counts,
                  r->displs, received, c->comm);
  case ALLTOALLW:
    return ONE_OF(c, Alltoallw, Ialltoallw, out, s->counts, s->displs, s->types, in, r->counts,
                  r->displs, r->types, c->comm);
  case NEIGHBOR_ALLTOALLV:
    return ONE_OF(c, Neighbor_alltoallv, Ineighbor_alltoallv, out, s->counts, s->displs, sent, in,
                  r->counts, r->displs, received, c->comm);
  case NEIGHBOR_ALLTOALLW:
    return ONE_OF(c, Neighbor_alltoallw, Ineighbor_alltoallw, out, s->counts, s->addresses,
                  s->types, in, r->counts, r->addresses, r->types, c->comm);
  default:
    return MPI_ERR_ARG;
  }
}

static int run_vector(collective_call *c, const side *s, const side *r, int root) {
  void *out = c->send.data, *in = c->recv.data;
  MPI_Datatype sent = c->send.type, received = c->recv.type;
  /* MPICH 4.0 ignores displs of an allgatherv of one rank. */
  int kind = c->kind == ALLGATHERV && c->ranks == 1 && !c->is_inter ? GATHERV : c->kind;
  switch (kind) {
  case GATHERV:
    return ONE_OF(c, Gatherv, Igatherv, out, s->count, sent, in, r->counts, r->displs, received,
                  root, c->comm);
  case SCATTERV:
    return ONE_OF(c, Scatterv, Iscatterv, out, s->counts, s->displs, sent, in, r->count, received,
                  root, c->comm);
  case ALLGATHERV:
    return ONE_OF(c, Allgatherv, Iallgatherv, out, s->count, sent, in, r->counts, r->displs,
                  received, c->comm);
  case NEIGHBOR_ALLGATHERV:
    return ONE_OF(c, Neighbor_allgatherv, Ineighbor_allgatherv, out, s->count, sent, in, r->counts,
                  r->displs, received, c->comm);
  default:
    return run_all_to_all(c, s, r);
  }
}

/** Whether what the library will read is there. */
static bool is_complete(collective_call *call, const side *lists, bool sends) {
  const mpi_buffer *buffer = sends ? &call->send : &call->recv;
  bool is_significant =
      buffer->data != MPI_IN_PLACE && (buffer->data != &absent_memory || lists->counts);
  bool needs_types = call->kind == ALLTOALLW || call->kind == NEIGHBOR_ALLTOALLW;
  bool is_whole = !is_significant || !has_lists(call->kind, sends) || lists->counts != NULL;
  if (needs_types && is_significant)
    is_whole = is_whole && lists->types != NULL;
  return succeeded(call->env, is_whole ? napi_ok : napi_invalid_arg);
}

/**
 * vectorCollective(comm, kind, form, send, recv, sendCounts, sendDispls, sendTypes,
 * recvCounts, recvDispls, recvTypes, root): a number in place of a list is the count of a side
 * without lists.
 */
static napi_value vector_collective(napi_env env, napi_callback_info info) {
  napi_value values[12];
  collective_call call;
  side send, recv;
  int root;
  if (!open_collective(env, info, 12, values, names, VECTOR_KIND_COUNT, &call) ||
      !collective_buffers(&call, values + 3, AS_ELEMENTS) || !read_side(&call, values + 5, &send) ||
      !read_side(&call, values + 8, &recv) || !int_argument(env, values[11], &root) ||
      !is_complete(&call, &send, true) || !is_complete(&call, &recv, false) ||
      !start_collective(&call))
    return NULL;
  return end_collective(&call, run_vector(&call, &send, &recv, library_root(root)));
}

const addon_function vector_functions[] = {{"vectorCollective", vector_collective}, {NULL, NULL}};
