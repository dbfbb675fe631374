/**
 * Collectives of equal contributions, and what all collectives share.
 */
#include "mpi-collective.h"

/** Calls in the order of REGULAR_KINDS in collective-transport.ts. DO NOT REORDER without it. */
enum {
  BARRIER,
  BCAST,
  GATHER,
  SCATTER,
  ALLGATHER,
  ALLTOALL,
  NEIGHBOR_ALLGATHER,
  NEIGHBOR_ALLTOALL,
  REGULAR_KIND_COUNT
};

static const char *const names[REGULAR_KIND_COUNT] = {"MPI_Barrier",
                                                      "MPI_Bcast",
                                                      "MPI_Gather",
                                                      "MPI_Scatter",
                                                      "MPI_Allgather",
                                                      "MPI_Alltoall",
                                                      "MPI_Neighbor_allgather",
                                                      "MPI_Neighbor_alltoall"};

void keep_for_collective(collective_call *call, napi_value value) {
  uint32_t length = 0;
  if (call->form != FORM_BLOCKING &&
      napi_get_array_length(call->env, call->kept, &length) == napi_ok)
    napi_set_element(call->env, call->kept, length, value);
}

bool open_collective(napi_env env, napi_callback_info info, size_t count, napi_value *values,
                     const char *const *names_of_kinds, int kind_count, collective_call *call) {
  int form = 0;
  call->env = env;
  call->request = NULL;
  if (!arguments(env, info, count, values, (void **)&call->context) ||
      !int_argument(env, values[1], &call->kind) || !int_argument(env, values[2], &form))
    return false;
  if (call->kind < 0 || call->kind >= kind_count || form < 0 || form > LAST_FORM)
    return succeeded(env, napi_invalid_arg);
  call->form = (collective_form)form;
  call->name = names_of_kinds[call->kind];
  communicator_slot *slot = communicator_argument(env, call->context, call->name, values[0]);
  if (!slot)
    return false;
  call->comm = slot->comm;
  call->ranks = slot->remote_size > 0 ? slot->remote_size : slot->size;
  call->size = slot->size;
  call->is_inter = slot->remote_size > 0;
  return call->form == FORM_BLOCKING || succeeded(env, napi_create_array(env, &call->kept));
}

bool collective_buffers(collective_call *call, napi_value *values, element_meaning meaning) {
  keep_for_collective(call, values[0]);
  keep_for_collective(call, values[1]);
  return optional_buffer_argument(call->env, call->context, call->name, values[0], meaning,
                                  &call->send) &&
         optional_buffer_argument(call->env, call->context, call->name, values[1], meaning,
                                  &call->recv);
}

bool start_collective(collective_call *call) {
  if (call->form == FORM_BLOCKING)
    return true;
  request_slot *slot =
      open_request(call->env, call->context, call->name, call->kept, false, &call->handle);
  if (!slot)
    return false;
  slot->collective = true;
  slot->persistent = call->form == FORM_PERSISTENT;
  call->request = &slot->request;
  return true;
}

napi_value end_collective(collective_call *call, int code) {
  if (call->request)
    return request_result(call->env, call->context, call->name, code, call->handle);
  check(call->env, call->context, call->name, code);
  return NULL;
}

static int run_regular(collective_call *c, int send_count, int recv_count, int root) {
  void *out = c->send.data, *in = c->recv.data;
  MPI_Datatype sent = c->send.type, received = c->recv.type;
  switch (c->kind) {
  case BARRIER:
    return ONE_OF(c, Barrier, Ibarrier, c->comm);
  case BCAST:
    return ONE_OF(c, Bcast, Ibcast, in, c->recv.count, received, root, c->comm);
  case GATHER:
    return ONE_OF(c, Gather, Igather, out, send_count, sent, in, recv_count, received, root,
                  c->comm);
  case SCATTER:
    return ONE_OF(c, Scatter, Iscatter, out, send_count, sent, in, recv_count, received, root,
                  c->comm);
  case ALLGATHER:
    return ONE_OF(c, Allgather, Iallgather, out, send_count, sent, in, recv_count, received,
                  c->comm);
  case ALLTOALL:
    return ONE_OF(c, Alltoall, Ialltoall, out, send_count, sent, in, recv_count, received, c->comm);
  case NEIGHBOR_ALLGATHER:
    return ONE_OF(c, Neighbor_allgather, Ineighbor_allgather, out, send_count, sent, in, recv_count,
                  received, c->comm);
  case NEIGHBOR_ALLTOALL:
    return ONE_OF(c, Neighbor_alltoall, Ineighbor_alltoall, out, send_count, sent, in, recv_count,
                  received, c->comm);
  default:
    return MPI_ERR_ARG;
  }
}

/**
 * collective(comm, kind, form, send, recv, sendCount, recvCount, root): counts are
 * elements of one contribution.
 */
static napi_value collective(napi_env env, napi_callback_info info) {
  napi_value values[8];
  collective_call call;
  int send_count, recv_count, root;
  if (!open_collective(env, info, 8, values, names, REGULAR_KIND_COUNT, &call) ||
      !collective_buffers(&call, values + 3, call.kind == BCAST ? AS_BYTES : AS_ELEMENTS) ||
      !int_argument(env, values[5], &send_count) || !int_argument(env, values[6], &recv_count) ||
      !int_argument(env, values[7], &root) || !start_collective(&call))
    return NULL;
  return end_collective(&call, run_regular(&call, send_count, recv_count, library_root(root)));
}

/** hasPersistentCollectives(): whether collectives know the persistent form */
static napi_value has_persistent_collectives(napi_env env, napi_callback_info info) {
  (void)info;
  return bool_result(env, LAST_FORM == FORM_PERSISTENT);
}

const addon_function collective_functions[] = {
    {"collective", collective},
    {"hasPersistentCollectives", has_persistent_collectives},
    {NULL, NULL}};
