/**
 * Collectives. Sizes have been compared in TypeScript, which both this and the one-rank
 * communicator go through; here they are only handed on.
 */
#include "mpi-addon.h"

/** Operations in the order of `Op` in constants.ts. DO NOT REORDER without that file. */
static MPI_Op operation(int index) {
  const MPI_Op operations[] = {MPI_MAX,  MPI_MIN, MPI_SUM, MPI_PROD, MPI_LAND,
                               MPI_BAND, MPI_LOR, MPI_BOR, MPI_LXOR, MPI_BXOR};
  const int count = sizeof(operations) / sizeof(operations[0]);
  return index >= 0 && index < count ? operations[index] : MPI_OP_NULL;
}

static communicator_slot *open_call(napi_env env, napi_callback_info info, const char *call,
                                    size_t count, napi_value *values, addon_context **context) {
  if (!arguments(env, info, count, values, (void **)context))
    return NULL;
  return communicator_argument(env, *context, call, values[0]);
}

static napi_value barrier(napi_env env, napi_callback_info info) {
  napi_value values[1];
  addon_context *context;
  communicator_slot *slot = open_call(env, info, "MPI_Barrier", 1, values, &context);
  if (slot)
    check(env, context, "MPI_Barrier", MPI_Barrier(slot->comm));
  return NULL;
}

/** bcast(handle, buffer, root) */
static napi_value bcast(napi_env env, napi_callback_info info) {
  napi_value values[3];
  addon_context *context;
  mpi_buffer buffer;
  int root;
  communicator_slot *slot = open_call(env, info, "MPI_Bcast", 3, values, &context);
  if (!slot || !buffer_argument(env, context, "MPI_Bcast", values[1], AS_BYTES, &buffer) ||
      !int_argument(env, values[2], &root))
    return NULL;
  check(env, context, "MPI_Bcast",
        MPI_Bcast(buffer.data, buffer.count, buffer.type, root, slot->comm));
  return NULL;
}

/** The two buffers that gathers and reductions share. */
static bool two_buffers(napi_env env, addon_context *context, const char *call, napi_value *values,
                        element_meaning meaning, mpi_buffer *out, mpi_buffer *in) {
  return optional_buffer_argument(env, context, call, values[1], meaning, out) &&
         optional_buffer_argument(env, context, call, values[2], meaning, in);
}

/** Whether `count` elements for each of `ranks` fit; the last guard before memory is written. */
static bool fits(napi_env env, addon_context *context, const char *call, const mpi_buffer *in,
                 int count, int ranks) {
  if (count >= 0 && (int64_t)count * ranks <= in->count)
    return true;
  throw_usage_error(env, context, call, "MPI_ERR_BUFFER", "the receive buffer is too short");
  return false;
}

/** gather(handle, send, recv | undefined, recvCount per rank, root) */
static napi_value gather(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Gather";
  napi_value values[5];
  addon_context *context;
  mpi_buffer out, in;
  int count, root;
  communicator_slot *slot = open_call(env, info, call, 5, values, &context);
  if (!slot || !two_buffers(env, context, call, values, AS_ELEMENTS, &out, &in) ||
      !int_argument(env, values[3], &count) || !int_argument(env, values[4], &root))
    return NULL;
  if (type_of(env, values[2]) != napi_undefined &&
      !fits(env, context, call, &in, count, slot->size))
    return NULL;
  check(env, context, call,
        MPI_Gather(out.data, out.count, out.type, in.data, count, in.type, root, slot->comm));
  return NULL;
}

/** allgather(handle, send, recv, recvCount per rank) */
static napi_value allgather(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Allgather";
  napi_value values[4];
  addon_context *context;
  mpi_buffer out, in;
  int count;
  communicator_slot *slot = open_call(env, info, call, 4, values, &context);
  if (!slot || !two_buffers(env, context, call, values, AS_ELEMENTS, &out, &in) ||
      !int_argument(env, values[3], &count) || !fits(env, context, call, &in, count, slot->size))
    return NULL;
  check(env, context, call,
        MPI_Allgather(out.data, out.count, out.type, in.data, count, in.type, slot->comm));
  return NULL;
}

/** Reads counts and displacements (elements) and checks every piece against the buffer. */
static bool pieces(napi_env env, addon_context *context, const char *call, napi_value *values,
                   const mpi_buffer *in, int ranks, const int **counts, const int **displs) {
  size_t count_count, displ_count;
  if (!int32_array_argument(env, values[0], counts, &count_count) ||
      !int32_array_argument(env, values[1], displs, &displ_count))
    return false;
  bool ok = count_count == (size_t)ranks && displ_count == (size_t)ranks;
  for (int i = 0; ok && i < ranks; i++)
    ok =
        (*counts)[i] >= 0 && (*displs)[i] >= 0 && (int64_t)(*counts)[i] + (*displs)[i] <= in->count;
  if (!ok)
    throw_usage_error(env, context, call, "MPI_ERR_BUFFER",
                      "counts and displacements do not fit the receive buffer");
  return ok;
}

/** gatherv(handle, send, recv | undefined, counts | undefined, displs | undefined, root) */
static napi_value gatherv(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Gatherv";
  napi_value values[6];
  addon_context *context;
  mpi_buffer out, in;
  const int *counts = NULL, *displs = NULL;
  int root;
  communicator_slot *slot = open_call(env, info, call, 6, values, &context);
  if (!slot || !two_buffers(env, context, call, values, AS_ELEMENTS, &out, &in) ||
      !int_argument(env, values[5], &root))
    return NULL;
  if (type_of(env, values[2]) != napi_undefined &&
      !pieces(env, context, call, values + 3, &in, slot->size, &counts, &displs))
    return NULL;
  check(env, context, call,
        MPI_Gatherv(out.data, out.count, out.type, in.data, counts, displs, in.type, root,
                    slot->comm));
  return NULL;
}

/** allgatherv(handle, send, recv, counts, displs) */
static napi_value allgatherv(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Allgatherv";
  napi_value values[5];
  addon_context *context;
  mpi_buffer out, in;
  const int *counts, *displs;
  communicator_slot *slot = open_call(env, info, call, 5, values, &context);
  if (!slot || !two_buffers(env, context, call, values, AS_ELEMENTS, &out, &in) ||
      !pieces(env, context, call, values + 3, &in, slot->size, &counts, &displs))
    return NULL;
  if (slot->size == 1) { /* MPICH 4.0 ignores displs here. */
    check(env, context, call,
          MPI_Gatherv(out.data, out.count, out.type, in.data, counts, displs, in.type, 0,
                      slot->comm));
    return NULL;
  }
  check(
      env, context, call,
      MPI_Allgatherv(out.data, out.count, out.type, in.data, counts, displs, in.type, slot->comm));
  return NULL;
}

/** Arguments (handle, send, recv, op, ...) of the reductions. */
static bool reduction(napi_env env, addon_context *context, const char *call, napi_value *values,
                      mpi_buffer *out, mpi_buffer *in, MPI_Op *op) {
  int index;
  if (!two_buffers(env, context, call, values, AS_NUMBERS, out, in) ||
      !int_argument(env, values[3], &index))
    return false;
  *op = operation(index);
  bool in_place = out->data == MPI_IN_PLACE;
  if (in_place) {
    out->count = in->count;
    out->type = in->type;
  } else if (type_of(env, values[2]) != napi_undefined && in->count < out->count) {
    throw_usage_error(env, context, call, "MPI_ERR_BUFFER", "the receive buffer is too short");
    return false;
  }
  return true;
}

/** reduce(handle, send, recv | undefined, op, root) */
static napi_value reduce(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Reduce";
  napi_value values[5];
  addon_context *context;
  mpi_buffer out, in;
  MPI_Op op;
  int root;
  communicator_slot *slot = open_call(env, info, call, 5, values, &context);
  if (!slot || !reduction(env, context, call, values, &out, &in, &op) ||
      !int_argument(env, values[4], &root))
    return NULL;
  check(env, context, call,
        MPI_Reduce(out.data, in.data, out.count, out.type, op, root, slot->comm));
  return NULL;
}

/** allreduce(handle, send, recv, op) */
static napi_value allreduce(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Allreduce";
  napi_value values[4];
  addon_context *context;
  mpi_buffer out, in;
  MPI_Op op;
  communicator_slot *slot = open_call(env, info, call, 4, values, &context);
  if (!slot || !reduction(env, context, call, values, &out, &in, &op))
    return NULL;
  check(env, context, call, MPI_Allreduce(out.data, in.data, out.count, out.type, op, slot->comm));
  return NULL;
}

const addon_function collective_functions[] = {
    {"barrier", barrier}, {"bcast", bcast},         {"gather", gather},
    {"gatherv", gatherv}, {"allgather", allgather}, {"allgatherv", allgatherv},
    {"reduce", reduce},   {"allreduce", allreduce}, {NULL, NULL}};
