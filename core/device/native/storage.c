/*
 * The storage calls that Node lacks: fallocate, open-file-description locks, maps of files, and
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
#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

/* The start of a file in memory; `data` is NULL once it is unmapped. */
struct file_map {
  uint8_t *data;
  size_t size;
};

static void unmap_file(struct file_map *map) {
  if (map->data != NULL)
    munmap(map->data, map->size);
  map->data = NULL;
  map->size = 0;
}

static void release_map(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  unmap_file(data);
  free(data);
}

static bool get_map(napi_env env, napi_value value, struct file_map **map) {
  void *data;
  if (napi_get_value_external(env, value, &data) != napi_ok)
    return false;
  *map = data;
  return true;
}

/*
 * map(fd, size): the first `size` bytes, to be read by native code only. An ArrayBuffer of it would
 * count as memory that the collector could free, and have it run for nothing with each segment.
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
  struct file_map *map = malloc(sizeof *map);
  if (map == NULL)
    return throw_errno(env, ENOMEM, "malloc");
  void *data = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) {
    free(map);
    return throw_errno(env, errno, "mmap");
  }
  *map = (struct file_map){.data = data, .size = (size_t)size};
  if (napi_create_external(env, map, release_map, NULL, &result) != napi_ok) {
    release_map(env, map, NULL);
    return throw_errno(env, ENOMEM, "napi_create_external");
  }
  return result;
}

/* unmap(map): lets go of the file, whose locks a map keeps. Nothing is read by it then. */
static napi_value js_unmap(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1];
  struct file_map *map;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (argc < 1 || !get_map(env, argv[0], &map))
    return throw_type(env, "unmap(map) takes what map() returned");
  unmap_file(map);
  return make_undefined(env);
}

static void release_memory(napi_env env, void *data, void *hint) {
  (void)env;
  munmap(data, (size_t)(uintptr_t)hint);
}

/*
 * mapMemory(fd, size): the first `size` bytes as an ArrayBuffer, for who hands views of them out. JavaScript has no
 * read-only memory, and a store into a read-only page would end the process: the map is private, a store changes a
 * copy of the page. The map keeps the file's locks until the collector takes the buffer.
 */
static napi_value js_map_memory(napi_env env, napi_callback_info info) {
  size_t argc = 2;
  napi_value argv[2], result;
  int32_t fd;
  int64_t size;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (argc < 2 || !get_int32(env, argv[0], &fd) || !get_int64(env, argv[1], &size) || size <= 0)
    return throw_type(env, "mapMemory(fd, size) takes a descriptor and a size above 0");
  int flags = MAP_PRIVATE | MAP_NORESERVE;
  void *data = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (data == MAP_FAILED)
    return throw_errno(env, errno, "mmap");
  void *hint = (void *)(uintptr_t)size;
  if (napi_create_external_arraybuffer(env, data, (size_t)size, release_memory, hint, &result) !=
      napi_ok) {
    munmap(data, (size_t)size);
    return throw_errno(env, ENOMEM, "napi_create_external_arraybuffer");
  }
  return result;
}

/* Fragments that copyMapped fetches from memory ahead of the one that it copies. */
#define PREFETCH_COUNT 8

/* What the compiler moves by vector instructions, wherever it lies. */
typedef struct {
  uint8_t bytes[64];
} line_of_bytes;

/*
 * memcpy by vectors. glibc's copies more than 4 KiB by `rep movsb`, which on AMD's processors is
 * four times slower where the target lies 8, 16 or 24 bytes beside a multiple of 32; malloc's large
 * blocks do.
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
 * As copy_bytes, of what will not stay in the caches anyway: the target's lines are not fetched
 * first.
 */
static void stream_bytes(uint8_t *target, const uint8_t *source, size_t size) {
#ifdef __SSE2__
  size_t head = (size_t)(-(uintptr_t)target % sizeof(line_of_bytes));
  if (head > size)
    head = size;
  copy_bytes(target, source, head);
  size_t at = head;
  for (; size - at >= sizeof(line_of_bytes); at += sizeof(line_of_bytes)) {
    const __m128i *from = (const __m128i *)(source + at);
    __m128i *to = (__m128i *)(target + at);
    __m128i a = _mm_loadu_si128(from), b = _mm_loadu_si128(from + 1), c = _mm_loadu_si128(from + 2),
            d = _mm_loadu_si128(from + 3);
    _mm_stream_si128(to, a);
    _mm_stream_si128(to + 1, b);
    _mm_stream_si128(to + 2, c);
    _mm_stream_si128(to + 3, d);
  }
  _mm_sfence();
  copy_bytes(target + at, source + at, size - at);
#else
  copy_bytes(target, source, size);
#endif
}

/*
 * copyMapped(target, map, base, targetOffsets, offsets, sizes, count): count copies from a map, at
 * offsets from `base`; they and the sizes, in bytes, are Float64Arrays. Every fragment is checked
 * before any byte moves. A page of the map that cannot be read is EFAULT.
 */
static napi_value js_copy_mapped(napi_env env, napi_callback_info info) {
  size_t argc = 7;
  napi_value argv[7];
  uint8_t *target, *lists[3];
  struct file_map *map;
  size_t target_size, list_sizes[3];
  int64_t base;
  uint32_t count;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (argc < 7 || !get_bytes(env, argv[0], &target, &target_size) || !get_map(env, argv[1], &map) ||
      !get_int64(env, argv[2], &base) || !get_uint32(env, argv[6], &count))
    return throw_type(env, "copyMapped takes bytes, a map, a base, three lists and a count");
  if (base < 0 || (uint64_t)base > map->size)
    return throw_type(env, "copyMapped: the base lies outside the map");
  const uint8_t *source = map->data + base;
  size_t source_size = map->size - (size_t)base;
  for (int i = 0; i < 3; i++)
    if (!get_bytes(env, argv[3 + i], &lists[i], &list_sizes[i]) ||
        list_sizes[i] < (size_t)count * sizeof(double))
      return throw_type(env, "copyMapped: a list is shorter than the count");
  const double *to = (const double *)lists[0], *from = (const double *)lists[1],
               *size = (const double *)lists[2];
  for (uint32_t i = 0; i < count; i++)
    if (!(to[i] >= 0 && from[i] >= 0 && size[i] >= 0 && to[i] + size[i] <= (double)target_size &&
          from[i] + size[i] <= (double)source_size))
      return throw_type(env, "copyMapped: a fragment lies outside its buffer");
  sigjmp_buf back;
  if (FAULT_CAUGHT(back))
    return throw_errno(env, EFAULT, "copyMapped");
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

/* crc32cMapped(map, start, end, seed): that of bytes [start, end) of a map; EFAULT as above. */
static napi_value js_crc32c_mapped(napi_env env, napi_callback_info info) {
  size_t argc = 4;
  napi_value argv[4], result;
  struct file_map *map;
  int64_t start, end;
  uint32_t seed;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (crc_of == NULL || argc < 4 || !get_map(env, argv[0], &map) ||
      !get_int64(env, argv[1], &start) || !get_int64(env, argv[2], &end) ||
      !get_uint32(env, argv[3], &seed) || start < 0 || end < start || (uint64_t)end > map->size ||
      end - start > INT32_MAX)
    return throw_type(env, "crc32cMapped(map, start, end, seed): the range lies outside the map");
  sigjmp_buf back;
  if (FAULT_CAUGHT(back))
    return throw_errno(env, EFAULT, "crc32cMapped");
  uint32_t crc = crc_of(map->data + start, (size_t)(end - start), seed);
  fault_end();
  napi_create_uint32(env, crc, &result);
  return result;
}

/* Whether a block of mapped data has its checksum: that of its number and its data. */
static bool is_intact(const uint8_t *block_data, size_t block_size, uint32_t block, uint32_t seed,
                      uint32_t checksum) {
  uint8_t number[4] = {(uint8_t)(block >> 24), (uint8_t)(block >> 16), (uint8_t)(block >> 8),
                       (uint8_t)block};
  return crc_of(block_data, block_size, crc_of(number, sizeof number, seed)) == checksum;
}

/* Copies of so many bytes or more go past the caches. */
#define STREAMED_SIZE_MIN (1 << 20)

/*
 * readVerified(target, map, {base, position, size, blockSize, seed}, verified, checksums): copies
 * `size` bytes from `position` behind `base`, each block of the data verified before, unless
 * `verified` says that it was; then it says so. A block is copied while it is in the cache.
 *
 * Returns how many bytes were copied: fewer where a block has no checksum, or another one; the rest
 * is for the caller to look into. The five numbers are a Float64Array.
 */
static napi_value js_read_verified(napi_env env, napi_callback_info info) {
  size_t argc = 5;
  napi_value argv[5], result;
  uint8_t *target, *numbers, *verified, *checksums;
  struct file_map *map;
  size_t target_size, numbers_size, verified_size, checksums_size;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (crc_of == NULL || argc < 5 || !get_bytes(env, argv[0], &target, &target_size) ||
      !get_map(env, argv[1], &map) || !get_bytes(env, argv[2], &numbers, &numbers_size) ||
      !get_bytes(env, argv[3], &verified, &verified_size) ||
      !get_bytes(env, argv[4], &checksums, &checksums_size) || numbers_size < 5 * sizeof(double))
    return throw_type(env, "readVerified takes bytes, a map, five numbers and two lists");
  const double *number = (const double *)numbers;
  uint64_t base = (uint64_t)number[0], position = (uint64_t)number[1], size = (uint64_t)number[2],
           block_size = (uint64_t)number[3];
  uint32_t seed = (uint32_t)number[4];
  if (!(number[0] >= 0 && number[1] >= 0 && number[2] >= 0 && number[3] >= 1) ||
      size > target_size || base + position + size > map->size)
    return throw_type(env, "readVerified: the range lies outside the map or the target");
  uint64_t blocks = (map->size - base) / block_size;
  if (blocks > verified_size)
    blocks = verified_size;
  if (blocks > checksums_size / sizeof(uint32_t))
    blocks = checksums_size / sizeof(uint32_t);
  const uint8_t *data = map->data + base;
  volatile uint64_t copied = 0;
  sigjmp_buf back;
  if (FAULT_CAUGHT(back))
    return throw_errno(env, EFAULT, "readVerified");
  while (copied < size) {
    uint64_t at = position + copied, block = at / block_size;
    uint64_t end =
        (block + 1) * block_size < position + size ? (block + 1) * block_size : position + size;
    if (block >= blocks)
      break;
    if (verified[block] != 1) {
      uint32_t checksum = ((const uint32_t *)checksums)[block];
      if (!is_intact(data + block * block_size, block_size, (uint32_t)block, seed, checksum))
        break;
      verified[block] = 1;
    }
    if (size >= STREAMED_SIZE_MIN)
      stream_bytes(target + copied, data + at, end - at);
    else
      copy_bytes(target + copied, data + at, end - at);
    copied = end - position;
  }
  fault_end();
  napi_create_double(env, (double)copied, &result);
  return result;
}

NAPI_MODULE_INIT() {
  bool ok = export_function(env, exports, "fallocate", js_fallocate) &&
            export_function(env, exports, "lock", js_lock) &&
            export_function(env, exports, "waitForLock", js_wait_for_lock) &&
            export_function(env, exports, "isLocked", js_is_locked) &&
            export_function(env, exports, "map", js_map) &&
            export_function(env, exports, "mapMemory", js_map_memory) &&
            export_function(env, exports, "unmap", js_unmap) &&
            export_function(env, exports, "copyMapped", js_copy_mapped) &&
            export_function(env, exports, "useCrc", js_use_crc) &&
            export_function(env, exports, "crc32cMapped", js_crc32c_mapped) &&
            export_function(env, exports, "readVerified", js_read_verified);
  return ok && export_real_files(env, exports) ? exports : NULL;
}
