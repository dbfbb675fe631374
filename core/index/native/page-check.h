/*
 * Checksums of LMDB's pages, and the check of all pages that a state of an index refers to.
 * Included by index.c behind LMDB's own C file, whose structures it reads.
 */
#ifndef DAOS_PAGE_CHECK_H
#define DAOS_PAGE_CHECK_H

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
          crc_table[5][low >> 16 & 0xff] ^ crc_table[4][low >> 24] ^ crc_table[3][bytes[at + 4]] ^
          crc_table[2][bytes[at + 5]] ^ crc_table[1][bytes[at + 6]] ^ crc_table[0][bytes[at + 7]];
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
  for (pgno_t page = first; check->seen && page < first + count; page++) {
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
  /* A value that replaced a larger one keeps its pages. */
  size_t pages = large.op_pages, needed = OVPAGES((size_t)NODEDSZ(node), check->env->me_psize);
  if (pages < needed || check_take(check, large.op_pgno, pages))
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
    list =
        (MDB_ID *)METADATA((MDB_page *)(check->env->me_map + check->env->me_psize * large.op_pgno));
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

/* ---- the same in parts ---- */

/* Pages of the entries from a key on, until some were read or one is damaged. */
typedef struct {
  Check check;
  MDB_val from;
  size_t read, budget;
  /* Where to go on; no key at the end of the tree. */
  MDB_val next;
  /* The first key that may lie in the damaged page. */
  MDB_val low;
} Walk;

static int compare_vals(const MDB_val *a, const MDB_val *b) {
  size_t shorter = a->mv_size < b->mv_size ? a->mv_size : b->mv_size;
  int order = shorter ? memcmp(a->mv_data, b->mv_data, shorter) : 0;
  return order ? order : (a->mv_size > b->mv_size) - (a->mv_size < b->mv_size);
}

/* What lies in a page that holds keys `[low, high)`, or below it. Returns whether the walk ends. */
static int walk_page(Walk *walk, pgno_t number, int depth, MDB_val low, MDB_val high) {
  Check *check = &walk->check;
  if (walk->read >= walk->budget) {
    walk->next = low;
    return 1;
  }
  walk->read++;
  MDB_page *page = depth <= 0 || check_take(check, number, 1) ? NULL : check_page(check, number, 1);
  int leaf = depth == 1;
  unsigned keys = page ? NUMKEYS(page) : 0;
  if (page &&
      (!(page->mp_flags & (leaf ? P_LEAF : P_BRANCH)) || keys < (leaf ? 1u : 2u) ||
       page->mp_lower > page->mp_upper || (size_t)page->mp_upper + PAGEBASE > check->env->me_psize))
    check_fails(check, number, "a page is malformed");
  MDB_node *node = NULL, *following = NULL;
  for (unsigned index = 0; !check->problem && index < keys; index++) {
    if (check_node_fits(check, page, (indx_t)index, &node))
      break;
    if (leaf) {
      if (node->mn_flags & F_BIGDATA && !check_large(check, node))
        walk->read += OVPAGES((size_t)NODEDSZ(node), check->env->me_psize);
      continue;
    }
    if (index + 1 < keys && check_node_fits(check, page, (indx_t)(index + 1), &following))
      break;
    MDB_val first = low, last = high;
    if (index > 0)
      first = (MDB_val){NODEKSZ(node), NODEKEY(node)};
    if (index + 1 < keys)
      last = (MDB_val){NODEKSZ(following), NODEKEY(following)};
    if (last.mv_size && compare_vals(&last, &walk->from) <= 0)
      continue;
    if (walk_page(walk, NODEPGNO(node), depth - 1, first, last))
      return 1;
  }
  if (!check->problem && page)
    return 0;
  if (!check->problem)
    check_fails(check, number, "the tree is deeper than it says");
  walk->low = low;
  walk->next = high;
  return 1;
}

/*
 * Each transaction stores its own number under the key of one zero byte: two meta pages say which
 * state is the newest, and have no checksum.
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

#endif
