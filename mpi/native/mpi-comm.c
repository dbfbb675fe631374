/**
 * Communicators: making, naming and freeing them. Topology arithmetic is in TypeScript.
 */
#include "mpi-addon.h"

#include <stdlib.h>

handle_slot *find_object(napi_env env, addon_context *context, const char *call, int64_t handle,
                         handle_kind kind, const char *class_name) {
  int phase = atomic_load_explicit(&mpi_phase, memory_order_relaxed);
  if (phase != PHASE_ACTIVE) {
    bool ended = phase == PHASE_FINALIZED;
    throw_usage_error(env, context, call, ended ? "MPI_FINALIZED" : "MPI_NOT_ACTIVE",
                      ended ? "MPI has been finalized" : "MPI is not initialized");
    return NULL;
  }
  handle_slot *slot = handle_find(&context->handles, kind, handle);
  if (!slot)
    throw_usage_error(env, context, call, class_name, "the object has been freed or is none");
  return slot;
}

handle_slot *object_argument(napi_env env, addon_context *context, const char *call,
                             napi_value value, handle_kind kind, const char *class_name) {
  int64_t handle = 0;
  if (!succeeded(env, napi_get_value_int64(env, value, &handle)))
    return NULL;
  return find_object(env, context, call, handle, kind, class_name);
}

communicator_slot *communicator_argument(napi_env env, addon_context *context, const char *call,
                                         napi_value value) {
  handle_slot *slot =
      object_argument(env, context, call, value, HANDLE_COMMUNICATOR, "MPI_ERR_COMM");
  return slot ? &slot->as.communicator : NULL;
}

napi_value communicator_result(napi_env env, addon_context *context, MPI_Comm comm,
                               bool predefined) {
  napi_value result = NULL;
  if (comm == MPI_COMM_NULL) {
    napi_get_undefined(env, &result);
    return result;
  }
  int size = 0, remote_size = 0, is_inter = 0;
  if (!check(env, context, "MPI_Comm_set_errhandler",
             MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN)) ||
      !check(env, context, "MPI_Comm_size", MPI_Comm_size(comm, &size)) ||
      !check(env, context, "MPI_Comm_test_inter", MPI_Comm_test_inter(comm, &is_inter)))
    return NULL;
  if (is_inter &&
      !check(env, context, "MPI_Comm_remote_size", MPI_Comm_remote_size(comm, &remote_size)))
    return NULL;
  int64_t handle;
  handle_slot *slot = handle_allocate(&context->handles, HANDLE_COMMUNICATOR, &handle);
  if (!slot) {
    throw_usage_error(env, context, "MPI_Comm_dup", "MPI_ERR_NO_MEM", "no memory for a handle");
    return NULL;
  }
  slot->as.communicator = (communicator_slot){comm, size, remote_size, predefined};
  return double_result(env, (double)handle);
}

static napi_value predefined(napi_env env, napi_callback_info info, MPI_Comm comm,
                             const char *call) {
  addon_context *context;
  if (!arguments(env, info, 0, NULL, (void **)&context))
    return NULL;
  if (atomic_load(&mpi_phase) != PHASE_ACTIVE) {
    throw_usage_error(env, context, call, "MPI_NOT_ACTIVE", "MPI is not running");
    return NULL;
  }
  return communicator_result(env, context, comm, true);
}

static napi_value world(napi_env env, napi_callback_info info) {
  return predefined(env, info, MPI_COMM_WORLD, "MPI_COMM_WORLD");
}

static napi_value self(napi_env env, napi_callback_info info) {
  return predefined(env, info, MPI_COMM_SELF, "MPI_COMM_SELF");
}

/** Arguments of a function whose first one is a communicator. */
static communicator_slot *open_call(napi_env env, napi_callback_info info, const char *call,
                                    size_t count, napi_value *values, addon_context **context) {
  if (!arguments(env, info, count, values, (void **)context))
    return NULL;
  return communicator_argument(env, *context, call, values[0]);
}

static napi_value comm_size(napi_env env, napi_callback_info info) {
  napi_value values[1];
  addon_context *context;
  communicator_slot *slot = open_call(env, info, "MPI_Comm_size", 1, values, &context);
  return slot ? int_result(env, slot->size) : NULL;
}

static napi_value comm_rank(napi_env env, napi_callback_info info) {
  napi_value values[1];
  addon_context *context;
  int rank = 0;
  communicator_slot *slot = open_call(env, info, "MPI_Comm_rank", 1, values, &context);
  if (!slot || !check(env, context, "MPI_Comm_rank", MPI_Comm_rank(slot->comm, &rank)))
    return NULL;
  return int_result(env, rank);
}

static napi_value comm_name(napi_env env, napi_callback_info info) {
  napi_value values[1];
  addon_context *context;
  char name[MPI_MAX_OBJECT_NAME + 1];
  int length = 0;
  communicator_slot *slot = open_call(env, info, "MPI_Comm_get_name", 1, values, &context);
  if (!slot ||
      !check(env, context, "MPI_Comm_get_name", MPI_Comm_get_name(slot->comm, name, &length)))
    return NULL;
  return string_result(env, name);
}

static napi_value comm_dup(napi_env env, napi_callback_info info) {
  napi_value values[1];
  addon_context *context;
  MPI_Comm comm;
  communicator_slot *slot = open_call(env, info, "MPI_Comm_dup", 1, values, &context);
  if (!slot || !check(env, context, "MPI_Comm_dup", MPI_Comm_dup(slot->comm, &comm)))
    return NULL;
  return communicator_result(env, context, comm, false);
}

/** split(handle, color | undefined, key) */
static napi_value comm_split(napi_env env, napi_callback_info info) {
  napi_value values[3];
  addon_context *context;
  MPI_Comm comm;
  int color = MPI_UNDEFINED, key;
  communicator_slot *slot = open_call(env, info, "MPI_Comm_split", 3, values, &context);
  if (!slot || !int_argument(env, values[2], &key))
    return NULL;
  if (type_of(env, values[1]) != napi_undefined && !int_argument(env, values[1], &color))
    return NULL;
  if (!check(env, context, "MPI_Comm_split", MPI_Comm_split(slot->comm, color, key, &comm)))
    return NULL;
  return communicator_result(env, context, comm, false);
}

static napi_value comm_split_shared(napi_env env, napi_callback_info info) {
  napi_value values[1];
  addon_context *context;
  MPI_Comm comm;
  communicator_slot *slot = open_call(env, info, "MPI_Comm_split_type", 1, values, &context);
  if (!slot ||
      !check(env, context, "MPI_Comm_split_type",
             MPI_Comm_split_type(slot->comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &comm)))
    return NULL;
  return communicator_result(env, context, comm, false);
}

/** cartCreate(handle, dims Int32Array, periods Int32Array, reorder 0 | 1) */
static napi_value cart_create(napi_env env, napi_callback_info info) {
  napi_value values[4];
  addon_context *context;
  MPI_Comm comm;
  const int *dims, *periods;
  size_t count, period_count;
  int reorder;
  communicator_slot *slot = open_call(env, info, "MPI_Cart_create", 4, values, &context);
  if (!slot || !int32_array_argument(env, values[1], &dims, &count) ||
      !int32_array_argument(env, values[2], &periods, &period_count) ||
      !int_argument(env, values[3], &reorder))
    return NULL;
  if (count != period_count) {
    throw_usage_error(env, context, "MPI_Cart_create", "MPI_ERR_DIMS",
                      "dims and periods differ in length");
    return NULL;
  }
  if (!check(env, context, "MPI_Cart_create",
             MPI_Cart_create(slot->comm, (int)count, dims, periods, reorder, &comm)))
    return NULL;
  return communicator_result(env, context, comm, false);
}

/** commRequireLive(handle, call): throws for that call if the communicator has been freed */
static napi_value comm_require_live(napi_env env, napi_callback_info info) {
  napi_value values[2];
  addon_context *context;
  if (!arguments(env, info, 2, values, (void **)&context))
    return NULL;
  char *call = string_argument(env, values[1]);
  if (call)
    communicator_argument(env, context, call, values[0]);
  free(call);
  return NULL;
}

static napi_value comm_free(napi_env env, napi_callback_info info) {
  napi_value values[1];
  addon_context *context;
  communicator_slot *slot = open_call(env, info, "MPI_Comm_free", 1, values, &context);
  if (!slot)
    return NULL;
  if (slot->predefined) {
    throw_usage_error(env, context, "MPI_Comm_free", "MPI_ERR_COMM",
                      "a predefined communicator cannot be freed");
    return NULL;
  }
  MPI_Comm comm = slot->comm;
  int64_t handle = 0;
  napi_get_value_int64(env, values[0], &handle);
  handle_release(&context->handles, handle_find(&context->handles, HANDLE_COMMUNICATOR, handle));
  check(env, context, "MPI_Comm_free", MPI_Comm_free(&comm));
  return NULL;
}

const addon_function communicator_functions[] = {{"world", world},
                                                 {"self", self},
                                                 {"size", comm_size},
                                                 {"rank", comm_rank},
                                                 {"name", comm_name},
                                                 {"dup", comm_dup},
                                                 {"split", comm_split},
                                                 {"splitShared", comm_split_shared},
                                                 {"cartCreate", cart_create},
                                                 {"free", comm_free},
                                                 {"commRequireLive", comm_require_live},
                                                 {NULL, NULL}};
