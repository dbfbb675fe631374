/* Argument and error helpers shared by the storage addons. Plain N-API, version 8. */
#ifndef DAOS_NAPI_ARGS_H
#define DAOS_NAPI_ARGS_H

#define NAPI_VERSION 8
#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Throws a JavaScript Error whose `code` is the errno name ("ENOSPC") and returns NULL. */
napi_value throw_errno(napi_env env, int error, const char *call);

/* Throws a TypeError and returns NULL: the caller passed what the TypeScript layer never passes. */
static inline napi_value throw_type(napi_env env, const char *message) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
  return NULL;
}

static inline bool get_int64(napi_env env, napi_value value, int64_t *out) {
  return napi_get_value_int64(env, value, out) == napi_ok;
}

static inline bool get_int32(napi_env env, napi_value value, int32_t *out) {
  return napi_get_value_int32(env, value, out) == napi_ok;
}

static inline bool get_uint32(napi_env env, napi_value value, uint32_t *out) {
  return napi_get_value_uint32(env, value, out) == napi_ok;
}

static inline size_t element_size(napi_typedarray_type type) {
  switch (type) {
  case napi_int16_array:
  case napi_uint16_array:
    return 2;
  case napi_int32_array:
  case napi_uint32_array:
  case napi_float32_array:
    return 4;
  case napi_float64_array:
  case napi_bigint64_array:
  case napi_biguint64_array:
    return 8;
  default:
    return 1;
  }
}

/* The memory of a typed array and its size in bytes. */
static inline bool get_bytes(napi_env env, napi_value value, uint8_t **data, size_t *size) {
  napi_typedarray_type type;
  size_t length;
  void *start;
  if (napi_get_typedarray_info(env, value, &type, &length, &start, NULL, NULL) != napi_ok)
    return false;
  *data = start;
  *size = length * element_size(type);
  return true;
}

static inline napi_value make_undefined(napi_env env) {
  napi_value value;
  napi_get_undefined(env, &value);
  return value;
}

static inline bool export_function(napi_env env, napi_value exports, const char *name,
                                   napi_callback callback) {
  napi_value function;
  return napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, NULL, &function) == napi_ok &&
         napi_set_named_property(env, exports, name, function) == napi_ok;
}

#endif
