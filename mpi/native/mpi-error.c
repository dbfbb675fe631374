/**
 * Errors: library codes and caller's mistakes become one JavaScript class, made by TypeScript.
 */
#include "mpi-addon.h"

#include <stdio.h>

typedef struct {
  int value;
  const char *name;
} class_name_row;

#define ROW(name)                                                                                  \
  { name, #name }

static const class_name_row class_names[] = {
    ROW(MPI_ERR_BUFFER),      ROW(MPI_ERR_COUNT),        ROW(MPI_ERR_TYPE),
    ROW(MPI_ERR_TAG),         ROW(MPI_ERR_COMM),         ROW(MPI_ERR_RANK),
    ROW(MPI_ERR_REQUEST),     ROW(MPI_ERR_ROOT),         ROW(MPI_ERR_GROUP),
    ROW(MPI_ERR_OP),          ROW(MPI_ERR_TOPOLOGY),     ROW(MPI_ERR_DIMS),
    ROW(MPI_ERR_ARG),         ROW(MPI_ERR_UNKNOWN),      ROW(MPI_ERR_TRUNCATE),
    ROW(MPI_ERR_OTHER),       ROW(MPI_ERR_INTERN),       ROW(MPI_ERR_IN_STATUS),
    ROW(MPI_ERR_PENDING),     ROW(MPI_ERR_NO_MEM),       ROW(MPI_ERR_NAME),
    ROW(MPI_ERR_PORT),        ROW(MPI_ERR_SERVICE),      ROW(MPI_ERR_SPAWN),
    ROW(MPI_ERR_WIN),         ROW(MPI_ERR_RMA_SYNC),     ROW(MPI_ERR_INFO),
    ROW(MPI_ERR_KEYVAL),      ROW(MPI_ERR_LOCKTYPE),     ROW(MPI_ERR_DISP),
    ROW(MPI_ERR_SIZE),        ROW(MPI_ERR_BASE),         ROW(MPI_ERR_NO_SPACE),
    ROW(MPI_ERR_FILE),        ROW(MPI_ERR_IO),           ROW(MPI_ERR_ACCESS),
    ROW(MPI_ERR_INFO_KEY),    ROW(MPI_ERR_INFO_VALUE),   ROW(MPI_ERR_QUOTA),
    ROW(MPI_ERR_READ_ONLY),   ROW(MPI_ERR_INFO_NOKEY),   ROW(MPI_ERR_UNSUPPORTED_OPERATION),
    ROW(MPI_ERR_ASSERT),      ROW(MPI_ERR_RMA_CONFLICT), ROW(MPI_ERR_RMA_RANGE),
    ROW(MPI_ERR_RMA_ATTACH),  ROW(MPI_ERR_RMA_SHARED),   ROW(MPI_ERR_RMA_FLAVOR),
    ROW(MPI_ERR_AMODE),       ROW(MPI_ERR_BAD_FILE),     ROW(MPI_ERR_CONVERSION),
    ROW(MPI_ERR_DUP_DATAREP), ROW(MPI_ERR_FILE_EXISTS),  ROW(MPI_ERR_FILE_IN_USE),
    ROW(MPI_ERR_NOT_SAME),    ROW(MPI_ERR_NO_SUCH_FILE), ROW(MPI_ERR_UNSUPPORTED_DATAREP)};

static const char *name_of_class(int error_class) {
  for (size_t i = 0; i < sizeof(class_names) / sizeof(class_names[0]); i++)
    if (class_names[i].value == error_class)
      return class_names[i].name;
  return "MPI_ERR_UNKNOWN";
}

static void throw_error(napi_env env, addon_context *context, const char *call, int code,
                        int error_class, const char *class_name, const char *text) {
  napi_value factory = NULL, receiver, error, arguments[5];
  if (context->error_factory)
    napi_get_reference_value(env, context->error_factory, &factory);
  if (!factory) {
    napi_throw_error(env, class_name, text);
    return;
  }
  napi_get_undefined(env, &receiver);
  arguments[0] = string_result(env, call);
  arguments[1] = int_result(env, code);
  arguments[2] = int_result(env, error_class);
  arguments[3] = string_result(env, class_name);
  arguments[4] = string_result(env, text);
  if (napi_call_function(env, receiver, factory, 5, arguments, &error) == napi_ok)
    napi_throw(env, error);
}

void throw_library_error(napi_env env, addon_context *context, const char *call, int code) {
  char text[MPI_MAX_ERROR_STRING + 1];
  int length = 0, error_class = MPI_ERR_UNKNOWN;
  if (MPI_Error_string(code, text, &length) != MPI_SUCCESS)
    snprintf(text, sizeof text, "error %d", code);
  MPI_Error_class(code, &error_class);
  throw_error(env, context, call, code, error_class, name_of_class(error_class), text);
}

void throw_usage_error(napi_env env, addon_context *context, const char *call,
                       const char *class_name, const char *text) {
  throw_error(env, context, call, 0, 0, class_name, text);
}
