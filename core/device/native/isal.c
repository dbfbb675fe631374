/*
 * CRC-32C by Intel's ISA-L, 5 to 8 times the speed of any other implementation at hand, and a
 * helper thread that checksums what a writer writes while the writer is in the kernel.
 */
#include "napi-args.h"
#include <isa-l/crc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

static uint32_t crc_of(const uint8_t *data, size_t size, uint32_t seed) {
  return ~crc32_iscsi((uint8_t *)data, (int)size, ~seed);
}

/* crc32c(bytes, start, end, seed): CRC-32C of bytes[start, end), continued from seed. */
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
  uint32_t crc = crc_of(data + start, (size_t)(end - start), seed);
  napi_create_uint32(env, crc, &result);
  return result;
}

/* crcFunction: what computes a CRC, for storage.node, which guards reads of maps. */
static bool export_crc(napi_env env, napi_value exports) {
  napi_value function;
  return napi_create_external(env, (void *)crc_of, NULL, NULL, &function) == napi_ok &&
         napi_set_named_property(env, exports, "crcFunction", function) == napi_ok;
}

/* How long the helper looks for a job before it sleeps: waking it costs the writer about 20 us. */
#define SPIN_NS 200000
/* Longest that a writer waits for a helper that is as good as one with a core of its own. */
#define WAIT_NS_MAX 20000
/* Jobs that a helper which found no free core is left out of; each such time doubles them. */
#define JOBS_SKIPPED_MAX 64

/*
 * One helper per JavaScript thread. Its state, and who moves it:
 *
 *     SPINNING  ->  SLEEPING    the helper, after a while without a job
 *     either    ->  PENDING     begin; it wakes a helper that sleeps
 *     PENDING   ->  BUSY        the helper, which claims blocks
 *     PENDING   ->  SPINNING    end, which has claimed all blocks itself
 *     BUSY      ->  SPINNING    the helper, when no block is left
 *
 * The helper touches the job's memory only while it is BUSY, and end waits for that, so that the
 * memory is the caller's again afterwards.
 */
enum { SPINNING, SLEEPING, PENDING, BUSY };

struct helper {
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  bool started;
  atomic_bool stop;
  atomic_int state;
  const uint8_t *data;
  uint32_t *crcs;
  size_t block_size;
  uint32_t count;
  /* Whether the helper was let know of the job, and blocks that it took. */
  bool asked;
  uint32_t helped;
  /* Jobs that it is still left out of, and of how many it was the last time. */
  uint32_t skip, skipped;
  atomic_uint next;
};

/* Claims blocks and replaces each one's seed by its CRC, until none is left; returns how many. */
static uint32_t take_blocks(struct helper *helper) {
  for (uint32_t taken = 0;; taken++) {
    uint32_t block = atomic_fetch_add_explicit(&helper->next, 1, memory_order_relaxed);
    if (block >= helper->count)
      return taken;
    const uint8_t *data = helper->data + block * helper->block_size;
    helper->crcs[block] = crc_of(data, helper->block_size, helper->crcs[block]);
  }
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static bool move_state(struct helper *helper, int from, int to) {
  return atomic_compare_exchange_strong(&helper->state, &from, to);
}

static void sleep_until_begin(struct helper *helper) {
  pthread_mutex_lock(&helper->lock);
  if (move_state(helper, SPINNING, SLEEPING))
    while (atomic_load(&helper->state) == SLEEPING && !atomic_load(&helper->stop))
      pthread_cond_wait(&helper->wake, &helper->lock);
  pthread_mutex_unlock(&helper->lock);
}

static void *run_helper(void *argument) {
  struct helper *helper = argument;
  int64_t since = now_ns();
  while (!atomic_load(&helper->stop)) {
    if (move_state(helper, PENDING, BUSY)) {
      helper->helped = take_blocks(helper);
      atomic_store(&helper->state, SPINNING);
    } else if (now_ns() - since < SPIN_NS) {
      sched_yield();
      continue;
    } else {
      sleep_until_begin(helper);
    }
    since = now_ns();
  }
  return NULL;
}

/* Starts the thread, without signals: they are the main thread's. If it fails, end does all. */
static void start_helper(struct helper *helper) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  helper->started = pthread_create(&helper->thread, NULL, run_helper, helper) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void signal_helper(struct helper *helper) {
  pthread_mutex_lock(&helper->lock);
  pthread_cond_signal(&helper->wake);
  pthread_mutex_unlock(&helper->lock);
}

static void stop_helper(void *argument) {
  struct helper *helper = argument;
  if (helper->started) {
    atomic_store(&helper->stop, true);
    signal_helper(helper);
    pthread_join(helper->thread, NULL);
  }
  free(helper);
}

static struct helper *helper_of(napi_env env) {
  void *helper = NULL;
  napi_get_instance_data(env, &helper);
  return helper;
}

/*
 * beginBlocks(bytes, start, blockSize, crcs, first, count): lets the helper checksum the `count`
 * blocks of bytes from `start` on. crcs is a Uint32Array; its entries from `first` on are the
 * blocks' seeds now and their CRCs after endBlocks(), which must follow before the memory of either
 * is used otherwise.
 */
static napi_value js_begin_blocks(napi_env env, napi_callback_info info) {
  size_t argc = 6, size, crcs_size;
  napi_value argv[6];
  uint8_t *data, *crcs;
  int64_t start, block_size;
  uint32_t first, count;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (argc < 6 || !get_bytes(env, argv[0], &data, &size) || !get_int64(env, argv[1], &start) ||
      !get_int64(env, argv[2], &block_size) || !get_bytes(env, argv[3], &crcs, &crcs_size) ||
      !get_uint32(env, argv[4], &first) || !get_uint32(env, argv[5], &count) || start < 0 ||
      block_size <= 0 || block_size > INT32_MAX || (uint64_t)start > size ||
      count > (size - (uint64_t)start) / (uint64_t)block_size ||
      ((uint64_t)first + count) * sizeof(uint32_t) > crcs_size)
    return throw_type(env, "beginBlocks: the blocks lie outside the bytes or the checksums");
  struct helper *helper = helper_of(env);
  if (helper->count > 0)
    return throw_type(env, "beginBlocks: endBlocks must follow the last one");
  if (!helper->started)
    start_helper(helper);
  helper->data = data + start;
  helper->crcs = (uint32_t *)crcs + first;
  helper->block_size = (size_t)block_size;
  helper->count = count;
  helper->helped = 0;
  atomic_store(&helper->next, 0);
  helper->asked = helper->started && helper->skip == 0;
  if (helper->skip > 0)
    helper->skip -= 1;
  if (helper->asked && atomic_exchange(&helper->state, PENDING) == SLEEPING)
    signal_helper(helper);
  return make_undefined(env);
}

/* endBlocks(): checksums what the helper has not begun, and returns when the helper is done too. */
static napi_value js_end_blocks(napi_env env, napi_callback_info info) {
  (void)info;
  struct helper *helper = helper_of(env);
  take_blocks(helper);
  int64_t waited = 0;
  if (!move_state(helper, PENDING, SPINNING) && atomic_load(&helper->state) == BUSY) {
    int64_t since = now_ns();
    while (atomic_load(&helper->state) == BUSY)
      sched_yield();
    waited = now_ns() - since;
  }
  // A helper that took little, or was waited for, found no free core: it takes this one's time.
  if (helper->asked) {
    uint32_t skip = helper->skipped * 2 + 1;
    bool helped = helper->helped * 4 >= helper->count && waited <= WAIT_NS_MAX;
    helper->skipped = helped ? 0 : skip < JOBS_SKIPPED_MAX ? skip : JOBS_SKIPPED_MAX;
    helper->skip = helper->skipped;
  }
  helper->count = 0;
  return make_undefined(env);
}

NAPI_MODULE_INIT() {
  struct helper *helper = calloc(1, sizeof *helper);
  if (helper == NULL)
    return NULL;
  pthread_mutex_init(&helper->lock, NULL);
  pthread_cond_init(&helper->wake, NULL);
  bool ok = napi_set_instance_data(env, helper, NULL, NULL) == napi_ok &&
            napi_add_env_cleanup_hook(env, stop_helper, helper) == napi_ok &&
            export_function(env, exports, "crc32c", js_crc32c) &&
            export_function(env, exports, "beginBlocks", js_begin_blocks) &&
            export_function(env, exports, "endBlocks", js_end_blocks) && export_crc(env, exports);
  return ok ? exports : NULL;
}
