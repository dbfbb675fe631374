/**
 * Buffers: JavaScript memory as (address, count, MPI datatype), without a copy.
 */
#include "mpi-addon.h"

#include <limits.h>

char absent_memory, empty_memory;

static MPI_Datatype type_of_elements(napi_typedarray_type type, element_meaning meaning,
                                     int *size) {
  switch (type) {
  case napi_int8_array:
    *size = 1;
    return MPI_INT8_T;
  case napi_uint8_array:
  case napi_uint8_clamped_array:
    *size = 1;
    return meaning == AS_NUMBERS ? MPI_UINT8_T : MPI_BYTE;
  case napi_int16_array:
    *size = 2;
    return MPI_INT16_T;
  case napi_uint16_array:
    *size = 2;
    return MPI_UINT16_T;
  case napi_int32_array:
    *size = 4;
    return MPI_INT32_T;
  case napi_uint32_array:
    *size = 4;
    return MPI_UINT32_T;
  case napi_float32_array:
    *size = 4;
    return MPI_FLOAT;
  case napi_float64_array:
    *size = 8;
    return MPI_DOUBLE;
  case napi_bigint64_array:
    *size = 8;
    return MPI_INT64_T;
  case napi_biguint64_array:
    *size = 8;
    return MPI_UINT64_T;
  default:
    return MPI_DATATYPE_NULL;
  }
}

/** Bytes without an element type: DataView and ArrayBuffer. */
static bool raw_bytes(napi_env env, napi_value value, void **data, size_t *count) {
  bool matches = false;
  if (napi_is_dataview(env, value, &matches) == napi_ok && matches)
    return napi_get_dataview_info(env, value, count, data, NULL, NULL) == napi_ok;
  if (napi_is_arraybuffer(env, value, &matches) == napi_ok && matches)
    return napi_get_arraybuffer_info(env, value, data, count) == napi_ok;
  return false;
}

/** Elements of a datatype in a buffer: { buffer, offset, count, type }. */
static bool described_buffer(napi_env env, addon_context *context, const char *call,
                             napi_value value, mpi_buffer *buffer) {
  napi_value object, offset, count, type;
  int64_t bytes = 0;
  mpi_buffer whole;
  if (!succeeded(env, napi_get_named_property(env, value, "buffer", &object)) ||
      !succeeded(env, napi_get_named_property(env, value, "offset", &offset)) ||
      !succeeded(env, napi_get_named_property(env, value, "count", &count)) ||
      !succeeded(env, napi_get_named_property(env, value, "type", &type)) ||
      !succeeded(env, napi_get_value_int64(env, offset, &bytes)) ||
      !int_argument(env, count, &buffer->count) ||
      !buffer_argument(env, context, call, object, AS_BYTES, &whole))
    return false;
  handle_slot *slot = object_argument(env, context, call, type, HANDLE_DATATYPE, "MPI_ERR_TYPE");
  if (!slot)
    return false;
  buffer->data = (char *)whole.data + bytes;
  buffer->type = slot->as.datatype.type;
  return check(env, context, call, MPI_Type_size(buffer->type, &buffer->element_size));
}

bool buffer_argument(napi_env env, addon_context *context, const char *call, napi_value value,
                     element_meaning meaning, mpi_buffer *buffer) {
  napi_typedarray_type elements;
  size_t count = 0;
  bool is_described = false;
  buffer->data = NULL;
  if (napi_get_typedarray_info(env, value, &elements, &count, &buffer->data, NULL, NULL) ==
      napi_ok) {
    buffer->type = type_of_elements(elements, meaning, &buffer->element_size);
  } else if (raw_bytes(env, value, &buffer->data, &count)) {
    buffer->type = MPI_BYTE;
    buffer->element_size = 1;
  } else if (type_of(env, value) == napi_object &&
             napi_has_named_property(env, value, "type", &is_described) == napi_ok &&
             is_described) {
    return described_buffer(env, context, call, value, buffer);
  } else {
    buffer->type = MPI_DATATYPE_NULL;
  }
  if (buffer->type == MPI_DATATYPE_NULL) {
    throw_usage_error(env, context, call, "MPI_ERR_TYPE",
                      "the buffer is no typed array, DataView or ArrayBuffer");
    return false;
  }
  if (count > INT_MAX) {
    throw_usage_error(env, context, call, "MPI_ERR_COUNT",
                      "the buffer has more than 2147483647 elements");
    return false;
  }
  if (meaning == AS_BYTES && count * (size_t)buffer->element_size <= INT_MAX) {
    count *= (size_t)buffer->element_size;
    buffer->type = MPI_BYTE;
    buffer->element_size = 1;
  }
  buffer->count = (int)count;
  if (!buffer->data)
    buffer->data = &empty_memory;
  return true;
}

bool optional_buffer_argument(napi_env env, addon_context *context, const char *call,
                              napi_value value, element_meaning meaning, mpi_buffer *buffer) {
  napi_valuetype type = type_of(env, value);
  if (type != napi_null && type != napi_undefined)
    return buffer_argument(env, context, call, value, meaning, buffer);
  *buffer = (mpi_buffer){type == napi_null ? MPI_IN_PLACE : &absent_memory, 0, MPI_BYTE, 1};
  return true;
}
