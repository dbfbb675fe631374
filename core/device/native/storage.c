/*
 * The storage calls that Node lacks: fallocate, open-file-description locks, private maps, and
 * reads of those: a scatter copy and checksums. Needs only libc, so that nothing but a missing
 * compiler disables it.
 */
#define _GNU_SOURCE
#include "fault-guard.h"
#include "real-files.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *errno_name(int error) {
  switch (error) {
  case ENOSPC:
    return "ENOSPC";
  case EDQUOT:
    return "EDQUOT";
  case EIO:
    return "EIO";
  case EBADF:
    return "EBADF";
  case EINVAL:
    return "EINVAL";
  case EACCES:
    return "EACCES";
  case EPERM:
    return "EPERM";
  case EFBIG:
    return "EFBIG";
  case ENOMEM:
    return "ENOMEM";
  case ENOLCK:
    return "ENOLCK";
  case EROFS:
    return "EROFS";
  case EINTR:
    return "EINTR";
  case ENOENT:
    return "ENOENT";
  case ENOTSUP:
    return "ENOTSUP";
  case ERANGE:
    return "ERANGE";
  case EFAULT:
    return "EFAULT";
  case E2BIG:
    return "E2BIG";
  default:
    return "EUNKNOWN";
  }
}

napi_value throw_errno(napi_env env, int error, const char *call) {
  char message[160];
  snprintf(message, sizeof message, "%s: %s, %s", errno_name(error), strerror(error), call);
  napi_throw_error(env, errno_name(error), message);
  return NULL;
}

/* fallocate(fd, offset, size): allocates blocks and extends the file, or throws ENOSPC. */
static napi_value js_fallocate(napi_env env, napi_callback_info info) {
  size_t argc = 3;
  napi_value argv[3];
  int32_t fd;
  int64_t offset, size;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (argc < 3 || !get_int32(env, argv[0], &fd) || !get_int64(env, argv[1], &offset) ||
      !get_int64(env, argv[2], &size))
    return throw_type(env, "fallocate(fd, offset, size) takes three integers");
  int error = fallocate(fd, 0, offset, size) == 0 ? 0 : errno;
  while (error == EINTR)
    error = fallocate(fd, 0, offset, size) == 0 ? 0 : errno;
  if (error == EOPNOTSUPP)
    error = posix_fallocate(fd, offset, size);
  return error ? throw_errno(env, error, "fallocate") : make_undefined(env);
}

enum { LOCK_SHARED = 0, LOCK_EXCLUSIVE = 1, LOCK_RELEASE = 2 };

/* Runs a locking command with the arguments of a call; false, with an exception, if it failed. */
static bool run_lock(napi_env env, napi_callback_info info, int command, bool *held) {
  size_t argc = 4;
  napi_value argv[4];
  int32_t fd, kind;
  int64_t offset, size;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (argc < 4 || !get_int32(env, argv[0], &fd) || !get_int64(env, argv[1], &offset) ||
      !get_int64(env, argv[2], &size) || !get_int32(env, argv[3], &kind)) {
    throw_type(env, "a lock takes four integers: fd, offset, size, kind");
    return false;
  }
  struct flock lock = {
      .l_type = kind == LOCK_SHARED      ? F_RDLCK
                : kind == LOCK_EXCLUSIVE ? F_WRLCK
                                         : F_UNLCK,
      .l_whence = SEEK_SET,
      .l_start = offset,
      .l_len = size,
  };
  int rc;
  do
    rc = fcntl(fd, command, &lock);
  while (rc != 0 && errno == EINTR);
  *held = rc == 0;
  if (rc == 0 || (command == F_OFD_SETLK && (errno == EAGAIN || errno == EACCES)))
    return true;
  throw_errno(env, errno, "fcntl(F_OFD_SETLK)");
  return false;
}

/* lock(fd, offset, size, kind): takes or releases an OFD lock without waiting; false if held. */
static napi_value js_lock(napi_env env, napi_callback_info info) {
  napi_value result;
  bool held;
  if (!run_lock(env, info, F_OFD_SETLK, &held))
    return NULL;
  napi_get_boolean(env, held, &result);
  return result;
}

/* waitForLock(fd, offset, size, kind): takes an OFD lock; blocks the thread until it is free. */
static napi_value js_wait_for_lock(napi_env env, napi_callback_info info) {
  bool held;
  return run_lock(env, info, F_OFD_SETLKW, &held) ? make_undefined(env) : NULL;
}

/* isLocked(fd, offset, size): whether another open file description locks a byte of the range. */
static napi_value js_is_locked(napi_env env, napi_callback_info info) {
  size_t argc = 3;
  napi_value argv[3], result;
  int32_t fd;
  int64_t offset, size;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (argc < 3 || !get_int32(env, argv[0], &fd) || !get_int64(env, argv[1], &offset) ||
      !get_int64(env, argv[2], &size))
    return throw_type(env, "isLocked(fd, offset, size) takes three integers");
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = offset, .l_len = size};
  if (fcntl(fd, F_OFD_GETLK, &lock) != 0)
    return throw_errno(env, errno, "fcntl(F_OFD_GETLK)");
  napi_get_boolean(env, lock.l_type != F_UNLCK, &result);
  return result;
}

static void release_map(napi_env env, void *data, void *hint) {
  (void)env;
  munmap(data, (size_t)(uintptr_t)hint);
}

/*
 * map(fd, size): the first `size` bytes as an ArrayBuffer. The map is private and writable, because
 * JavaScript has no read-only buffers and a store into a read-only page would kill the process: a
 * stray store changes this process's copy of the page and never the file.
 */
static napi_value js_map(napi_env env, napi_callback_info info) {
  size_t argc = 2;
  napi_value argv[2], result;
  int32_t fd;
  int64_t size;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (argc < 2 || !get_int32(env, argv[0], &fd) || !get_int64(env, argv[1], &size) || size <= 0)
    return throw_type(env, "map(fd, size) takes a descriptor and a size above 0");
  guard_faults();
  void *data = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
  if (data == MAP_FAILED)
    return throw_errno(env, errno, "mmap");
  if (napi_create_external_arraybuffer(env, data, (size_t)size, release_map,
                                       (void *)(uintptr_t)size, &result) != napi_ok) {
    munmap(data, (size_t)size);
    return throw_errno(env, ENOMEM, "napi_create_external_arraybuffer");
  }
  return result;
}

/*
 * unmap(buffer): detaches the ArrayBuffer, so that its views are empty, and lets go of the file and
 * its memory at once: a map keeps the file's locks, and the collector that runs release_map may
 * take its time. What is left for it is an address range without memory.
 */
static napi_value js_unmap(napi_env env, napi_callback_info info) {
  size_t argc = 1, size = 0;
  napi_value argv[1];
  void *data = NULL;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (argc < 1 || napi_get_arraybuffer_info(env, argv[0], &data, &size) != napi_ok || size == 0 ||
      napi_detach_arraybuffer(env, argv[0]) != napi_ok)
    return throw_type(env, "unmap(buffer) takes an ArrayBuffer made by map()");
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
  if (mmap(data, size, PROT_NONE, flags, -1, 0) == MAP_FAILED)
    return throw_errno(env, errno, "mmap");
  return make_undefined(env);
}

/* Fragments that copyFragments fetches from memory ahead of the one that it copies. */
#define PREFETCH_COUNT 8
/* What the compiler moves by vector instructions, wherever it lies. */
typedef struct {
  uint8_t bytes[64];
} line_of_bytes;

/*
 * memcpy by vectors. glibc's copies more than 4 KiB by `rep movsb`, which on AMD's processors is four
 * times slower where the target lies 8, 16 or 24 bytes beside a multiple of 32; malloc's large blocks do.
 */
static void copy_bytes(uint8_t *target, const uint8_t *source, size_t size) {
  size_t at = 0;
  for (; size - at > sizeof(line_of_bytes); at += sizeof(line_of_bytes)) {
    line_of_bytes line = *(const line_of_bytes *)(source + at);
    *(line_of_bytes *)(target + at) = line;
  }
  memcpy(target + at, source + at, size - at);
}

/*
 * copyFragments(target, source, targetOffsets, sourceOffsets, sizes, count): count memcpys between
 * two buffers, whose offsets and sizes in bytes are Float64Arrays. Every fragment is checked before
 * any byte moves. The source may be a map: a page of it that cannot be read is EFAULT.
 */
static napi_value js_copy_fragments(napi_env env, napi_callback_info info) {
  size_t argc = 6;
  napi_value argv[6];
  uint8_t *target, *source, *lists[3];
  size_t target_size, source_size, list_sizes[3];
  uint32_t count;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (argc < 6 || !get_bytes(env, argv[0], &target, &target_size) ||
      !get_bytes(env, argv[1], &source, &source_size) || !get_uint32(env, argv[5], &count))
    return throw_type(env, "copyFragments takes two byte arrays, three lists and a count");
  for (int i = 0; i < 3; i++)
    if (!get_bytes(env, argv[2 + i], &lists[i], &list_sizes[i]) ||
        list_sizes[i] < (size_t)count * sizeof(double))
      return throw_type(env, "copyFragments: a list is shorter than the count");
  const double *to = (const double *)lists[0], *from = (const double *)lists[1],
               *size = (const double *)lists[2];
  for (uint32_t i = 0; i < count; i++)
    if (!(to[i] >= 0 && from[i] >= 0 && size[i] >= 0 && to[i] + size[i] <= (double)target_size &&
          from[i] + size[i] <= (double)source_size))
      return throw_type(env, "copyFragments: a fragment lies outside its buffer");
  sigjmp_buf back;
  if (FAULT_CAUGHT(back))
    return throw_errno(env, EFAULT, "copyFragments");
  // Small fragments lie anywhere: the next ones come from memory while one is copied.
  for (uint32_t i = 0; i < count && i < PREFETCH_COUNT; i++)
    __builtin_prefetch(source + (size_t)from[i]);
  for (uint32_t i = 0; i < count; i++) {
    if (i + PREFETCH_COUNT < count)
      __builtin_prefetch(source + (size_t)from[i + PREFETCH_COUNT]);
    copy_bytes(target + (size_t)to[i], source + (size_t)from[i], (size_t)size[i]);
  }
  fault_end();
  return make_undefined(env);
}

/* What another addon computes checksums by; see isal.c. */
typedef uint32_t (*crc_function)(const uint8_t *data, size_t size, uint32_t seed);
static crc_function crc_of;

/* useCrc(function): what crc32cMapped computes by from now on, as `isal.node` exports it. */
static napi_value js_use_crc(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1];
  void *function;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (argc < 1 || napi_get_value_external(env, argv[0], &function) != napi_ok)
    return throw_type(env, "useCrc(function) takes what isal.node exports");
  keep_loaded(function);
  crc_of = (crc_function)function;
  return make_undefined(env);
}

/* crc32cMapped(bytes, start, end, seed): that of bytes[start, end) of a map; EFAULT as above. */
static napi_value js_crc32c_mapped(napi_env env, napi_callback_info info) {
  size_t argc = 4, size;
  napi_value argv[4], result;
  uint8_t *data;
  int64_t start, end;
  uint32_t seed;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (crc_of == NULL || argc < 4 || !get_bytes(env, argv[0], &data, &size) ||
      !get_int64(env, argv[1], &start) || !get_int64(env, argv[2], &end) ||
      !get_uint32(env, argv[3], &seed) || start < 0 || end < start || (uint64_t)end > size ||
      end - start > INT32_MAX)
    return throw_type(env,
                      "crc32cMapped(bytes, start, end, seed): the range lies outside the bytes");
  sigjmp_buf back;
  if (FAULT_CAUGHT(back))
    return throw_errno(env, EFAULT, "crc32cMapped");
  uint32_t crc = crc_of(data + start, (size_t)(end - start), seed);
  fault_end();
  napi_create_uint32(env, crc, &result);
  return result;
}

NAPI_MODULE_INIT() {
  bool ok = export_function(env, exports, "fallocate", js_fallocate) &&
            export_function(env, exports, "lock", js_lock) &&
            export_function(env, exports, "waitForLock", js_wait_for_lock) &&
            export_function(env, exports, "isLocked", js_is_locked) &&
            export_function(env, exports, "map", js_map) &&
            export_function(env, exports, "unmap", js_unmap) &&
            export_function(env, exports, "copyFragments", js_copy_fragments) &&
            export_function(env, exports, "useCrc", js_use_crc) &&
            export_function(env, exports, "crc32cMapped", js_crc32c_mapped);
  return ok && export_real_files(env, exports) ? exports : NULL;
}
