/**
 * Reductions, by the library's operations and by functions of JavaScript.
 *
 * A function of JavaScript is called by the library on the thread that waits in the reduction, and
 * only there: nonblocking reductions refuse it. So what it needs lies in a variable of the thread
 * for the time of the call, and two operations of the library, commutative or not, serve all
 * functions.
 *
 * The function works on copies, so that no object of JavaScript ever refers to the library's
 * memory. When it throws, the reduction goes on without it, so that no other rank waits for ever,
 * and the exception comes out of the call.
 */
#include "mpi-collective.h"

#include <string.h>

/** Calls in the order of REDUCTION_KINDS in collective-transport.ts. DO NOT REORDER without it. */
enum {
  REDUCE,
  ALLREDUCE,
  REDUCE_SCATTER,
  REDUCE_SCATTER_BLOCK,
  SCAN,
  EXSCAN,
  REDUCTION_KIND_COUNT
};

static const char *const names[REDUCTION_KIND_COUNT] = {
    "MPI_Reduce", "MPI_Allreduce", "MPI_Reduce_scatter", "MPI_Reduce_scatter_block",
    "MPI_Scan",   "MPI_Exscan"};

/** A reduction by a function of JavaScript that this thread is in. */
typedef struct {
  napi_env env;
  napi_value function; /* (left ArrayBuffer, inout ArrayBuffer, count) */
  bool has_failed;
} user_reduction;

static _Thread_local user_reduction *current;

/** Bytes from the first element's origin to the last one's end; 0 if its data lies before it. */
static size_t span_of(MPI_Datatype type, int count) {
  MPI_Aint lower, extent, true_lower, true_extent;
  if (count <= 0 || MPI_Type_get_extent(type, &lower, &extent) != MPI_SUCCESS ||
      MPI_Type_get_true_extent(type, &true_lower, &true_extent) != MPI_SUCCESS || extent < 0 ||
      true_lower < 0)
    return 0;
  return (size_t)(extent * (count - 1) + true_lower + true_extent);
}

static bool combine(user_reduction *reduction, const void *left, void *inout, int count,
                    size_t size) {
  napi_env env = reduction->env;
  napi_value arguments[3], receiver, result;
  void *left_copy, *inout_copy;
  if (napi_create_arraybuffer(env, size, &left_copy, &arguments[0]) != napi_ok ||
      napi_create_arraybuffer(env, size, &inout_copy, &arguments[1]) != napi_ok ||
      napi_create_int32(env, count, &arguments[2]) != napi_ok ||
      napi_get_undefined(env, &receiver) != napi_ok)
    return false;
  memcpy(left_copy, left, size);
  memcpy(inout_copy, inout, size);
  if (napi_call_function(env, receiver, reduction->function, 3, arguments, &result) != napi_ok)
    return false;
  /* The function may have detached its copy. */
  size_t left_over = 0;
  if (napi_get_arraybuffer_info(env, arguments[1], &inout_copy, &left_over) != napi_ok ||
      left_over != size)
    return false;
  memcpy(inout, inout_copy, size);
  return true;
}

/** MPI_User_function of all functions of JavaScript. */
static void call_function(void *left, void *inout, int *count, MPI_Datatype *type) {
  user_reduction *reduction = current;
  if (!reduction || reduction->has_failed)
    return;
  size_t size = span_of(*type, *count);
  napi_handle_scope scope;
  if (size == 0 || napi_open_handle_scope(reduction->env, &scope) != napi_ok)
    return;
  reduction->has_failed = !combine(reduction, left, inout, *count, size);
  napi_close_handle_scope(reduction->env, scope);
}

/** Operations in the order of OP_NAMES in op.ts. DO NOT REORDER without that file. */
MPI_Op built_in_operation(int index) {
  const MPI_Op operations[] = {MPI_MAX,    MPI_MIN,    MPI_SUM,     MPI_PROD, MPI_LAND,
                               MPI_BAND,   MPI_LOR,    MPI_BOR,     MPI_LXOR, MPI_BXOR,
                               MPI_MINLOC, MPI_MAXLOC, MPI_REPLACE, MPI_NO_OP};
  const int count = sizeof(operations) / sizeof(operations[0]);
  return index >= 0 && index < count ? operations[index] : MPI_OP_NULL;
}

/** Numbers in place of an operation's index: a function, commutative or not. */
enum { USER_OPERATION = -1, COMMUTATIVE_USER_OPERATION = -2 };

static bool operation_argument(collective_call *call, napi_value value, MPI_Op *op) {
  int index;
  if (!int_argument(call->env, value, &index))
    return false;
  if (index >= 0) {
    *op = built_in_operation(index);
    return true;
  }
  if (call->form != FORM_BLOCKING)
    return succeeded(call->env, napi_invalid_arg);
  addon_context *context = call->context;
  int commutes = index == COMMUTATIVE_USER_OPERATION;
  if (!context->has_user_operation[commutes]) {
    if (!check(call->env, context, "MPI_Op_create",
               MPI_Op_create(call_function, commutes, &context->user_operations[commutes])))
      return false;
    context->has_user_operation[commutes] = true;
  }
  *op = context->user_operations[commutes];
  return true;
}

void free_operations(addon_context *context) {
  for (int i = 0; i < 2; i++) {
    if (context->has_user_operation[i])
      MPI_Op_free(&context->user_operations[i]);
    context->has_user_operation[i] = false;
  }
}

/**
 * The type of the operands. Who only looks on in an intercommunicator has none: one that the
 * operation is defined for.
 */
static MPI_Datatype operand_type(const collective_call *c, MPI_Op op) {
  if (c->send.data != &absent_memory && c->send.data != MPI_IN_PLACE)
    return c->send.type;
  if (c->recv.data != &absent_memory)
    return c->recv.type;
  return op == MPI_MINLOC || op == MPI_MAXLOC ? MPI_2INT : MPI_INT;
}

static int run_reduction(collective_call *c, int count, const int *counts, MPI_Op op, int root) {
  void *out = c->send.data, *in = c->recv.data;
  MPI_Datatype type = operand_type(c, op);
  switch (c->kind) {
  case REDUCE:
    return ONE_OF(c, Reduce, Ireduce, out, in, count, type, op, root, c->comm);
  case ALLREDUCE:
    return ONE_OF(c, Allreduce, Iallreduce, out, in, count, type, op, c->comm);
  case REDUCE_SCATTER:
    return ONE_OF(c, Reduce_scatter, Ireduce_scatter, out, in, counts, type, op, c->comm);
  case REDUCE_SCATTER_BLOCK:
    return ONE_OF(c, Reduce_scatter_block, Ireduce_scatter_block, out, in, count, type, op,
                  c->comm);
  case SCAN:
    return ONE_OF(c, Scan, Iscan, out, in, count, type, op, c->comm);
  case EXSCAN:
    return ONE_OF(c, Exscan, Iexscan, out, in, count, type, op, c->comm);
  default:
    return MPI_ERR_ARG;
  }
}

/** Reads the element counts: one number, or one per rank in a reduceScatter. */
static bool counts_argument(collective_call *call, napi_value value, int *count,
                            const int **counts) {
  *count = 0;
  *counts = NULL;
  if (call->kind != REDUCE_SCATTER)
    return int_argument(call->env, value, count);
  size_t length = 0;
  if (!int32_array_argument(call->env, value, counts, &length) ||
      !succeeded(call->env, length == (size_t)call->size ? napi_ok : napi_invalid_arg))
    return false;
  keep_for_collective(call, value);
  return true;
}

/**
 * reduction(comm, kind, form, send, recv, count | counts, op, root, function | undefined):
 * op is an index, or says what the function is.
 */
static napi_value reduction(napi_env env, napi_callback_info info) {
  napi_value values[9];
  collective_call call;
  const int *counts;
  int count, root;
  MPI_Op op;
  if (!open_collective(env, info, 9, values, names, REDUCTION_KIND_COUNT, &call) ||
      !collective_buffers(&call, values + 3, AS_NUMBERS) ||
      !counts_argument(&call, values[5], &count, &counts) ||
      !operation_argument(&call, values[6], &op) || !int_argument(env, values[7], &root))
    return NULL;
  if (current) {
    throw_usage_error(env, call.context, call.name, "MPI_ERR_OP",
                      "the function of a reduction calls another reduction");
    return NULL;
  }
  if (!start_collective(&call))
    return NULL;
  user_reduction user = {env, values[8], false};
  if (type_of(env, values[8]) == napi_function)
    current = &user;
  int code = run_reduction(&call, count, counts, op, library_root(root));
  current = NULL;
  bool is_pending = false;
  if (user.has_failed && napi_is_exception_pending(env, &is_pending) == napi_ok && is_pending)
    return NULL;
  if (user.has_failed) {
    throw_usage_error(env, call.context, call.name, "MPI_ERR_OP",
                      "the function could not be called, or took its operand apart");
    return NULL;
  }
  return end_collective(&call, code);
}

/** reduceLocal(left, inout, op): buffers of equal length and type; op is an index */
static napi_value reduce_local(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Reduce_local";
  napi_value values[3];
  addon_context *context;
  mpi_buffer left, inout;
  int op;
  if (arguments(env, info, 3, values, (void **)&context) &&
      buffer_argument(env, context, call, values[0], AS_NUMBERS, &left) &&
      buffer_argument(env, context, call, values[1], AS_NUMBERS, &inout) &&
      int_argument(env, values[2], &op))
    check(env, context, call,
          MPI_Reduce_local(left.data, inout.data, left.count, left.type, built_in_operation(op)));
  return NULL;
}

const addon_function reduction_functions[] = {
    {"reduction", reduction}, {"reduceLocal", reduce_local}, {NULL, NULL}};
