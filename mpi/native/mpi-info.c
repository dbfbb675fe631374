/**
 * Infos: lists of keys and values that TypeScript keeps, made for the time of a call.
 */
#include "mpi-addon.h"

#include <stdlib.h>
#include <string.h>

char *string_argument(napi_env env, napi_value value) {
  size_t length = 0;
  if (!succeeded(env, napi_get_value_string_utf8(env, value, NULL, 0, &length)))
    return NULL;
  char *text = malloc(length + 1);
  if (!text) {
    napi_throw_error(env, "MPI_ERR_NO_MEM", "no memory for a string");
    return NULL;
  }
  napi_get_value_string_utf8(env, value, text, length + 1, &length);
  return text;
}

static bool set_pair(napi_env env, addon_context *context, napi_value pairs, uint32_t index,
                     MPI_Info info) {
  napi_value elements[2];
  if (!succeeded(env, napi_get_element(env, pairs, index, &elements[0])) ||
      !succeeded(env, napi_get_element(env, pairs, index + 1, &elements[1])))
    return false;
  char *key = string_argument(env, elements[0]);
  char *text = key ? string_argument(env, elements[1]) : NULL;
  bool is_set = text && check(env, context, "MPI_Info_set", MPI_Info_set(info, key, text));
  free(key);
  free(text);
  return is_set;
}

bool info_argument(napi_env env, addon_context *context, const char *call, napi_value value,
                   MPI_Info *info) {
  uint32_t length = 0;
  *info = MPI_INFO_NULL;
  if (type_of(env, value) == napi_undefined)
    return true;
  if (!succeeded(env, napi_get_array_length(env, value, &length)) ||
      !check(env, context, call, MPI_Info_create(info)))
    return false;
  for (uint32_t i = 0; i + 1 < length; i += 2) {
    if (set_pair(env, context, value, i, *info))
      continue;
    free_info(info);
    return false;
  }
  return true;
}

void free_info(MPI_Info *info) {
  if (*info != MPI_INFO_NULL)
    MPI_Info_free(info);
}

static bool append_pair(napi_env env, addon_context *context, const char *call, MPI_Info info,
                        int index, napi_value pairs) {
  char key[MPI_MAX_INFO_KEY + 1];
  int length = 0, found = 0;
  if (!check(env, context, call, MPI_Info_get_nthkey(info, index, key)) ||
      !check(env, context, call, MPI_Info_get_valuelen(info, key, &length, &found)))
    return false;
  char *text = calloc((size_t)length + 1, 1);
  bool is_read =
      text && found && check(env, context, call, MPI_Info_get(info, key, length, text, &found));
  if (is_read) {
    napi_set_element(env, pairs, 2 * (uint32_t)index, string_result(env, key));
    napi_set_element(env, pairs, 2 * (uint32_t)index + 1, string_result(env, text));
  }
  free(text);
  return is_read;
}

napi_value info_result(napi_env env, addon_context *context, const char *call, MPI_Info info) {
  napi_value pairs;
  int count = 0;
  if (!succeeded(env, napi_create_array(env, &pairs)))
    return NULL;
  if (info == MPI_INFO_NULL)
    return pairs;
  if (!check(env, context, call, MPI_Info_get_nkeys(info, &count)))
    return NULL;
  for (int i = 0; i < count; i++)
    if (!append_pair(env, context, call, info, i, pairs))
      return NULL;
  return pairs;
}

/** infoEnv(): what is known of how this process was started */
static napi_value info_env(napi_env env, napi_callback_info info) {
  addon_context *context;
  if (!arguments(env, info, 0, NULL, (void **)&context))
    return NULL;
  if (atomic_load(&mpi_phase) != PHASE_ACTIVE) {
    throw_usage_error(env, context, "MPI_INFO_ENV", "MPI_NOT_ACTIVE", "MPI is not running");
    return NULL;
  }
  return info_result(env, context, "MPI_INFO_ENV", MPI_INFO_ENV);
}

/** Reads (communicator, pairs). */
static communicator_slot *open_call(napi_env env, napi_callback_info info, const char *call,
                                    addon_context **context, MPI_Info *pairs) {
  napi_value values[2];
  if (!arguments(env, info, 2, values, (void **)context))
    return NULL;
  communicator_slot *slot = communicator_argument(env, *context, call, values[0]);
  return slot && info_argument(env, *context, call, values[1], pairs) ? slot : NULL;
}

/** commDupWithInfo(handle, pairs) */
static napi_value comm_dup_with_info(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Comm_dup_with_info";
  addon_context *context;
  MPI_Info pairs;
  MPI_Comm made;
  communicator_slot *slot = open_call(env, info, call, &context, &pairs);
  if (!slot)
    return NULL;
  int code = MPI_Comm_dup_with_info(slot->comm, pairs, &made);
  free_info(&pairs);
  return check(env, context, call, code) ? communicator_result(env, context, made, false) : NULL;
}

static int start_idup(MPI_Comm comm, MPI_Info info, MPI_Comm *made, MPI_Request *request) {
#if MPI_VERSION >= 4
  if (info != MPI_INFO_NULL)
    return MPI_Comm_idup_with_info(comm, info, made, request);
#endif
  (void)info;
  return MPI_Comm_idup(comm, made, request);
}

/** commIdupTakesInfo(): whether it is enough to give pairs to commIdup */
static napi_value comm_idup_takes_info(napi_env env, napi_callback_info info) {
  (void)info;
  return bool_result(env, MPI_VERSION >= 4);
}

/** commIdup(handle, pairs): a request; its completion leaves the communicator in place of a status
 */
static napi_value comm_idup(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Comm_idup";
  addon_context *context;
  MPI_Info pairs = MPI_INFO_NULL;
  napi_value kept;
  int64_t handle;
  communicator_slot *slot = open_call(env, info, call, &context, &pairs);
  if (!slot)
    return NULL;
  MPI_Comm comm = slot->comm; /* a copy: taking a request's slot may move the table */
  MPI_Comm *made = malloc(sizeof *made);
  request_slot *request = NULL;
  if (made && succeeded(env, napi_create_array(env, &kept)))
    request = open_request(env, context, call, kept, false, &handle);
  if (!request) {
    free(made);
    free_info(&pairs);
    return NULL;
  }
  *made = MPI_COMM_NULL;
  request->made = made;
  request->collective = true;
  int code = start_idup(comm, pairs, made, &request->request);
  free_info(&pairs);
  return request_result(env, context, call, code, handle);
}

/** commSetInfo(handle, pairs) */
static napi_value comm_set_info(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Comm_set_info";
  addon_context *context;
  MPI_Info pairs;
  communicator_slot *slot = open_call(env, info, call, &context, &pairs);
  if (!slot)
    return NULL;
  int code = MPI_Comm_set_info(slot->comm, pairs);
  free_info(&pairs);
  check(env, context, call, code);
  return NULL;
}

/** commGetInfo(handle): pairs */
static napi_value comm_get_info(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Comm_get_info";
  addon_context *context;
  MPI_Info none, used = MPI_INFO_NULL;
  communicator_slot *slot = open_call(env, info, call, &context, &none);
  if (!slot || !check(env, context, call, MPI_Comm_get_info(slot->comm, &used)))
    return NULL;
  napi_value result = info_result(env, context, call, used);
  free_info(&used);
  return result;
}

const addon_function info_functions[] = {{"infoEnv", info_env},
                                         {"commDupWithInfo", comm_dup_with_info},
                                         {"commIdup", comm_idup},
                                         {"commIdupTakesInfo", comm_idup_takes_info},
                                         {"commSetInfo", comm_set_info},
                                         {"commGetInfo", comm_get_info},
                                         {NULL, NULL}};
