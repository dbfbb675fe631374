/*
 * The index: LMDB behind N-API, with the calls that a versioned store makes.
 *
 * LMDB itself is compiled into this addon from the sources of the pinned npm package `lmdb`. Its C file
 * is included, because the check of pages below reads its structures.
 *
 * Keys and values cross in one shared buffer, the *exchange*: JavaScript writes a key to its start and
 * reads what was found behind it, so that a call passes numbers only.
 *
 *     0 .. 2047              key (or the first key of a range)
 *     2048 .. 4095           one past the last key of a range
 *     4096 .. EXCHANGE_SIZE  what was found
 *
 * Each page carries a 16-bit checksum where LMDB keeps the key size of pages that the store does not
 * use (mp_pad): computed as pages are written, compared by check().
 */
#define _GNU_SOURCE
#include <mdb.c>
#include <midl.c>

#define NAPI_VERSION 8
#include <node_api.h>
#include <sys/stat.h>

enum {
  KEY_ROOM = 2048,
  FOUND_START = 4096,
  EXCHANGE_SIZE = 256 * 1024,
  ENTRY_HEADER = 8,
  HANDLES_MAX = 1024,
  STAT_COUNT = 9,
};

/* One open index file of the process: LMDB allows one environment per file and process. */
typedef struct Store {
  MDB_env *env;
  MDB_dbi dbi;
  dev_t device;
  ino_t inode;
  int references;
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
} Handle;

typedef struct {
  uint8_t *exchange;
  Handle *handles[HANDLES_MAX];
} Instance;

static pthread_mutex_t stores_lock = PTHREAD_MUTEX_INITIALIZER;
static Store *stores;

/* ---- checksums of pages ---- */

static uint32_t crc_table[8][256];
static pthread_once_t crc_once = PTHREAD_ONCE_INIT;

static void crc_make_table(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit++)
      crc = crc & 1 ? (crc >> 1) ^ 0x82f63b78u : crc >> 1;
    crc_table[0][byte] = crc;
  }
  for (uint32_t byte = 0; byte < 256; byte++)
    for (int slice = 1; slice < 8; slice++) {
      uint32_t crc = crc_table[slice - 1][byte];
      crc_table[slice][byte] = (crc >> 8) ^ crc_table[0][crc & 0xff];
    }
}

/* Slicing by eight; `size` is a multiple of 8. */
static uint32_t crc_portable(uint32_t crc, const uint8_t *bytes, size_t size) {
  for (size_t at = 0; at < size; at += 8) {
    uint32_t low = crc ^ ((uint32_t)bytes[at] | (uint32_t)bytes[at + 1] << 8 |
                          (uint32_t)bytes[at + 2] << 16 | (uint32_t)bytes[at + 3] << 24);
    crc = crc_table[7][low & 0xff] ^ crc_table[6][low >> 8 & 0xff] ^
          crc_table[5][low >> 16 & 0xff] ^ crc_table[4][low >> 24] ^
          crc_table[3][bytes[at + 4]] ^ crc_table[2][bytes[at + 5]] ^
          crc_table[1][bytes[at + 6]] ^ crc_table[0][bytes[at + 7]];
  }
  return crc;
}

#if defined(__x86_64__)
/* The instruction takes three cycles and starts one a cycle: three lanes keep it busy. */
__attribute__((target("sse4.2"))) static void crc_lanes(uint32_t out[3], const uint8_t *bytes,
                                                         size_t lane) {
  uint64_t a = 0, b = 0, c = 0, word;
  for (size_t at = 0; at < lane; at += 8) {
    memcpy(&word, bytes + at, 8);
    a = __builtin_ia32_crc32di(a, word);
    memcpy(&word, bytes + lane + at, 8);
    b = __builtin_ia32_crc32di(b, word);
    memcpy(&word, bytes + 2 * lane + at, 8);
    c = __builtin_ia32_crc32di(c, word);
  }
  out[0] = (uint32_t)a, out[1] = (uint32_t)b, out[2] = (uint32_t)c;
}
#endif

/*
 * The checksum of a page or of the pages of one large value, as if its mp_pad were zero: the first
 * 16 bytes, then three equal lanes of what follows, then the rest; all CRC-32C, folded to 16 bits.
 */
static uint16_t page_checksum(const MDB_page *page, size_t size) {
  uint8_t head[32] = {0};
  const uint8_t *bytes = (const uint8_t *)page;
  size_t lane = (size - sizeof head) / 3 & ~(size_t)7;
  uint32_t lanes[3], crc;
  memcpy(head, bytes, sizeof head);
  memset(head + offsetof(MDB_page_header, mh_pad), 0, sizeof page->mp_pad);
  pthread_once(&crc_once, crc_make_table);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2"))
    crc_lanes(lanes, bytes + sizeof head, lane);
  else
#endif
    for (int i = 0; i < 3; i++)
      lanes[i] = crc_portable(0, bytes + sizeof head + (size_t)i * lane, lane);
  crc = crc_portable(~0u, head, sizeof head);
  crc = crc_portable(crc ^ lanes[0], bytes + sizeof head + 3 * lane, size - sizeof head - 3 * lane);
  memcpy(head, &lanes[1], 8);
  crc = crc_portable(crc, head, 8);
  return (uint16_t)(crc ^ crc >> 16);
}

/* LMDB calls this for each page that it writes. Nothing is stored at the end of the page. */
static void store_checksum(const MDB_val *source, MDB_val *target, const MDB_val *key) {
  (void)target, (void)key;
  MDB_page *page = source->mv_data;
  page->mp_pad = page_checksum(page, source->mv_size);
}

/* ---- the check of all pages that a state refers to ---- */

typedef struct {
  MDB_env *env;
  MDB_txn *txn;
  uint8_t *seen;
  pgno_t count;
  size_t entries, branches, leaves, overflows;
  MDB_val last;
  const char *problem;
  pgno_t where;
} Check;

static int check_fails(Check *check, pgno_t where, const char *problem) {
  check->problem = problem;
  check->where = where;
  return -1;
}

/* Takes pages that must not be in use twice. */
static int check_take(Check *check, pgno_t first, size_t count) {
  if (first < NUM_METAS || first >= check->count || count > check->count - first)
    return check_fails(check, first, "a reference leads out of the file");
  for (pgno_t page = first; page < first + count; page++) {
    if (check->seen[page])
      return check_fails(check, page, "a page is in use twice");
    check->seen[page] = 1;
  }
  return 0;
}

static MDB_page *check_page(Check *check, pgno_t number, size_t pages) {
  MDB_page *page = (MDB_page *)(check->env->me_map + check->env->me_psize * number);
  if (page->mp_pgno != number || page->mp_txnid > check->txn->mt_txnid)
    return check_fails(check, number, "a page is not what it should be"), NULL;
  if (page->mp_pad != page_checksum(page, pages * check->env->me_psize))
    return check_fails(check, number, "the checksum of a page does not agree"), NULL;
  return page;
}

static int check_large(Check *check, MDB_node *node) {
  MDB_ovpage large;
  memcpy(&large, NODEDATA(node), sizeof large);
  size_t pages = OVPAGES((size_t)NODEDSZ(node), check->env->me_psize);
  if (large.op_pages != pages || check_take(check, large.op_pgno, pages))
    return check->problem ? -1 : check_fails(check, large.op_pgno, "a large value is cut off");
  MDB_page *page = check_page(check, large.op_pgno, pages);
  if (!page)
    return -1;
  if (!IS_OVERFLOW(page) || page->mp_pages != pages)
    return check_fails(check, large.op_pgno, "a large value is cut off");
  check->overflows += pages;
  return 0;
}

static int check_node_fits(Check *check, MDB_page *page, indx_t index, MDB_node **out) {
  size_t start = (size_t)page->mp_ptrs[index] + PAGEBASE, psize = check->env->me_psize;
  if (start & 1 || start < (size_t)page->mp_upper + PAGEBASE || start + NODESIZE > psize)
    return check_fails(check, page->mp_pgno, "a page is malformed");
  MDB_node *node = NODEPTR(page, index);
  size_t size = NODESIZE + NODEKSZ(node);
  if (IS_LEAF(page))
    size += node->mn_flags & F_BIGDATA ? sizeof(MDB_ovpage) : (size_t)NODEDSZ(node);
  if (start + size > psize)
    return check_fails(check, page->mp_pgno, "a page is malformed");
  *out = node;
  return 0;
}

static int check_order(Check *check, MDB_page *page, MDB_node *node, int integer) {
  MDB_val key = {NODEKSZ(node), NODEKEY(node)};
  int wrong = 0;
  if (integer) {
    size_t now, before;
    if (key.mv_size != sizeof now)
      return check_fails(check, page->mp_pgno, "a page is malformed");
    memcpy(&now, key.mv_data, sizeof now);
    if (check->last.mv_data) {
      memcpy(&before, check->last.mv_data, sizeof before);
      wrong = before >= now;
    }
  } else if (check->last.mv_data) {
    size_t shorter = key.mv_size < check->last.mv_size ? key.mv_size : check->last.mv_size;
    int order = memcmp(check->last.mv_data, key.mv_data, shorter);
    wrong = order > 0 || (order == 0 && check->last.mv_size >= key.mv_size);
  }
  check->last = key;
  return wrong ? check_fails(check, page->mp_pgno, "keys are out of order") : 0;
}

/* Freed pages belong to nobody else: a writer will reuse them. */
static int check_freed(Check *check, MDB_node *node) {
  MDB_ID *list, *copy = NULL;
  size_t size = NODEDSZ(node), count;
  int rc = 0;
  if (node->mn_flags & F_BIGDATA) {
    MDB_ovpage large;
    memcpy(&large, NODEDATA(node), sizeof large);
    list = (MDB_ID *)METADATA((MDB_page *)(check->env->me_map + check->env->me_psize * large.op_pgno));
  } else {
    list = copy = malloc(size ? size : 1);
    if (!copy)
      return check_fails(check, 0, "memory is full");
    memcpy(copy, NODEDATA(node), size);
  }
  count = size / sizeof(MDB_ID);
  if (count == 0 || list[0] >= count)
    rc = check_fails(check, 0, "a list of free pages is cut off");
  for (size_t at = 1; !rc && at <= list[0]; at++) {
    /* The sparse lists of this LMDB hold runs: a count, negative, after the first page. */
    ssize_t entry = (ssize_t)list[at];
    if (entry == 0)
      continue;
    if (entry < 0) {
      if (at == list[0])
        rc = check_fails(check, 0, "a list of free pages is cut off");
      else
        rc = check_take(check, list[at + 1], (size_t)-entry);
      at++;
    } else
      rc = check_take(check, (pgno_t)entry, 1);
  }
  free(copy);
  return rc;
}

static int check_tree(Check *check, pgno_t number, int depth, int is_free_list) {
  if (depth <= 0)
    return check_fails(check, number, "the tree is deeper than it says");
  if (check_take(check, number, 1))
    return -1;
  MDB_page *page = check_page(check, number, 1);
  if (!page)
    return -1;
  int leaf = IS_LEAF(page);
  if ((page->mp_flags & (P_BRANCH | P_LEAF | P_OVERFLOW | P_META | P_LEAF2 | P_SUBP)) !=
          (leaf ? P_LEAF : P_BRANCH) ||
      leaf != (depth == 1) || page->mp_lower > page->mp_upper ||
      (size_t)page->mp_upper + PAGEBASE > check->env->me_psize)
    return check_fails(check, number, "a page is malformed");
  unsigned keys = NUMKEYS(page);
  if (keys < (leaf ? 1u : 2u))
    return check_fails(check, number, "a page is empty");
  leaf ? check->leaves++ : check->branches++;
  for (unsigned index = 0; index < keys; index++) {
    MDB_node *node;
    if (check_node_fits(check, page, (indx_t)index, &node))
      return -1;
    if (leaf) {
      if (node->mn_flags & ~F_BIGDATA)
        return check_fails(check, number, "a page is malformed");
      if (check_order(check, page, node, is_free_list) ||
          (node->mn_flags & F_BIGDATA && check_large(check, node)) ||
          (is_free_list && check_freed(check, node)))
        return -1;
      check->entries++;
    } else {
      /* A separator is at most the first key below it and above all keys before. */
      if (index > 0 && check->last.mv_data && !is_free_list) {
        MDB_val key = {NODEKSZ(node), NODEKEY(node)};
        size_t shorter = key.mv_size < check->last.mv_size ? key.mv_size : check->last.mv_size;
        int order = memcmp(check->last.mv_data, key.mv_data, shorter);
        if (order > 0 || (order == 0 && check->last.mv_size >= key.mv_size))
          return check_fails(check, number, "keys are out of order");
        check->last = key;
        /* The first key of the child may equal its separator. */
        check->last.mv_size = key.mv_size ? key.mv_size - 1 : 0;
      }
      if (check_tree(check, NODEPGNO(node), depth - 1, is_free_list))
        return -1;
    }
  }
  return 0;
}

static int check_database(Check *check, MDB_dbi dbi) {
  MDB_db *db = &check->txn->mt_dbs[dbi];
  check->entries = check->branches = check->leaves = check->overflows = 0;
  check->last = (MDB_val){0, NULL};
  if (db->md_root != P_INVALID && check_tree(check, db->md_root, db->md_depth, dbi == FREE_DBI))
    return -1;
  if (check->entries != db->md_entries || check->leaves != db->md_leaf_pages ||
      check->branches != db->md_branch_pages || check->overflows != db->md_overflow_pages)
    return check_fails(check, 0, "the counts of its tree do not agree");
  return 0;
}

/*
 * Each transaction stores its own number under the key of one zero byte: two meta pages say which state
 * is the newest, and have no checksum.
 */
static int put_number(MDB_txn *txn, MDB_dbi dbi) {
  uint8_t zero = 0, bytes[8];
  for (int i = 0; i < 8; i++)
    bytes[i] = (uint8_t)((uint64_t)txn->mt_txnid >> (56 - 8 * i));
  MDB_val key = {1, &zero}, value = {sizeof bytes, bytes};
  return mdb_put(txn, dbi, &key, &value, 0);
}

static int check_number(Check *check, MDB_dbi dbi) {
  uint8_t zero = 0;
  uint64_t stored = 0;
  MDB_val key = {1, &zero}, value;
  int rc = mdb_get(check->txn, dbi, &key, &value);
  for (size_t i = 0; !rc && i < value.mv_size && i < 8; i++)
    stored = stored << 8 | ((uint8_t *)value.mv_data)[i];
  if (stored != check->txn->mt_txnid)
    return check_fails(check, 0, "its header does not belong to its tree");
  return 0;
}

/* ---- N-API ---- */

static const char *error_code(int rc, char *scratch, size_t size) {
  switch (rc) {
  case ENOSPC: return "ENOSPC";
  case EDQUOT: return "EDQUOT";
  case EACCES: return "EACCES";
  case EPERM: return "EPERM";
  case EROFS: return "EROFS";
  case EIO: return "EIO";
  case ENOENT: return "ENOENT";
  case ENOMEM: return "ENOMEM";
  case EINVAL: return "EINVAL";
  case EFBIG: return "EFBIG";
  case MDB_MAP_FULL: return "MDB_MAP_FULL";
  case MDB_READERS_FULL: return "MDB_READERS_FULL";
  case MDB_INVALID: return "MDB_INVALID";
  case MDB_CORRUPTED: return "MDB_CORRUPTED";
  case MDB_PAGE_NOTFOUND: return "MDB_PAGE_NOTFOUND";
  case MDB_VERSION_MISMATCH: return "MDB_VERSION_MISMATCH";
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

/* Reads `count` integer arguments after the handle; NULL, with an exception pending, if they are not. */
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

/* Begins a look at the newest state, or goes on in the state that is held or being written. */
static int begin_read(Handle *handle, MDB_txn **txn) {
  if (handle->writer) {
    *txn = handle->writer;
    return 0;
  }
  *txn = handle->reader;
  if (handle->holds)
    return 0;
  if (handle->reader)
    return mdb_txn_renew(handle->reader);
  int rc = mdb_txn_begin(handle->store->env, NULL, MDB_RDONLY, &handle->reader);
  *txn = handle->reader;
  return rc;
}

static void end_read(Handle *handle) {
  if (!handle->writer && !handle->holds && handle->reader)
    mdb_txn_reset(handle->reader);
}

static int cursor_of(Handle *handle, MDB_txn *txn, MDB_cursor **cursor) {
  MDB_cursor **own = handle->writer ? &handle->writer_cursor : &handle->reader_cursor;
  int rc = 0;
  if (!*own)
    rc = mdb_cursor_open(txn, handle->store->dbi, own);
  else if (!handle->writer)
    rc = mdb_cursor_renew(txn, *own);
  *cursor = *own;
  return rc;
}

static Store *find_store(dev_t device, ino_t inode) {
  for (Store *store = stores; store; store = store->next)
    if (store->device == device && store->inode == inode)
      return store;
  return NULL;
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
  store->next = stores;
  stores = store;
  *out = store;
  return 0;
}

static void close_store(Store *store) {
  if (--store->references > 0)
    return;
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

/* get(handle, keySize): copies the value to the exchange; its size, or -1. A value that does not fit is not copied. */
static napi_value js_get(napi_env env, napi_callback_info info) {
  int64_t size;
  Handle *handle = arguments(env, info, &size, 1, NULL, 0);
  if (!handle)
    return NULL;
  if (size < 1 || size > KEY_ROOM)
    return throw_usage(env, "a key has 1 to 2048 bytes");
  uint8_t *exchange = instance_of(env)->exchange;
  MDB_val key = {(size_t)size, exchange}, value;
  MDB_txn *txn;
  int rc = begin_read(handle, &txn);
  if (rc)
    return throw_lmdb(env, rc, "mdb_txn_begin");
  rc = mdb_get(txn, handle->store->dbi, &key, &value);
  if (!rc && value.mv_size <= EXCHANGE_SIZE - FOUND_START)
    memcpy(exchange + FOUND_START, value.mv_data, value.mv_size);
  end_read(handle);
  if (rc == MDB_NOTFOUND)
    return small(env, -1);
  return rc ? throw_lmdb(env, rc, "mdb_get") : number(env, (double)value.mv_size);
}

/* getCopy(handle, keySize): the value in a buffer of its own, or undefined: for values that are too large for get(). */
static napi_value js_get_copy(napi_env env, napi_callback_info info) {
  int64_t size;
  Handle *handle = arguments(env, info, &size, 1, NULL, 0);
  if (!handle)
    return NULL;
  if (size < 1 || size > KEY_ROOM)
    return throw_usage(env, "a key has 1 to 2048 bytes");
  MDB_val key = {(size_t)size, instance_of(env)->exchange}, value;
  MDB_txn *txn;
  napi_value result = NULL;
  int rc = begin_read(handle, &txn);
  if (rc)
    return throw_lmdb(env, rc, "mdb_txn_begin");
  rc = mdb_get(txn, handle->store->dbi, &key, &value);
  if (!rc) {
    void *data;
    napi_value buffer;
    if (napi_create_arraybuffer(env, value.mv_size, &data, &buffer) == napi_ok) {
      memcpy(data, value.mv_data, value.mv_size);
      napi_create_typedarray(env, napi_uint8_array, value.mv_size, buffer, 0, &result);
    } else
      rc = ENOMEM;
  }
  end_read(handle);
  if (rc == MDB_NOTFOUND)
    return NULL;
  return rc ? throw_lmdb(env, rc, "mdb_get") : result;
}

static void put_u32(uint8_t *at, uint32_t value) {
  memcpy(at, &value, sizeof value);
}

/* Appends an entry: u32 key size, u32 value size, key, value. Returns where the next one starts, or 0 if it does not fit. */
static size_t append_entry(uint8_t *exchange, size_t at, const MDB_val *key, const MDB_val *value,
                           int with_value) {
  size_t value_size = with_value ? value->mv_size : 0;
  if (at + ENTRY_HEADER + key->mv_size + value_size > EXCHANGE_SIZE)
    return 0;
  put_u32(exchange + at, (uint32_t)key->mv_size);
  put_u32(exchange + at + 4, (uint32_t)value->mv_size);
  memcpy(exchange + at + ENTRY_HEADER, key->mv_data, key->mv_size);
  memcpy(exchange + at + ENTRY_HEADER + key->mv_size, value->mv_data, value_size);
  return at + ENTRY_HEADER + key->mv_size + value_size;
}

/*
 * seek(handle, keySize, prefixSize): the first entry at or after the key, if its key begins with the
 * first `prefixSize` bytes of it. 1 if it was copied as an entry, 2 if only its key was (the value
 * does not fit), 0 if there is none.
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
  int rc = begin_read(handle, &txn), found = 0;
  if (rc)
    return throw_lmdb(env, rc, "mdb_txn_begin");
  rc = cursor_of(handle, txn, &cursor);
  if (!rc)
    rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
  if (!rc && key.mv_size >= (size_t)sizes[1] && !memcmp(key.mv_data, exchange, (size_t)sizes[1])) {
    found = append_entry(exchange, FOUND_START, &key, &value, 1) ? 1 : 2;
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
 * scan(handle, startSize, endSize, countMax, how): copies entries of [start, end) to the exchange, as
 * many as fit; their number, negative if the scan ended there. A first value that does not fit is left
 * out, and its size says so. how: 1 from the end down, 2 after the start instead of at it, 4 keys only.
 */
static napi_value js_scan(napi_env env, napi_callback_info info) {
  int64_t args[4];
  Handle *handle = arguments(env, info, args, 4, NULL, 0);
  if (!handle)
    return NULL;
  if (args[0] < 0 || args[0] > KEY_ROOM || args[1] < 1 || args[1] > KEY_ROOM)
    return throw_usage(env, "a key has 1 to 2048 bytes");
  uint8_t *exchange = instance_of(env)->exchange;
  int reverse = args[3] & 1, keys_only = args[3] & 4;
  MDB_val start = {(size_t)args[0], exchange}, end = {(size_t)args[1], exchange + KEY_ROOM};
  MDB_val key, value;
  MDB_txn *txn;
  MDB_cursor *cursor;
  int rc = begin_read(handle, &txn);
  if (rc)
    return throw_lmdb(env, rc, "mdb_txn_begin");
  rc = cursor_of(handle, txn, &cursor);
  int count = 0, ended = 0;
  size_t at = FOUND_START;
  if (!rc)
    rc = scan_first(cursor, &key, &value, reverse ? &end : &start, reverse, args[3] & 2);
  while (!rc && count < args[2]) {
    if (reverse ? compare_keys(&key, &start) < 0 : compare_keys(&key, &end) >= 0) {
      ended = 1;
      break;
    }
    size_t next = append_entry(exchange, at, &key, &value, !keys_only);
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

/* hold(handle): from now to release() all reads show one state. */
static napi_value js_hold(napi_env env, napi_callback_info info) {
  Handle *handle = arguments(env, info, NULL, 0, NULL, 0);
  MDB_txn *txn;
  if (!handle)
    return NULL;
  int rc = begin_read(handle, &txn);
  if (rc)
    return throw_lmdb(env, rc, "mdb_txn_begin");
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
  return rc ? throw_lmdb(env, rc, "mdb_txn_begin") : NULL;
}

static void close_writer_cursor(Handle *handle) {
  if (handle->writer_cursor)
    mdb_cursor_close(handle->writer_cursor);
  handle->writer_cursor = NULL;
}

/* commit(handle): all of the transaction takes effect, or none of it and an error. */
static napi_value js_commit(napi_env env, napi_callback_info info) {
  Handle *handle = arguments(env, info, NULL, 0, NULL, 0);
  if (!handle)
    return NULL;
  if (!handle->writer)
    return throw_usage(env, "there is no transaction");
  close_writer_cursor(handle);
  int rc = handle->changed ? put_number(handle->writer, handle->store->dbi) : MDB_BAD_TXN;
  if (!rc)
    rc = mdb_txn_commit(handle->writer);
  else
    mdb_txn_abort(handle->writer);
  handle->writer = NULL;
  if (!handle->changed)
    return NULL;
  return rc ? throw_lmdb(env, rc, "mdb_txn_commit") : NULL;
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
 * put(handle, keySize, value): stores a value in the transaction; the pages that the file has then, with
 * those that only this transaction has added.
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
  handle->changed = 1;
  int rc = mdb_put(handle->writer, handle->store->dbi, &key, &value, 0);
  return rc ? throw_lmdb(env, rc, "mdb_put") : number(env, (double)handle->writer->mt_next_pgno);
}

/* remove(handle, keySize): removes an entry in the transaction, if it is there; returns what put() does. */
static napi_value js_remove(napi_env env, napi_callback_info info) {
  int64_t size;
  Handle *handle = arguments(env, info, &size, 1, NULL, 0);
  if (!handle)
    return NULL;
  if (!handle->writer || size < 1 || size > KEY_ROOM)
    return throw_usage(env, "remove(handle, keySize) in a transaction");
  MDB_val key = {(size_t)size, instance_of(env)->exchange};
  handle->changed = 1;
  int rc = mdb_del(handle->writer, handle->store->dbi, &key, NULL);
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
 * usable(handle): the free pages that the transaction could still take, one by one. LMDB has taken some
 * records of the free list into memory; of the others, those count that no reader can see.
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
  if (own->me_pghead)
    pages += count_free(own->me_pghead, own->me_pghead[0] + 1);
  mdb_cursor_init(&cursor, txn, FREE_DBI, NULL);
  int rc = mdb_cursor_get(&cursor, &key, &data, MDB_FIRST);
  for (; !rc; rc = mdb_cursor_get(&cursor, &key, &data, MDB_NEXT)) {
    memcpy(&id, key.mv_data, sizeof id);
    if (id >= oldest)
      break;
    int loaded = own->me_freelist_start && id >= own->me_freelist_start && id < own->me_freelist_end;
    if (!loaded && data.mv_size >= sizeof(MDB_ID))
      pages += count_free(data.mv_data, data.mv_size / sizeof(MDB_ID));
  }
  return rc && rc != MDB_NOTFOUND ? throw_lmdb(env, rc, "mdb_cursor_get") : number(env, (double)pages);
}

/* check(handle): reads every page that the newest state refers to; what is wrong, or undefined. */
static napi_value js_check(napi_env env, napi_callback_info info) {
  Handle *handle = arguments(env, info, NULL, 0, NULL, 0);
  MDB_txn *txn;
  if (!handle)
    return NULL;
  int rc = begin_read(handle, &txn);
  if (rc)
    return throw_lmdb(env, rc, "mdb_txn_begin");
  Check check = {.env = handle->store->env, .txn = txn, .count = txn->mt_next_pgno};
  check.seen = calloc(1, check.count);
  if (!check.seen) {
    end_read(handle);
    return throw_lmdb(env, ENOMEM, "check");
  }
  if (!check_database(&check, MAIN_DBI) && !check_database(&check, FREE_DBI))
    check_number(&check, handle->store->dbi);
  free(check.seen);
  end_read(handle);
  if (!check.problem)
    return NULL;
  char text[160];
  napi_value result;
  snprintf(text, sizeof text, "%s (page %zu)", check.problem, (size_t)check.where);
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &result);
  return result;
}

/*
 * stat(handle): [page size, pages of the file, free pages, entries, depth, transaction, branch and leaf
 * pages of the entries, pages of the free list, pages that the running transaction has changed].
 */
static napi_value js_stat(napi_env env, napi_callback_info info) {
  Handle *handle = arguments(env, info, NULL, 0, NULL, 0);
  MDB_txn *txn;
  if (!handle)
    return NULL;
  int rc = begin_read(handle, &txn);
  if (rc)
    return throw_lmdb(env, rc, "mdb_txn_begin");
  MDB_db *main_db = &txn->mt_dbs[MAIN_DBI], *free_db = &txn->mt_dbs[FREE_DBI];
  double tree = main_db->md_branch_pages + main_db->md_leaf_pages;
  double free_list =
      free_db->md_branch_pages + free_db->md_leaf_pages + free_db->md_overflow_pages;
  double used = NUM_METAS + tree + main_db->md_overflow_pages + free_list;
  double facts[STAT_COUNT] = {handle->store->env->me_psize, txn->mt_next_pgno,
                              txn->mt_next_pgno - used,     main_db->md_entries,
                              main_db->md_depth,            txn->mt_txnid,
                              tree,                         free_list,
                              handle->writer ? txn->mt_u.dirty_list[0].mid : 0};
  end_read(handle);
  napi_value list;
  napi_create_array_with_length(env, STAT_COUNT, &list);
  for (uint32_t i = 0; i < STAT_COUNT; i++)
    napi_set_element(env, list, i, number(env, facts[i]));
  return list;
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
      {"open", js_open},       {"close", js_close},     {"get", js_get},
      {"getCopy", js_get_copy}, {"seek", js_seek},       {"scan", js_scan},
      {"hold", js_hold},       {"release", js_release}, {"begin", js_begin},
      {"commit", js_commit},   {"abort", js_abort},     {"put", js_put},
      {"remove", js_remove},   {"check", js_check},     {"stat", js_stat},
      {"usable", js_usable},
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
