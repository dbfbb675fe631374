/**
 * Reading JavaScript arguments and making JavaScript results.
 *
 * Every helper that can fail returns false after it has thrown, so that a caller's only duty is to
 * return NULL. Types and ranges are validated in TypeScript; what is checked here keeps memory safe
 * where they were not.
 */
#ifndef NAPI_ARGS_H
#define NAPI_ARGS_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Turns a failed N-API call into a TypeError, unless an exception is pending already. */
static inline bool succeeded(napi_env env, napi_status status) {
  if (status == napi_ok)
    return true;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending)
    napi_throw_type_error(env, "MPI_ERR_ARG", "a native function got an argument of a wrong type");
  return false;
}

/** Fetches exactly `count` arguments (missing ones are undefined) and the addon's context. */
static inline bool arguments(napi_env env, napi_callback_info info, size_t count,
                             napi_value *values, void **context) {
  return succeeded(env, napi_get_cb_info(env, info, &count, values, NULL, context));
}

/** The addon's context alone, of a call without arguments. */
static inline bool context_argument(napi_env env, napi_callback_info info, void **context) {
  return succeeded(env, napi_get_cb_info(env, info, NULL, NULL, NULL, context));
}

static inline bool int_argument(napi_env env, napi_value value, int *result) {
  return succeeded(env, napi_get_value_int32(env, value, result));
}

/** An optional argument: undefined and null are "absent", and differ from each other. */
static inline napi_valuetype type_of(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  napi_typeof(env, value, &type);
  return type;
}

/** The elements of an Int32Array; valid until the native function returns. */
static inline bool int32_array_argument(napi_env env, napi_value value, const int **elements,
                                        size_t *count) {
  napi_typedarray_type type;
  void *data = NULL;
  napi_status status = napi_get_typedarray_info(env, value, &type, count, &data, NULL, NULL);
  if (status == napi_ok && type != napi_int32_array)
    status = napi_invalid_arg;
  *elements = data;
  return succeeded(env, status);
}

static inline napi_value int_result(napi_env env, int value) {
  napi_value result = NULL;
  napi_create_int32(env, value, &result);
  return result;
}

static inline napi_value double_result(napi_env env, double value) {
  napi_value result = NULL;
  napi_create_double(env, value, &result);
  return result;
}

static inline napi_value bool_result(napi_env env, bool value) {
  napi_value result = NULL;
  napi_get_boolean(env, value, &result);
  return result;
}

static inline napi_value string_result(napi_env env, const char *text) {
  napi_value result = NULL;
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &result);
  return result;
}

#endif
