/*
 * What copying real files needs and Node lacks: extended attributes, times to the nanosecond, and
 * where the holes of a sparse file are. No call follows a link. Part of storage.node.
 */
#define _GNU_SOURCE
#include "real-files.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { NAME_BYTES_MAX = 256, SIZE_TRIES_MAX = 8 };

/* A path, which is never longer than the kernel takes, in a buffer of PATH_MAX bytes. */
static bool get_text(napi_env env, napi_value value, char *buffer, size_t size) {
  size_t length;
  return napi_get_value_string_utf8(env, value, buffer, size, &length) == napi_ok &&
         length < size - 1 && strlen(buffer) == length;
}

/* A path and the name of an attribute: the arguments that three calls begin with. */
static bool get_path_and_name(napi_env env, napi_value *argv, size_t argc, char *path, char *name) {
  if (argc >= 2 && get_text(env, argv[0], path, PATH_BYTES_MAX) &&
      get_text(env, argv[1], name, NAME_BYTES_MAX))
    return true;
  throw_type(env, "a call on an extended attribute takes a path and a name");
  return false;
}

static napi_value copied_bytes(napi_env env, const void *data, size_t size) {
  void *memory;
  napi_value buffer, bytes;
  if (napi_create_arraybuffer(env, size, &memory, &buffer) != napi_ok ||
      napi_create_typedarray(env, napi_uint8_array, size, buffer, 0, &bytes) != napi_ok)
    return throw_errno(env, ENOMEM, "napi_create_arraybuffer");
  if (size > 0)
    memcpy(memory, data, size);
  return bytes;
}

/*
 * Reads a list (name NULL) or a value, whose size another process may change between the two calls.
 * Returns what malloc gave, or NULL with errno set.
 */
static char *read_attribute(const char *path, const char *name, size_t *size) {
  for (int i = 0; i < SIZE_TRIES_MAX; i++) {
    ssize_t wanted = name ? lgetxattr(path, name, NULL, 0) : llistxattr(path, NULL, 0);
    if (wanted < 0)
      return NULL;
    char *buffer = malloc((size_t)wanted + 1);
    if (!buffer)
      return NULL;
    ssize_t found = name ? lgetxattr(path, name, buffer, (size_t)wanted + 1)
                         : llistxattr(path, buffer, (size_t)wanted + 1);
    if (found >= 0) {
      *size = (size_t)found;
      return buffer;
    }
    free(buffer);
    if (errno != ERANGE)
      return NULL;
  }
  errno = ERANGE;
  return NULL;
}

/* getXattr(path, name): the value's bytes; undefined if there is no such attribute. */
static napi_value js_get_xattr(napi_env env, napi_callback_info info) {
  size_t argc = 2, size;
  napi_value argv[2];
  char path[PATH_BYTES_MAX], name[NAME_BYTES_MAX];
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (!get_path_and_name(env, argv, argc, path, name))
    return NULL;
  char *value = read_attribute(path, name, &size);
  if (!value && errno == ENODATA)
    return make_undefined(env);
  if (!value)
    return throw_errno(env, errno, "lgetxattr");
  napi_value result = copied_bytes(env, value, size);
  free(value);
  return result;
}

/* listXattrs(path): the names, each with a zero byte after it; empty where there are none at all.
 */
static napi_value js_list_xattrs(napi_env env, napi_callback_info info) {
  size_t argc = 1, size;
  napi_value argv[1];
  char path[PATH_BYTES_MAX];
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (argc < 1 || !get_text(env, argv[0], path, sizeof path))
    return throw_type(env, "listXattrs(path) takes a path");
  char *names = read_attribute(path, NULL, &size);
  if (!names && errno == ENOTSUP)
    return copied_bytes(env, NULL, 0);
  if (!names)
    return throw_errno(env, errno, "llistxattr");
  napi_value result = copied_bytes(env, names, size);
  free(names);
  return result;
}

/* setXattr(path, name, value): creates or replaces an attribute. */
static napi_value js_set_xattr(napi_env env, napi_callback_info info) {
  size_t argc = 3, size;
  napi_value argv[3];
  uint8_t *value;
  char path[PATH_BYTES_MAX], name[NAME_BYTES_MAX];
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (!get_path_and_name(env, argv, argc, path, name))
    return NULL;
  if (argc < 3 || !get_bytes(env, argv[2], &value, &size))
    return throw_type(env, "setXattr(path, name, value) takes bytes as a value");
  if (lsetxattr(path, name, value, size, 0) != 0)
    return throw_errno(env, errno, "lsetxattr");
  return make_undefined(env);
}

/* removeXattr(path, name): removes an attribute, if it is there. */
static napi_value js_remove_xattr(napi_env env, napi_callback_info info) {
  size_t argc = 2;
  napi_value argv[2];
  char path[PATH_BYTES_MAX], name[NAME_BYTES_MAX];
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (!get_path_and_name(env, argv, argc, path, name))
    return NULL;
  if (lremovexattr(path, name) != 0 && errno != ENODATA)
    return throw_errno(env, errno, "lremovexattr");
  return make_undefined(env);
}

/* setTimes(path, accessed s, accessed ns, modified s, modified ns): to the nanosecond. */
static napi_value js_set_times(napi_env env, napi_callback_info info) {
  size_t argc = 5;
  napi_value argv[5];
  int64_t parts[4];
  char path[PATH_BYTES_MAX];
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  bool ok = argc >= 5 && get_text(env, argv[0], path, sizeof path);
  for (int i = 0; ok && i < 4; i++)
    ok = get_int64(env, argv[1 + i], &parts[i]);
  if (!ok)
    return throw_type(env, "setTimes takes a path and four integers");
  struct timespec times[2] = {{.tv_sec = parts[0], .tv_nsec = parts[1]},
                              {.tv_sec = parts[2], .tv_nsec = parts[3]}};
  if (utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) != 0)
    return throw_errno(env, errno, "utimensat");
  return make_undefined(env);
}

/* seekData(fd, offset, hole): where the next data, or the next hole, begins; -1 if none follows. */
static napi_value js_seek_data(napi_env env, napi_callback_info info) {
  size_t argc = 3;
  napi_value argv[3], result;
  int32_t fd;
  int64_t offset;
  bool hole;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (argc < 3 || !get_int32(env, argv[0], &fd) || !get_int64(env, argv[1], &offset) ||
      napi_get_value_bool(env, argv[2], &hole) != napi_ok)
    return throw_type(env, "seekData(fd, offset, hole) takes two integers and a boolean");
  off_t found = lseek(fd, offset, hole ? SEEK_HOLE : SEEK_DATA);
  if (found < 0 && errno != ENXIO)
    return throw_errno(env, errno, "lseek");
  napi_create_int64(env, found, &result);
  return result;
}

bool export_real_files(napi_env env, napi_value exports) {
  return export_function(env, exports, "getXattr", js_get_xattr) &&
         export_function(env, exports, "listXattrs", js_list_xattrs) &&
         export_function(env, exports, "setXattr", js_set_xattr) &&
         export_function(env, exports, "removeXattr", js_remove_xattr) &&
         export_function(env, exports, "setTimes", js_set_times) &&
         export_function(env, exports, "seekData", js_seek_data);
}
