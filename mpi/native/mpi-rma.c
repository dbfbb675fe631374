/**
 * One-sided operations, and the calls that order them.
 *
 * TypeScript keeps the origin's buffers until the call that completes the operation, and has
 * checked that the target's elements lie inside of its window, where that can be known.
 */
#include "mpi-addon.h"

/** Operations in the order of RMA_KINDS in window-transport.ts. DO NOT REORDER without it. */
enum { PUT, GET, ACCUMULATE, GET_ACCUMULATE, FETCH_AND_OP, COMPARE_AND_SWAP, RMA_KIND_COUNT };

static const char *const names[RMA_KIND_COUNT] = {"MPI_Put",          "MPI_Get",
                                                  "MPI_Accumulate",   "MPI_Get_accumulate",
                                                  "MPI_Fetch_and_op", "MPI_Compare_and_swap"};

static window_slot *window_argument(napi_env env, addon_context *context, const char *call,
                                    napi_value value) {
  handle_slot *slot = object_argument(env, context, call, value, HANDLE_WINDOW, "MPI_ERR_WIN");
  return slot ? &slot->as.window : NULL;
}

/** An operation that is being made. */
typedef struct {
  int kind;
  MPI_Win win;
  mpi_buffer origin;
  mpi_buffer result;
  mpi_buffer compare;
  int target;
  MPI_Aint displacement;
  int count;
  MPI_Datatype type;
  MPI_Op op;
  MPI_Request *request; /* NULL: completed by a call on the window */
} rma_call;

static int run_with_request(const rma_call *c) {
  const mpi_buffer *o = &c->origin, *r = &c->result;
  switch (c->kind) {
  case PUT:
    return MPI_Rput(o->data, o->count, o->type, c->target, c->displacement, c->count, c->type,
                    c->win, c->request);
  case GET:
    return MPI_Rget(r->data, r->count, r->type, c->target, c->displacement, c->count, c->type,
                    c->win, c->request);
  case ACCUMULATE:
    return MPI_Raccumulate(o->data, o->count, o->type, c->target, c->displacement, c->count,
                           c->type, c->op, c->win, c->request);
  case GET_ACCUMULATE:
    return MPI_Rget_accumulate(o->data, o->count, o->type, r->data, r->count, r->type, c->target,
                               c->displacement, c->count, c->type, c->op, c->win, c->request);
  default:
    return MPI_ERR_ARG;
  }
}

static int run(const rma_call *c) {
  const mpi_buffer *o = &c->origin, *r = &c->result;
  switch (c->kind) {
  case PUT:
    return MPI_Put(o->data, o->count, o->type, c->target, c->displacement, c->count, c->type,
                   c->win);
  case GET:
    return MPI_Get(r->data, r->count, r->type, c->target, c->displacement, c->count, c->type,
                   c->win);
  case ACCUMULATE:
    return MPI_Accumulate(o->data, o->count, o->type, c->target, c->displacement, c->count, c->type,
                          c->op, c->win);
  case GET_ACCUMULATE:
    return MPI_Get_accumulate(o->data, o->count, o->type, r->data, r->count, r->type, c->target,
                              c->displacement, c->count, c->type, c->op, c->win);
  case FETCH_AND_OP:
    return MPI_Fetch_and_op(o->data, r->data, r->type, c->target, c->displacement, c->op, c->win);
  case COMPARE_AND_SWAP:
    return MPI_Compare_and_swap(o->data, c->compare.data, r->data, r->type, c->target,
                                c->displacement, c->win);
  default:
    return MPI_ERR_ARG;
  }
}

/** Reads [count, datatype] of the target; undefined: as the origin's, or the result's. */
static bool target_elements(napi_env env, addon_context *context, const char *call,
                            napi_value count, napi_value type, rma_call *c) {
  const mpi_buffer *like = c->origin.data != &absent_memory ? &c->origin : &c->result;
  c->count = like->count;
  c->type = like->type;
  if (type_of(env, count) == napi_undefined)
    return true;
  if (!int_argument(env, count, &c->count))
    return false;
  if (type_of(env, type) == napi_undefined)
    return true;
  handle_slot *slot = object_argument(env, context, call, type, HANDLE_DATATYPE, "MPI_ERR_TYPE");
  if (!slot)
    return false;
  c->type = slot->as.datatype.type;
  return true;
}

static bool read_rma(napi_env env, addon_context *context, napi_value *values, const char *call,
                     rma_call *c) {
  int64_t displacement;
  int op;
  window_slot *window = window_argument(env, context, call, values[0]);
  if (!window || !optional_buffer_argument(env, context, call, values[3], AS_NUMBERS, &c->origin) ||
      !optional_buffer_argument(env, context, call, values[4], AS_NUMBERS, &c->result) ||
      !optional_buffer_argument(env, context, call, values[5], AS_NUMBERS, &c->compare) ||
      !int_argument(env, values[6], &c->target) ||
      !succeeded(env, napi_get_value_int64(env, values[7], &displacement)) ||
      !target_elements(env, context, call, values[8], values[9], c) ||
      !int_argument(env, values[10], &op))
    return false;
  c->win = window->win;
  c->target = library_rank(c->target);
  c->displacement = (MPI_Aint)displacement;
  c->op = built_in_operation(op);
  bool has_origin = c->kind == GET || c->op == MPI_NO_OP || c->origin.data != &absent_memory;
  return succeeded(env, has_origin ? napi_ok : napi_invalid_arg);
}

/**
 * rma(window, kind, wants a request 0 | 1, origin, result, compare, target, displacement, target
 * count | undefined, target type | undefined, op)
 */
static napi_value rma(napi_env env, napi_callback_info info) {
  napi_value values[11], kept;
  addon_context *context;
  rma_call call = {0};
  int wants_request;
  int64_t handle;
  if (!arguments(env, info, 11, values, (void **)&context) ||
      !int_argument(env, values[1], &call.kind) || !int_argument(env, values[2], &wants_request) ||
      !succeeded(env, call.kind < 0 || call.kind >= RMA_KIND_COUNT ? napi_invalid_arg : napi_ok) ||
      !read_rma(env, context, values, names[call.kind], &call))
    return NULL;
  if (!wants_request) {
    check(env, context, names[call.kind], run(&call));
    return NULL;
  }
  if (!succeeded(env, napi_create_array(env, &kept)))
    return NULL;
  for (uint32_t i = 0; i < 2; i++)
    napi_set_element(env, kept, i, values[3 + i]);
  request_slot *slot = open_request(env, context, names[call.kind], kept, false, &handle);
  if (!slot)
    return NULL;
  slot->collective = true; /* cannot be cancelled or freed, just so */
  call.request = &slot->request;
  return request_result(env, context, names[call.kind], run_with_request(&call), handle);
}

/** Calls in the order of SYNC_KINDS in window-transport.ts. DO NOT REORDER without it. */
enum {
  FENCE,
  LOCK_SHARED,
  LOCK_EXCLUSIVE,
  UNLOCK,
  LOCK_ALL,
  UNLOCK_ALL,
  FLUSH,
  FLUSH_ALL,
  FLUSH_LOCAL,
  FLUSH_LOCAL_ALL,
  SYNC,
  COMPLETE,
  WAIT,
  SYNC_KIND_COUNT
};

static const char *const sync_names[SYNC_KIND_COUNT] = {
    "MPI_Win_fence",       "MPI_Win_lock",
    "MPI_Win_lock",        "MPI_Win_unlock",
    "MPI_Win_lock_all",    "MPI_Win_unlock_all",
    "MPI_Win_flush",       "MPI_Win_flush_all",
    "MPI_Win_flush_local", "MPI_Win_flush_local_all",
    "MPI_Win_sync",        "MPI_Win_complete",
    "MPI_Win_wait"};

/** Bits of assertions: ASSERTIONS in epochs.ts. */
static int library_assertion(int bits) {
  const int modes[] = {MPI_MODE_NOCHECK, MPI_MODE_NOSTORE, MPI_MODE_NOPUT, MPI_MODE_NOPRECEDE,
                       MPI_MODE_NOSUCCEED};
  int assertion = 0;
  for (int i = 0; i < 5; i++)
    if (bits & (1 << i))
      assertion |= modes[i];
  return assertion;
}

static int run_sync(int kind, MPI_Win win, int rank, int assertion) {
  switch (kind) {
  case FENCE:
    return MPI_Win_fence(assertion, win);
  case LOCK_SHARED:
    return MPI_Win_lock(MPI_LOCK_SHARED, rank, assertion, win);
  case LOCK_EXCLUSIVE:
    return MPI_Win_lock(MPI_LOCK_EXCLUSIVE, rank, assertion, win);
  case UNLOCK:
    return MPI_Win_unlock(rank, win);
  case LOCK_ALL:
    return MPI_Win_lock_all(assertion, win);
  case UNLOCK_ALL:
    return MPI_Win_unlock_all(win);
  case FLUSH:
    return MPI_Win_flush(rank, win);
  case FLUSH_ALL:
    return MPI_Win_flush_all(win);
  case FLUSH_LOCAL:
    return MPI_Win_flush_local(rank, win);
  case FLUSH_LOCAL_ALL:
    return MPI_Win_flush_local_all(win);
  case SYNC:
    return MPI_Win_sync(win);
  case COMPLETE:
    return MPI_Win_complete(win);
  default:
    return MPI_Win_wait(win);
  }
}

/** winSync(window, kind, rank, assertion bits) */
static napi_value win_sync(napi_env env, napi_callback_info info) {
  napi_value values[4];
  addon_context *context;
  int kind, rank, bits;
  if (!arguments(env, info, 4, values, (void **)&context) || !int_argument(env, values[1], &kind) ||
      !int_argument(env, values[2], &rank) || !int_argument(env, values[3], &bits) ||
      !succeeded(env, kind < 0 || kind >= SYNC_KIND_COUNT ? napi_invalid_arg : napi_ok))
    return NULL;
  window_slot *window = window_argument(env, context, sync_names[kind], values[0]);
  if (window)
    check(env, context, sync_names[kind],
          run_sync(kind, window->win, rank, library_assertion(bits)));
  return NULL;
}

/** winExpose(window, ranks Int32Array, assertion bits, starts 0 | 1): MPI_Win_post or
 * MPI_Win_start */
static napi_value win_expose(napi_env env, napi_callback_info info) {
  napi_value values[4];
  addon_context *context;
  const int *ranks;
  size_t count;
  int bits, starts = 0;
  MPI_Group whole, part;
  if (!arguments(env, info, 4, values, (void **)&context) ||
      !int32_array_argument(env, values[1], &ranks, &count) ||
      !int_argument(env, values[2], &bits) || !int_argument(env, values[3], &starts))
    return NULL;
  const char *call = starts ? "MPI_Win_start" : "MPI_Win_post";
  window_slot *window = window_argument(env, context, call, values[0]);
  if (!window || !check(env, context, call, MPI_Win_get_group(window->win, &whole)))
    return NULL;
  bool is_made = check(env, context, call, MPI_Group_incl(whole, (int)count, ranks, &part));
  MPI_Group_free(&whole);
  if (!is_made)
    return NULL;
  int assertion = library_assertion(bits);
  int code = starts ? MPI_Win_start(part, assertion, window->win)
                    : MPI_Win_post(part, assertion, window->win);
  if (part != MPI_GROUP_EMPTY)
    MPI_Group_free(&part);
  check(env, context, call, code);
  return NULL;
}

/** winTest(window): whether the exposure has ended */
static napi_value win_test(napi_env env, napi_callback_info info) {
  napi_value values[1];
  addon_context *context;
  int is_over = 0;
  if (!arguments(env, info, 1, values, (void **)&context))
    return NULL;
  window_slot *window = window_argument(env, context, "MPI_Win_test", values[0]);
  if (!window || !check(env, context, "MPI_Win_test", MPI_Win_test(window->win, &is_over)))
    return NULL;
  return bool_result(env, is_over != 0);
}

const addon_function rma_functions[] = {{"rma", rma},
                                        {"winSync", win_sync},
                                        {"winExpose", win_expose},
                                        {"winTest", win_test},
                                        {NULL, NULL}};
