/* CRC-32C by Intel's ISA-L, 5 to 8 times the speed of any other implementation at hand. */
#include "napi-args.h"
#include <isa-l/crc.h>

/* crc32c(bytes, start, end, seed): CRC-32C (Castagnoli) of bytes[start, end), continued from seed. */
static napi_value js_crc32c(napi_env env, napi_callback_info info) {
  size_t argc = 4, size;
  napi_value argv[4], result;
  uint8_t *data;
  int64_t start, end;
  uint32_t seed;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (argc < 4 || !get_bytes(env, argv[0], &data, &size) || !get_int64(env, argv[1], &start) ||
      !get_int64(env, argv[2], &end) || !get_uint32(env, argv[3], &seed) || start < 0 ||
      end < start || (uint64_t)end > size || end - start > INT32_MAX)
    return throw_type(env, "crc32c(bytes, start, end, seed): the range lies outside the bytes");
  uint32_t crc = ~crc32_iscsi(data + start, (int)(end - start), ~seed);
  napi_create_uint32(env, crc, &result);
  return result;
}

NAPI_MODULE_INIT() { return export_function(env, exports, "crc32c", js_crc32c) ? exports : NULL; }
