/*
 * Longer than 500 lines: LMDB can be included in one file only, and all calls share its structures.
 *
 * The index: LMDB behind N-API, with the calls that a versioned store makes.
 *
 * LMDB itself is compiled into this addon from the sources of the pinned npm package `lmdb`. Its C
 * file is included, because the check of pages below reads its structures.
 *
 * Keys and values cross in one shared buffer, the *exchange*: JavaScript writes a key to its start
 * and reads what was found behind it, so that a call passes numbers only.
 *
 *     0 .. 2047              key (or the first key of a range)
 *     2048 .. 4095           one past the last key of a range
 *     4096 .. EXCHANGE_SIZE  what was found
 *
 * Each page carries a 16-bit checksum where LMDB keeps the key size of pages that the store does
 * not use (mp_pad): computed as pages are written, compared by check().
 */
#define _GNU_SOURCE
#include <sys/types.h>
#include <sys/uio.h>

/* The set-up makes LMDB call this where it writes pages; see store_pages. */
static int store_pages(void *context, const struct iovec *parts, int count, off_t at);
#define STORE_PAGES(env, parts, count, at) store_pages((env)->me_userctx, parts, count, at)

#include <mdb.c>
#include <midl.c>

#include "../../device/native/fault-guard.h"
#include "page-check.h"

#define NAPI_VERSION 8
#include <node_api.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum {
  KEY_ROOM = 2048,
  FOUND_START = 4096,
  EXCHANGE_SIZE = 256 * 1024,
  ENTRY_HEADER = 8,
  HEAD_SIZE = 16,
  HANDLES_MAX = 1024,
  CHECK_BEGINS_MAX = 1000,
  /* A disk with less is full. */
  SPACE_LOW = 1024 * 1024,
  STAT_COUNT = 9,
};

/* One open index file of the process: LMDB allows one environment per file and process. */
typedef struct Store {
  MDB_env *env;
  MDB_dbi dbi;
  dev_t device;
  ino_t inode;
  int references;
  /* The file, mapped for writing, in an index that need not survive a power cut; NULL otherwise. */
  uint8_t *map;
  size_t map_size;
  /* Bytes of the file that are allocated: what lies beyond must not be touched through the map. */
  size_t allocated;
  struct Store *next;
} Store;

/* What one JavaScript thread opened. */
typedef struct {
  Store *store;
  MDB_txn *reader;
  MDB_cursor *reader_cursor;
  MDB_txn *writer;
  MDB_cursor *writer_cursor;
  /* Whether the writer changed anything. */
  int changed;
  /* Whether the reader shows one state across calls. */
  int holds;
  /* The state that was read last without a slot of the reader table; 0 if there was a slot. */
  txnid_t unguarded;
} Handle;

typedef struct {
  uint8_t *exchange;
  Handle *handles[HANDLES_MAX];
} Instance;

static pthread_mutex_t stores_lock = PTHREAD_MUTEX_INITIALIZER;
static Store *stores;

/* ---- N-API ---- */

static const char *error_code(int rc, char *scratch, size_t size) {
  switch (rc) {
  case ENOSPC:
    return "ENOSPC";
  case EDQUOT:
    return "EDQUOT";
  case EACCES:
    return "EACCES";
  case EPERM:
    return "EPERM";
  case EROFS:
    return "EROFS";
  case EIO:
    return "EIO";
  case ENOENT:
    return "ENOENT";
  case ENOMEM:
    return "ENOMEM";
  case EINVAL:
    return "EINVAL";
  case EFBIG:
    return "EFBIG";
  case MDB_MAP_FULL:
    return "MDB_MAP_FULL";
  case MDB_READERS_FULL:
    return "MDB_READERS_FULL";
  case MDB_INVALID:
    return "MDB_INVALID";
  case MDB_CORRUPTED:
    return "MDB_CORRUPTED";
  case MDB_PAGE_NOTFOUND:
    return "MDB_PAGE_NOTFOUND";
  case MDB_VERSION_MISMATCH:
    return "MDB_VERSION_MISMATCH";
  default:
    snprintf(scratch, size, rc < 0 ? "MDB_%d" : "E%d", rc < 0 ? -rc : rc);
    return scratch;
  }
}

static napi_value throw_lmdb(napi_env env, int rc, const char *call) {
  char scratch[24], message[200];
  const char *code = error_code(rc, scratch, sizeof scratch);
  snprintf(message, sizeof message, "%s: %s, %s", code, mdb_strerror(rc), call);
  napi_throw_error(env, code, message);
  return NULL;
}

static napi_value throw_usage(napi_env env, const char *message) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
  return NULL;
}

static napi_value number(napi_env env, double value) {
  napi_value result;
  napi_create_double(env, value, &result);
  return result;
}

static napi_value small(napi_env env, int32_t value) {
  napi_value result;
  napi_create_int32(env, value, &result);
  return result;
}

static Instance *instance_of(napi_env env) {
  void *data = NULL;
  napi_get_instance_data(env, &data);
  return data;
}

/* Reads `count` integer arguments after the handle; NULL, with an exception pending, if they are
 * not. */
static Handle *arguments(napi_env env, napi_callback_info info, int64_t *out, size_t count,
                         napi_value *rest, size_t rest_count) {
  napi_value argv[8];
  size_t argc = 8;
  int32_t id;
  Instance *instance = instance_of(env);
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (argc < 1 + count + rest_count || napi_get_value_int32(env, argv[0], &id) != napi_ok ||
      id < 0 || id >= HANDLES_MAX || !instance->handles[id]) {
    throw_usage(env, "not an open index");
    return NULL;
  }
  for (size_t i = 0; i < count; i++)
    if (napi_get_value_int64(env, argv[1 + i], &out[i]) != napi_ok) {
      throw_usage(env, "an argument is not a number");
      return NULL;
    }
  for (size_t i = 0; i < rest_count; i++)
    rest[i] = argv[1 + count + i];
  return instance->handles[id];
}

/*
 * Takes what reads need (a slot of the reader table, memory), so that none of them locks or
 * allocates: a read may end in a jump.
 */
static int prepare_reads(Handle *handle) {
  int rc = mdb_txn_begin(handle->store->env, NULL, MDB_RDONLY, &handle->reader);
  if (rc) {
    handle->reader = NULL;
    return rc;
  }
  rc = mdb_cursor_open(handle->reader, handle->store->dbi, &handle->reader_cursor);
  mdb_txn_reset(handle->reader);
  return rc;
}

/* Begins a look at the newest state, or goes on in the state that is held or being written. */
static int begin_read(Handle *handle, MDB_txn **txn) {
  *txn = handle->writer ? handle->writer : handle->reader;
  return handle->writer || handle->holds ? 0 : mdb_txn_renew(handle->reader);
}

/*
 * Pages that contradict themselves, in a read: a damaged page, or one that was written anew under a
 * reader without a slot. Elsewhere LMDB ends the process.
 */
static void on_contradiction(MDB_env *lmdb, const char *text) {
  (void)lmdb, (void)text;
  if (fault_return)
    siglongjmp(*fault_return, 1);
}

static void end_read(Handle *handle) {
  fault_end();
  handle->unguarded = handle->writer || handle->reader->mt_u.reader ? 0 : handle->reader->mt_txnid;
  if (!handle->writer && !handle->holds)
    mdb_txn_reset(handle->reader);
}

/* Ends a read that LMDB could not finish. */
static napi_value throw_damaged(napi_env env, Handle *handle, const char *call) {
  end_read(handle);
  return throw_lmdb(env, MDB_CORRUPTED, call);
}

/* Opens the writer's cursor, which allocates: before a read. */
static int prepare_cursor(Handle *handle) {
  if (!handle->writer || handle->writer_cursor)
    return 0;
  return mdb_cursor_open(handle->writer, handle->store->dbi, &handle->writer_cursor);
}

static int cursor_of(Handle *handle, MDB_txn *txn, MDB_cursor **cursor) {
  *cursor = handle->writer ? handle->writer_cursor : handle->reader_cursor;
  return handle->writer ? 0 : mdb_cursor_renew(txn, *cursor);
}

static Store *find_store(dev_t device, ino_t inode) {
  for (Store *store = stores; store; store = store->next)
    if (store->device == device && store->inode == inode)
      return store;
  return NULL;
}

static void measure_file(Store *store) {
  struct stat stat_of;
  store->allocated = fstat(store->env->me_fd, &stat_of) == 0 ? (size_t)stat_of.st_size : 0;
}

/*
 * Maps the file for writing. A copy of a file may have holes, and a store into one on a full disk
 * would end the process: without space for all of it there is no map.
 */
static void map_file(Store *store, double map_size) {
  measure_file(store);
  if (store->allocated == 0 ||
      fallocate(store->env->me_fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)store->allocated) != 0)
    return;
  store->map_size = (size_t)map_size;
  store->map = mmap(NULL, store->map_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
                    store->env->me_fd, 0);
  if (store->map == MAP_FAILED)
    store->map = NULL;
  mdb_env_set_userctx(store->env, store);
}

/*
 * Stores pages through the map: a page costs a copy, and not a system call. Pages of a transaction
 * lie scattered, so that each would be a call. The file is allocated ahead (index-budget.ts); what
 * is not, LMDB writes itself. Returns whether the pages were stored.
 */
static int store_pages(void *context, const struct iovec *parts, int count, off_t at) {
  Store *store = context;
  size_t end = (size_t)at;
  if (!store || !store->map)
    return 0;
  for (int i = 0; i < count; i++)
    end += parts[i].iov_len;
  if (end > store->allocated || end > store->map_size)
    return 0;
  uint8_t *to = store->map + at;
  for (int i = 0; i < count; i++) {
    memcpy(to, parts[i].iov_base, parts[i].iov_len);
    to += parts[i].iov_len;
  }
  return 1;
}

static int open_store(const char *path, unsigned flags, double map_size, unsigned readers,
                      Store **out) {
  struct stat stat_of;
  if (stat(path, &stat_of) == 0) {
    *out = find_store(stat_of.st_dev, stat_of.st_ino);
    if (*out) {
      (*out)->references++;
      return 0;
    }
  }
  Store *store = calloc(1, sizeof *store);
  if (!store)
    return ENOMEM;
  int rc = mdb_env_create(&store->env);
  if (rc) {
    free(store);
    return rc;
  }
  MDB_txn *txn = NULL;
  int dead;
  mdb_env_set_mapsize(store->env, (mdb_size_t)map_size);
  mdb_env_set_maxreaders(store->env, readers);
  /* No room is taken at the end of pages: store_checksum uses a field of the header. */
  store->env->me_sumfunc = store_checksum;
  mdb_env_set_assert(store->env, on_contradiction);
  guard_faults();
  rc = mdb_env_open(store->env, path, flags | MDB_NOSUBDIR | MDB_NOTLS, 0664);
  if (!rc)
    rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);
  if (!rc)
    rc = mdb_dbi_open(txn, NULL, 0, &store->dbi);
  if (!rc)
    rc = mdb_txn_commit(txn);
  else if (txn)
    mdb_txn_abort(txn);
  if (!rc && stat(path, &stat_of) != 0)
    rc = errno;
  if (rc) {
    mdb_env_close(store->env);
    free(store);
    return rc;
  }
  /* Slots of readers that were killed would keep dead pages from being used again. */
  mdb_reader_check(store->env, &dead);
  store->device = stat_of.st_dev;
  store->inode = stat_of.st_ino;
  store->references = 1;
  if (flags & MDB_NOSYNC && !(flags & MDB_RDONLY))
    map_file(store, map_size);
  store->next = stores;
  stores = store;
  *out = store;
  return 0;
}

static void close_store(Store *store) {
  if (--store->references > 0)
    return;
  if (store->map)
    munmap(store->map, store->map_size);
  Store **link = &stores;
  while (*link != store)
    link = &(*link)->next;
  *link = store->next;
  mdb_env_close(store->env);
  free(store);
}

static void close_handle(Handle *handle) {
  if (handle->writer_cursor)
    mdb_cursor_close(handle->writer_cursor);
  if (handle->writer)
    mdb_txn_abort(handle->writer);
  if (handle->reader_cursor)
    mdb_cursor_close(handle->reader_cursor);
  if (handle->reader)
    mdb_txn_abort(handle->reader);
  pthread_mutex_lock(&stores_lock);
  close_store(handle->store);
  pthread_mutex_unlock(&stores_lock);
  free(handle);
}

/* open(path, flags, mapSize, readers): a handle; flags 1 read-only, 2 without sync. */
static napi_value js_open(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  size_t argc = 4, length;
  char path[4096];
  int32_t flags;
  uint32_t readers;
  double map_size;
  Instance *instance = instance_of(env);
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (argc < 4 || napi_get_value_string_utf8(env, argv[0], path, sizeof path, &length) != napi_ok ||
      length + 1 >= sizeof path || napi_get_value_int32(env, argv[1], &flags) != napi_ok ||
      napi_get_value_double(env, argv[2], &map_size) != napi_ok ||
      napi_get_value_uint32(env, argv[3], &readers) != napi_ok)
    return throw_usage(env, "open(path, flags, mapSize, readers)");
  int id = 0;
  while (id < HANDLES_MAX && instance->handles[id])
    id++;
  Handle *handle = id < HANDLES_MAX ? calloc(1, sizeof *handle) : NULL;
  if (!handle)
    return throw_lmdb(env, ENOMEM, "open");
  pthread_mutex_lock(&stores_lock);
  int rc = open_store(path, (flags & 1 ? MDB_RDONLY : 0) | (flags & 2 ? MDB_NOSYNC : 0), map_size,
                      readers, &handle->store);
  pthread_mutex_unlock(&stores_lock);
  if (rc) {
    free(handle);
    return throw_lmdb(env, rc, "mdb_env_open");
  }
  rc = prepare_reads(handle);
  if (rc) {
    close_handle(handle);
    return throw_lmdb(env, rc, "mdb_txn_begin");
  }
  instance->handles[id] = handle;
  return small(env, id);
}

static napi_value js_close(napi_env env, napi_callback_info info) {
  Handle *handle = arguments(env, info, NULL, 0, NULL, 0);
  if (!handle)
    return NULL;
  Instance *instance = instance_of(env);
  for (int id = 0; id < HANDLES_MAX; id++)
    if (instance->handles[id] == handle)
      instance->handles[id] = NULL;
  close_handle(handle);
  return NULL;
}

/* The handle and the key's size of a call that has no other argument. */
static Handle *key_call(napi_env env, napi_callback_info info, int64_t *size) {
  Handle *handle = arguments(env, info, size, 1, NULL, 0);
  if (handle && (*size < 1 || *size > KEY_ROOM))
    return throw_usage(env, "a key has 1 to 2048 bytes"), NULL;
  return handle;
}

/*
 * Begins a read and looks up the key of a call whose only argument is its size; the caller ends the
 * read. Returns what LMDB did.
 */
static int look_up(Handle *handle, const uint8_t *exchange, int64_t size, MDB_val *value) {
  MDB_val key = {(size_t)size, (void *)exchange};
  MDB_txn *txn;
  int rc = begin_read(handle, &txn);
  return rc ? rc : mdb_get(txn, handle->store->dbi, &key, value);
}

/* get(handle, keySize): copies the value to the exchange; its size, or -1. A value that does not
 * fit is not copied. */
static napi_value js_get(napi_env env, napi_callback_info info) {
  int64_t size;
  MDB_val value;
  sigjmp_buf back;
  Handle *handle = key_call(env, info, &size);
  if (!handle)
    return NULL;
  uint8_t *exchange = instance_of(env)->exchange;
  if (FAULT_CAUGHT(back))
    return throw_damaged(env, handle, "mdb_get");
  int rc = look_up(handle, exchange, size, &value);
  if (!rc && value.mv_size <= EXCHANGE_SIZE - FOUND_START)
    memcpy(exchange + FOUND_START, value.mv_data, value.mv_size);
  end_read(handle);
  if (rc == MDB_NOTFOUND)
    return small(env, -1);
  return rc ? throw_lmdb(env, rc, "mdb_get") : number(env, (double)value.mv_size);
}

/* getCopy(handle, keySize): the value in a buffer of its own, or undefined: for values that are too
 * large for get(). */
static napi_value js_get_copy(napi_env env, napi_callback_info info) {
  int64_t size;
  MDB_val value;
  void *data;
  napi_value buffer, result = NULL;
  sigjmp_buf back;
  Handle *handle = key_call(env, info, &size);
  if (!handle)
    return NULL;
  const uint8_t *exchange = instance_of(env)->exchange;
  if (FAULT_CAUGHT(back))
    return throw_damaged(env, handle, "mdb_get");
  int rc = look_up(handle, exchange, size, &value);
  fault_end();
  if (!rc && value.mv_size > (size_t)UINT32_MAX)
    rc = MDB_CORRUPTED;
  if (!rc && napi_create_arraybuffer(env, value.mv_size, &data, &buffer) != napi_ok)
    rc = ENOMEM;
  if (rc) {
    end_read(handle);
    return rc == MDB_NOTFOUND ? NULL : throw_lmdb(env, rc, "mdb_get");
  }
  if (FAULT_CAUGHT(back))
    return throw_damaged(env, handle, "mdb_get");
  memcpy(data, value.mv_data, value.mv_size);
  end_read(handle);
  napi_create_typedarray(env, napi_uint8_array, value.mv_size, buffer, 0, &result);
  return result;
}

static void put_u32(uint8_t *at, uint32_t value) { memcpy(at, &value, sizeof value); }

/*
 * Appends an entry: u32 key size, u32 value size, key, the first `value_max` bytes of the value.
 * Returns where the next one starts, or 0 if it does not fit.
 */
static size_t append_entry(uint8_t *exchange, size_t at, const MDB_val *key, const MDB_val *value,
                           size_t value_max) {
  size_t value_size = value->mv_size < value_max ? value->mv_size : value_max;
  if (at + ENTRY_HEADER + key->mv_size + value_size > EXCHANGE_SIZE)
    return 0;
  put_u32(exchange + at, (uint32_t)key->mv_size);
  put_u32(exchange + at + 4, (uint32_t)value->mv_size);
  memcpy(exchange + at + ENTRY_HEADER, key->mv_data, key->mv_size);
  memcpy(exchange + at + ENTRY_HEADER + key->mv_size, value->mv_data, value_size);
  return at + ENTRY_HEADER + key->mv_size + value_size;
}

/*
 * seek(handle, keySize, prefixSize): the first entry at or after the key, if its key begins with
 * the first `prefixSize` bytes of it. 1 if it was copied as an entry, 2 if only its key was (the
 * value does not fit), 0 if there is none.
 */
static napi_value js_seek(napi_env env, napi_callback_info info) {
  int64_t sizes[2];
  Handle *handle = arguments(env, info, sizes, 2, NULL, 0);
  if (!handle)
    return NULL;
  if (sizes[0] < 1 || sizes[0] > KEY_ROOM || sizes[1] < 0 || sizes[1] > sizes[0])
    return throw_usage(env, "a key has 1 to 2048 bytes");
  uint8_t *exchange = instance_of(env)->exchange;
  MDB_val key = {(size_t)sizes[0], exchange}, value;
  MDB_txn *txn;
  MDB_cursor *cursor;
  sigjmp_buf back;
  int rc = prepare_cursor(handle), found = 0;
  if (rc)
    return throw_lmdb(env, rc, "mdb_cursor_open");
  if (FAULT_CAUGHT(back))
    return throw_damaged(env, handle, "mdb_cursor_get");
  rc = begin_read(handle, &txn);
  if (!rc)
    rc = cursor_of(handle, txn, &cursor);
  if (!rc)
    rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
  if (!rc && key.mv_size >= (size_t)sizes[1] && !memcmp(key.mv_data, exchange, (size_t)sizes[1])) {
    found = append_entry(exchange, FOUND_START, &key, &value, SIZE_MAX) ? 1 : 2;
    if (found == 2)
      append_entry(exchange, FOUND_START, &key, &value, 0);
  }
  end_read(handle);
  if (rc && rc != MDB_NOTFOUND)
    return throw_lmdb(env, rc, "mdb_cursor_get");
  return small(env, found);
}

/* The entry that a scan begins with. */
static int scan_first(MDB_cursor *cursor, MDB_val *key, MDB_val *value, const MDB_val *bound,
                      int reverse, int exclusive) {
  *key = *bound;
  int rc = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
  if (!reverse) {
    if (!rc && exclusive && key->mv_size == bound->mv_size &&
        !memcmp(key->mv_data, bound->mv_data, bound->mv_size))
      rc = mdb_cursor_get(cursor, key, value, MDB_NEXT);
    return rc;
  }
  return mdb_cursor_get(cursor, key, value, rc == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
}

static int compare_keys(const MDB_val *a, const MDB_val *b) {
  size_t shorter = a->mv_size < b->mv_size ? a->mv_size : b->mv_size;
  int order = memcmp(a->mv_data, b->mv_data, shorter);
  return order ? order : a->mv_size < b->mv_size ? -1 : a->mv_size > b->mv_size;
}

/*
 * scan(handle, startSize, endSize, countMax, how): copies entries of [start, end) to the exchange,
 * as many as fit; their number, negative if the scan ended there. A first value that does not fit
 * is left out, and its size says so. how: 1 from the end down, 2 after the start instead of at it,
 * 4 only the first 16 bytes of values.
 */
static napi_value js_scan(napi_env env, napi_callback_info info) {
  int64_t args[4];
  Handle *handle = arguments(env, info, args, 4, NULL, 0);
  if (!handle)
    return NULL;
  if (args[0] < 0 || args[0] > KEY_ROOM || args[1] < 1 || args[1] > KEY_ROOM)
    return throw_usage(env, "a key has 1 to 2048 bytes");
  uint8_t *exchange = instance_of(env)->exchange;
  int reverse = args[3] & 1;
  size_t value_max = args[3] & 4 ? HEAD_SIZE : SIZE_MAX;
  MDB_val start = {(size_t)args[0], exchange}, end = {(size_t)args[1], exchange + KEY_ROOM};
  MDB_val key, value;
  MDB_txn *txn;
  MDB_cursor *cursor;
  sigjmp_buf back;
  int rc = prepare_cursor(handle), count = 0, ended = 0;
  size_t at = FOUND_START;
  if (rc)
    return throw_lmdb(env, rc, "mdb_cursor_open");
  if (FAULT_CAUGHT(back))
    return throw_damaged(env, handle, "mdb_cursor_get");
  rc = begin_read(handle, &txn);
  if (!rc)
    rc = cursor_of(handle, txn, &cursor);
  if (!rc)
    rc = scan_first(cursor, &key, &value, reverse ? &end : &start, reverse, args[3] & 2);
  while (!rc && count < args[2]) {
    if (reverse ? compare_keys(&key, &start) < 0 : compare_keys(&key, &end) >= 0) {
      ended = 1;
      break;
    }
    size_t next = append_entry(exchange, at, &key, &value, value_max);
    if (!next && count > 0)
      break;
    at = next ? next : append_entry(exchange, at, &key, &value, 0);
    count++;
    if (!next)
      break;
    rc = mdb_cursor_get(cursor, &key, &value, reverse ? MDB_PREV : MDB_NEXT);
  }
  end_read(handle);
  if (rc && rc != MDB_NOTFOUND)
    return throw_lmdb(env, rc, "mdb_cursor_get");
  return small(env, rc == MDB_NOTFOUND || ended ? -1 - count : count);
}

/* The handle of a call without other arguments, and what it reads; NULL, with an exception pending.
 */
static Handle *begin_call(napi_env env, napi_callback_info info, MDB_txn **txn) {
  sigjmp_buf back;
  Handle *handle = arguments(env, info, NULL, 0, NULL, 0);
  if (!handle)
    return NULL;
  if (FAULT_CAUGHT(back))
    return throw_damaged(env, handle, "mdb_txn_begin"), NULL;
  int rc = begin_read(handle, txn);
  fault_end();
  if (rc)
    throw_lmdb(env, rc, "mdb_txn_begin");
  return rc ? NULL : handle;
}

/* hold(handle): from now to release() all reads show one state. */
static napi_value js_hold(napi_env env, napi_callback_info info) {
  MDB_txn *txn;
  Handle *handle = begin_call(env, info, &txn);
  if (!handle)
    return NULL;
  if (!handle->writer)
    handle->holds = 1;
  return NULL;
}

static napi_value js_release(napi_env env, napi_callback_info info) {
  Handle *handle = arguments(env, info, NULL, 0, NULL, 0);
  if (!handle)
    return NULL;
  handle->holds = 0;
  end_read(handle);
  return NULL;
}

/*
 * overtaken(handle): whether pages of the state that was read last may have been used again while
 * it was read. A user who may not write the reader table holds no page back. What transaction n + 1
 * frees of state n, n + 3 may take, which begins to write when n + 2 is the newest.
 */
static napi_value js_overtaken(napi_env env, napi_callback_info info) {
  Handle *handle = arguments(env, info, NULL, 0, NULL, 0);
  napi_value result;
  if (!handle)
    return NULL;
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  MDB_meta *const *metas = handle->store->env->me_metas;
  txnid_t first = __atomic_load_n(&metas[0]->mm_txnid, __ATOMIC_ACQUIRE);
  txnid_t second = __atomic_load_n(&metas[1]->mm_txnid, __ATOMIC_ACQUIRE);
  txnid_t newest = first > second ? first : second;
  napi_get_boolean(env, handle->unguarded && newest > handle->unguarded + 1, &result);
  return result;
}

/* begin(handle): takes the writer lock of all processes. */
static napi_value js_begin(napi_env env, napi_callback_info info) {
  Handle *handle = arguments(env, info, NULL, 0, NULL, 0);
  if (!handle)
    return NULL;
  if (handle->writer)
    return throw_usage(env, "transactions do not nest");
  int rc = mdb_txn_begin(handle->store->env, NULL, 0, &handle->writer);
  if (rc)
    handle->writer = NULL;
  handle->changed = 0;
  if (!rc)
    measure_file(handle->store);
  return rc ? throw_lmdb(env, rc, "mdb_txn_begin") : NULL;
}

static void close_writer_cursor(Handle *handle) {
  if (handle->writer_cursor)
    mdb_cursor_close(handle->writer_cursor);
  handle->writer_cursor = NULL;
}

/*
 * A transaction that met a page which is not there, in the middle of a change: what it did can only
 * be dropped. LMDB's cursors of that change were on the stack that was left.
 */
static void spoil_writer(Handle *handle) {
  fault_end();
  close_writer_cursor(handle);
  for (MDB_dbi dbi = 0; dbi < handle->writer->mt_numdbs; dbi++)
    handle->writer->mt_cursors[dbi] = NULL;
  handle->writer->mt_flags |= MDB_TXN_ERROR;
}

/* A write that was cut short is EIO to LMDB; on a full disk it is that the disk is full. */
static int is_full(MDB_env *lmdb) {
  struct statvfs space;
  return fstatvfs(lmdb->me_fd, &space) == 0 &&
         (uint64_t)space.f_bavail * space.f_frsize < (uint64_t)SPACE_LOW;
}

/* commit(handle): all of the transaction takes effect, or none of it and an error. */
static napi_value js_commit(napi_env env, napi_callback_info info) {
  Handle *handle = arguments(env, info, NULL, 0, NULL, 0);
  if (!handle)
    return NULL;
  if (!handle->writer)
    return throw_usage(env, "there is no transaction");
  close_writer_cursor(handle);
  MDB_env *lmdb = handle->store->env;
  measure_file(handle->store);
  sigjmp_buf back;
  if (FAULT_CAUGHT(back)) {
    spoil_writer(handle);
    mdb_txn_abort(handle->writer);
    handle->writer = NULL;
    return throw_lmdb(env, MDB_CORRUPTED, "mdb_txn_commit");
  }
  int rc = handle->changed ? put_number(handle->writer, handle->store->dbi) : MDB_BAD_TXN;
  if (!rc)
    rc = mdb_txn_commit(handle->writer);
  else
    mdb_txn_abort(handle->writer);
  fault_end();
  handle->writer = NULL;
  if (!handle->changed)
    return NULL;
  return rc ? throw_lmdb(env, rc == EIO && is_full(lmdb) ? ENOSPC : rc, "mdb_txn_commit") : NULL;
}

static napi_value js_abort(napi_env env, napi_callback_info info) {
  Handle *handle = arguments(env, info, NULL, 0, NULL, 0);
  if (!handle)
    return NULL;
  close_writer_cursor(handle);
  if (handle->writer)
    mdb_txn_abort(handle->writer);
  handle->writer = NULL;
  return NULL;
}

/*
 * put(handle, keySize, value): stores a value in the transaction; the pages that the file has then,
 * with those that only this transaction has added.
 */
static napi_value js_put(napi_env env, napi_callback_info info) {
  int64_t size;
  napi_value bytes;
  napi_typedarray_type type;
  size_t length;
  void *data;
  Handle *handle = arguments(env, info, &size, 1, &bytes, 1);
  if (!handle)
    return NULL;
  if (!handle->writer || size < 1 || size > KEY_ROOM ||
      napi_get_typedarray_info(env, bytes, &type, &length, &data, NULL, NULL) != napi_ok ||
      type != napi_uint8_array)
    return throw_usage(env, "put(handle, keySize, value) in a transaction");
  MDB_val key = {(size_t)size, instance_of(env)->exchange}, value = {length, data};
  sigjmp_buf back;
  handle->changed = 1;
  if (FAULT_CAUGHT(back))
    return spoil_writer(handle), throw_lmdb(env, MDB_CORRUPTED, "mdb_put");
  int rc = mdb_put(handle->writer, handle->store->dbi, &key, &value, 0);
  fault_end();
  return rc ? throw_lmdb(env, rc, "mdb_put") : number(env, (double)handle->writer->mt_next_pgno);
}

/* remove(handle, keySize): removes an entry in the transaction, if it is there; returns what put()
 * does. */
static napi_value js_remove(napi_env env, napi_callback_info info) {
  int64_t size;
  Handle *handle = arguments(env, info, &size, 1, NULL, 0);
  if (!handle)
    return NULL;
  if (!handle->writer || size < 1 || size > KEY_ROOM)
    return throw_usage(env, "remove(handle, keySize) in a transaction");
  MDB_val key = {(size_t)size, instance_of(env)->exchange};
  sigjmp_buf back;
  handle->changed = 1;
  if (FAULT_CAUGHT(back))
    return spoil_writer(handle), throw_lmdb(env, MDB_CORRUPTED, "mdb_del");
  int rc = mdb_del(handle->writer, handle->store->dbi, &key, NULL);
  fault_end();
  return rc && rc != MDB_NOTFOUND ? throw_lmdb(env, rc, "mdb_del")
                                  : number(env, (double)handle->writer->mt_next_pgno);
}

/* Pages of a list of free pages. */
static size_t count_free(const MDB_ID *list, size_t room) {
  size_t pages = 0;
  for (size_t at = 1; at <= list[0] && at < room; at++) {
    ssize_t entry = (ssize_t)list[at];
    pages += entry < 0 ? (size_t)-entry : entry > 0;
    at += entry < 0;
  }
  return pages;
}

/*
 * usable(handle): the free pages that the transaction could still take, one by one. LMDB has taken
 * some records of the free list into memory; of the others, those count that no reader can see.
 */
static napi_value js_usable(napi_env env, napi_callback_info info) {
  Handle *handle = arguments(env, info, NULL, 0, NULL, 0);
  if (!handle)
    return NULL;
  if (!handle->writer)
    return throw_usage(env, "there is no transaction");
  MDB_txn *txn = handle->writer;
  MDB_env *own = txn->mt_env;
  txnid_t oldest = mdb_find_oldest(txn), id;
  size_t pages = (size_t)txn->mt_loose_count;
  MDB_cursor cursor;
  MDB_val key, data;
  sigjmp_buf back;
  if (FAULT_CAUGHT(back))
    return throw_lmdb(env, MDB_CORRUPTED, "mdb_cursor_get");
  if (own->me_pghead)
    pages += count_free(own->me_pghead, own->me_pghead[0] + 1);
  mdb_cursor_init(&cursor, txn, FREE_DBI, NULL);
  int rc = mdb_cursor_get(&cursor, &key, &data, MDB_FIRST);
  for (; !rc; rc = mdb_cursor_get(&cursor, &key, &data, MDB_NEXT)) {
    memcpy(&id, key.mv_data, sizeof id);
    if (id >= oldest)
      break;
    int loaded =
        own->me_freelist_start && id >= own->me_freelist_start && id < own->me_freelist_end;
    if (!loaded && data.mv_size >= sizeof(MDB_ID))
      pages += count_free(data.mv_data, data.mv_size / sizeof(MDB_ID));
  }
  fault_end();
  return rc && rc != MDB_NOTFOUND ? throw_lmdb(env, rc, "mdb_cursor_get")
                                  : number(env, (double)pages);
}

/* Whether the tree that a reader has is that of its number: the number only grows. */
static int begun_whole(MDB_txn *txn) {
  return txn->mt_env->me_metas[txn->mt_txnid & 1]->mm_txnid == txn->mt_txnid;
}

/*
 * checkFrom(handle, keySize, budget): checks the pages of the entries from a key on until about
 * `budget` pages were read, or one is damaged: [pages read, size of the key to go on from (0 at the
 * end), what is wrong or undefined, the page, size of the first key that it may hold]. The keys are
 * put at the start of what was found, and a key's room behind it.
 */
static napi_value js_check_from(napi_env env, napi_callback_info info) {
  int64_t args[2];
  Handle *handle = arguments(env, info, args, 2, NULL, 0);
  if (!handle)
    return NULL;
  if (args[0] < 0 || args[0] > KEY_ROOM || args[1] < 1)
    return throw_usage(env, "a key has 1 to 2048 bytes");
  uint8_t *exchange = instance_of(env)->exchange;
  MDB_txn *txn;
  sigjmp_buf back;
  if (FAULT_CAUGHT(back))
    return throw_damaged(env, handle, "check");
  int rc = begin_read(handle, &txn);
  for (int at = 0; !rc && !handle->writer && !begun_whole(txn) && at < CHECK_BEGINS_MAX; at++) {
    mdb_txn_reset(txn);
    rc = mdb_txn_renew(txn);
  }
  if (rc) {
    fault_end();
    return throw_lmdb(env, rc, "mdb_txn_begin");
  }
  MDB_db *db = &txn->mt_dbs[MAIN_DBI];
  Walk walk = {.check = {.env = handle->store->env, .txn = txn, .count = txn->mt_next_pgno},
               .from = {(size_t)args[0], exchange},
               .budget = (size_t)args[1] + db->md_depth};
  MDB_val none = {0, NULL};
  if (db->md_root != P_INVALID)
    walk_page(&walk, db->md_root, db->md_depth, none, none);
  if (walk.next.mv_size > KEY_ROOM || walk.low.mv_size > KEY_ROOM)
    walk.next.mv_size = walk.low.mv_size = 0;
  if (walk.next.mv_size)
    memcpy(exchange + FOUND_START, walk.next.mv_data, walk.next.mv_size);
  if (walk.low.mv_size)
    memcpy(exchange + FOUND_START + KEY_ROOM, walk.low.mv_data, walk.low.mv_size);
  end_read(handle);
  napi_value list, text;
  double facts[] = {walk.read, walk.next.mv_size, 0, walk.check.where, walk.low.mv_size};
  napi_create_array_with_length(env, 5, &list);
  for (uint32_t i = 0; i < 5; i++)
    napi_set_element(env, list, i, number(env, facts[i]));
  napi_get_undefined(env, &text);
  if (walk.check.problem)
    napi_create_string_utf8(env, walk.check.problem, NAPI_AUTO_LENGTH, &text);
  napi_set_element(env, list, 2, text);
  return list;
}

/* check(handle): reads every page that the newest state refers to; what is wrong, or undefined. */
static napi_value js_check(napi_env env, napi_callback_info info) {
  MDB_txn *txn;
  Handle *handle = begin_call(env, info, &txn);
  int attempts = CHECK_BEGINS_MAX;
  if (!handle)
    return NULL;
  /* A reader that is interrupted as it begins has the number of one state and the tree of a later
   * one. */
  while (!handle->writer && !begun_whole(txn) && --attempts > 0) {
    mdb_txn_reset(txn);
    int rc = mdb_txn_renew(txn);
    if (rc)
      return throw_lmdb(env, rc, "mdb_txn_renew");
  }
  Check check = {.env = handle->store->env, .txn = txn, .count = txn->mt_next_pgno};
  check.seen = calloc(1, check.count);
  if (!check.seen) {
    end_read(handle);
    return throw_lmdb(env, ENOMEM, "check");
  }
  uint8_t *const seen = check.seen;
  sigjmp_buf back;
  if (FAULT_CAUGHT(back)) {
    free(seen);
    return throw_damaged(env, handle, "check");
  }
  if (!check_database(&check, MAIN_DBI) && !check_database(&check, FREE_DBI))
    check_number(&check, handle->store->dbi);
  end_read(handle);
  free(seen);
  if (!check.problem)
    return NULL;
  char text[160];
  napi_value result;
  snprintf(text, sizeof text, "%s (page %zu)", check.problem, (size_t)check.where);
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &result);
  return result;
}

/*
 * stat(handle): [page size, pages of the file, free pages, entries, depth, transaction, branch and
 * leaf pages of the entries, pages of the free list, pages that the running transaction has
 * changed].
 */
static napi_value js_stat(napi_env env, napi_callback_info info) {
  MDB_txn *txn;
  Handle *handle = begin_call(env, info, &txn);
  if (!handle)
    return NULL;
  MDB_db *main_db = &txn->mt_dbs[MAIN_DBI], *free_db = &txn->mt_dbs[FREE_DBI];
  double tree = main_db->md_branch_pages + main_db->md_leaf_pages;
  double free_list = free_db->md_branch_pages + free_db->md_leaf_pages + free_db->md_overflow_pages;
  double used = NUM_METAS + tree + main_db->md_overflow_pages + free_list;
  double facts[STAT_COUNT] = {handle->store->env->me_psize,
                              txn->mt_next_pgno,
                              txn->mt_next_pgno - used,
                              main_db->md_entries,
                              main_db->md_depth,
                              txn->mt_txnid,
                              tree,
                              free_list,
                              handle->writer ? txn->mt_u.dirty_list[0].mid : 0};
  end_read(handle);
  napi_value list;
  napi_create_array_with_length(env, STAT_COUNT, &list);
  for (uint32_t i = 0; i < STAT_COUNT; i++)
    napi_set_element(env, list, i, number(env, facts[i]));
  return list;
}

/*
 * stateNumber(handle): number of the transaction whose state the next look reads, by which a caller
 * can tell that nothing was committed since; 0 if it cannot be told: while the handle writes or
 * holds a state, and for a reader without the table of readers. No transaction is begun: the number
 * is where LMDB itself takes it from when it begins one.
 */
static napi_value js_state_number(napi_env env, napi_callback_info info) {
  Handle *handle = arguments(env, info, NULL, 0, NULL, 0);
  if (!handle)
    return NULL;
  MDB_txninfo *table = handle->store->env->me_txns;
  bool is_known = table && !handle->writer && !handle->holds;
  return number(env, is_known ? (double)table->mti_txnid : 0);
}

static void free_instance(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  Instance *instance = data;
  for (int id = 0; id < HANDLES_MAX; id++)
    if (instance->handles[id])
      close_handle(instance->handles[id]);
  free(instance);
}

NAPI_MODULE_INIT() {
  static const struct {
    const char *name;
    napi_callback call;
  } calls[] = {
      {"open", js_open},
      {"close", js_close},
      {"get", js_get},
      {"getCopy", js_get_copy},
      {"seek", js_seek},
      {"scan", js_scan},
      {"hold", js_hold},
      {"release", js_release},
      {"begin", js_begin},
      {"commit", js_commit},
      {"abort", js_abort},
      {"put", js_put},
      {"remove", js_remove},
      {"check", js_check},
      {"stat", js_stat},
      {"usable", js_usable},
      {"overtaken", js_overtaken},
      {"checkFrom", js_check_from},
      {"stateNumber", js_state_number},
  };
  Instance *instance = calloc(1, sizeof *instance);
  napi_value exchange, function;
  void *data;
  if (!instance || napi_create_arraybuffer(env, EXCHANGE_SIZE, &data, &exchange) != napi_ok)
    return NULL;
  instance->exchange = data;
  napi_set_instance_data(env, instance, free_instance, NULL);
  napi_set_named_property(env, exports, "exchange", exchange);
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    napi_create_function(env, calls[i].name, NAPI_AUTO_LENGTH, calls[i].call, NULL, &function);
    napi_set_named_property(env, exports, calls[i].name, function);
  }
  return exports;
}
