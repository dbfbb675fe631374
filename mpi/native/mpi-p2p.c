/**
 * Point-to-point messages, blocking and nonblocking.
 *
 * A receive leaves [source, tag, bytes] in the context's status array: writing three numbers is
 * cheaper than making an object per message.
 *
 * A nonblocking operation holds a reference to its buffer's object until it completes, so that the
 * garbage collector cannot take memory that the library still reads or writes.
 */
#include "mpi-addon.h"

static void store_status(addon_context *context, MPI_Status *status, MPI_Datatype type,
                         int element_size) {
  int count = 0;
  MPI_Get_count(status, type, &count);
  double bytes = (double)count * element_size;
  if (count == MPI_UNDEFINED) { /* not a whole number of elements */
    MPI_Get_count(status, MPI_BYTE, &count);
    bytes = count;
  }
  int source = status->MPI_SOURCE, tag = status->MPI_TAG;
  context->status[0] = source == MPI_PROC_NULL    ? PROC_NULL
                       : source == MPI_ANY_SOURCE ? ANY_SOURCE
                                                  : source;
  context->status[1] = tag == MPI_ANY_TAG ? ANY_TAG : tag;
  context->status[2] = bytes;
}

/** The arguments (handle, buffer, rank, tag) that most functions here share. */
typedef struct {
  MPI_Comm comm; /* a copy: taking a request's slot may move the table */
  mpi_buffer buffer;
  int rank;
  int tag;
  napi_value buffer_object;
} message_arguments;

static bool message_call(napi_env env, napi_callback_info info, const char *call,
                         addon_context **context, message_arguments *message) {
  napi_value values[4];
  if (!arguments(env, info, 4, values, (void **)context))
    return false;
  communicator_slot *slot = communicator_argument(env, *context, call, values[0]);
  message->buffer_object = values[1];
  if (!slot || !buffer_argument(env, *context, call, values[1], AS_BYTES, &message->buffer) ||
      !int_argument(env, values[2], &message->rank) || !int_argument(env, values[3], &message->tag))
    return false;
  message->comm = slot->comm;
  message->rank = library_rank(message->rank);
  message->tag = library_tag(message->tag);
  return true;
}

static napi_value mpi_send(napi_env env, napi_callback_info info) {
  addon_context *context;
  message_arguments m;
  if (message_call(env, info, "MPI_Send", &context, &m))
    check(env, context, "MPI_Send",
          MPI_Send(m.buffer.data, m.buffer.count, m.buffer.type, m.rank, m.tag, m.comm));
  return NULL;
}

static napi_value mpi_recv(napi_env env, napi_callback_info info) {
  addon_context *context;
  message_arguments m;
  MPI_Status status;
  if (message_call(env, info, "MPI_Recv", &context, &m) &&
      check(env, context, "MPI_Recv",
            MPI_Recv(m.buffer.data, m.buffer.count, m.buffer.type, m.rank, m.tag, m.comm, &status)))
    store_status(context, &status, m.buffer.type, m.buffer.element_size);
  return NULL;
}

/** sendrecv(handle, sendbuf, dest, sendtag, recvbuf, source, recvtag) */
static napi_value mpi_sendrecv(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Sendrecv";
  napi_value values[7];
  addon_context *context;
  mpi_buffer out, in;
  int dest, sendtag, source, recvtag;
  MPI_Status status;
  if (!arguments(env, info, 7, values, (void **)&context))
    return NULL;
  communicator_slot *slot = communicator_argument(env, context, call, values[0]);
  if (!slot || !buffer_argument(env, context, call, values[1], AS_BYTES, &out) ||
      !int_argument(env, values[2], &dest) || !int_argument(env, values[3], &sendtag) ||
      !buffer_argument(env, context, call, values[4], AS_BYTES, &in) ||
      !int_argument(env, values[5], &source) || !int_argument(env, values[6], &recvtag))
    return NULL;
  if (check(env, context, call,
            MPI_Sendrecv(out.data, out.count, out.type, library_rank(dest), sendtag, in.data,
                         in.count, in.type, library_rank(source), library_tag(recvtag), slot->comm,
                         &status)))
    store_status(context, &status, in.type, in.element_size);
  return NULL;
}

/** Takes a slot and a reference to the buffer before the operation starts. */
static request_slot *open_request(napi_env env, addon_context *context, const char *call,
                                  const message_arguments *message, bool receives,
                                  int64_t *handle) {
  handle_slot *slot = handle_allocate(&context->handles, HANDLE_REQUEST, handle);
  if (!slot) {
    throw_usage_error(env, context, call, "MPI_ERR_NO_MEM", "no memory for a request");
    return NULL;
  }
  request_slot *request = &slot->as.request;
  *request = (request_slot){MPI_REQUEST_NULL, NULL, message->buffer.type,
                            message->buffer.element_size, receives};
  if (!succeeded(env, napi_create_reference(env, message->buffer_object, 1, &request->buffer))) {
    handle_release(&context->handles, slot);
    return NULL;
  }
  return request;
}

static void close_request(napi_env env, addon_context *context, int64_t handle) {
  handle_slot *slot = handle_find(&context->handles, HANDLE_REQUEST, handle);
  if (!slot)
    return;
  if (slot->as.request.buffer)
    napi_delete_reference(env, slot->as.request.buffer);
  handle_release(&context->handles, slot);
}

static napi_value request_result(napi_env env, addon_context *context, const char *call, int code,
                                 int64_t handle) {
  if (check(env, context, call, code))
    return double_result(env, (double)handle);
  close_request(env, context, handle);
  return NULL;
}

static napi_value mpi_isend(napi_env env, napi_callback_info info) {
  addon_context *context;
  message_arguments m;
  int64_t handle;
  if (!message_call(env, info, "MPI_Isend", &context, &m))
    return NULL;
  request_slot *request = open_request(env, context, "MPI_Isend", &m, false, &handle);
  if (!request)
    return NULL;
  int code = MPI_Isend(m.buffer.data, m.buffer.count, m.buffer.type, m.rank, m.tag, m.comm,
                       &request->request);
  return request_result(env, context, "MPI_Isend", code, handle);
}

static napi_value mpi_irecv(napi_env env, napi_callback_info info) {
  addon_context *context;
  message_arguments m;
  int64_t handle;
  if (!message_call(env, info, "MPI_Irecv", &context, &m))
    return NULL;
  request_slot *request = open_request(env, context, "MPI_Irecv", &m, true, &handle);
  if (!request)
    return NULL;
  int code = MPI_Irecv(m.buffer.data, m.buffer.count, m.buffer.type, m.rank, m.tag, m.comm,
                       &request->request);
  return request_result(env, context, "MPI_Irecv", code, handle);
}

static request_slot *request_argument(napi_env env, napi_callback_info info, const char *call,
                                      addon_context **context, int64_t *handle) {
  napi_value values[1];
  if (!arguments(env, info, 1, values, (void **)context) ||
      !succeeded(env, napi_get_value_int64(env, values[0], handle)))
    return NULL;
  if (atomic_load_explicit(&mpi_phase, memory_order_relaxed) != PHASE_ACTIVE) {
    throw_usage_error(env, *context, call, "MPI_FINALIZED", "MPI has been finalized");
    return NULL;
  }
  handle_slot *slot = handle_find(&(*context)->handles, HANDLE_REQUEST, *handle);
  if (slot)
    return &slot->as.request;
  throw_usage_error(env, *context, call, "MPI_ERR_REQUEST", "the request has completed or is none");
  return NULL;
}

/** Ends a request, successful or not: stores its status, frees its slot, throws its error. */
static void complete(napi_env env, addon_context *context, const char *call, int code,
                     MPI_Status *status, int64_t handle) {
  request_slot request = handle_find(&context->handles, HANDLE_REQUEST, handle)->as.request;
  close_request(env, context, handle);
  if (!check(env, context, call, code))
    return;
  if (request.receives) {
    store_status(context, status, request.type, request.element_size);
  } else {
    context->status[0] = PROC_NULL;
    context->status[1] = ANY_TAG;
    context->status[2] = 0;
  }
}

static napi_value request_wait(napi_env env, napi_callback_info info) {
  addon_context *context;
  int64_t handle;
  MPI_Status status;
  request_slot *request = request_argument(env, info, "MPI_Wait", &context, &handle);
  if (!request)
    return NULL;
  int code = MPI_Wait(&request->request, &status);
  complete(env, context, "MPI_Wait", code, &status, handle);
  return NULL;
}

static napi_value request_test(napi_env env, napi_callback_info info) {
  addon_context *context;
  int64_t handle;
  MPI_Status status;
  int done = 0;
  request_slot *request = request_argument(env, info, "MPI_Test", &context, &handle);
  if (!request)
    return NULL;
  int code = MPI_Test(&request->request, &done, &status);
  if (done || code != MPI_SUCCESS)
    complete(env, context, "MPI_Test", code, &status, handle);
  return bool_result(env, done);
}

void abandon_requests(addon_context *context) {
  for (uint32_t i = 0; i < context->handles.count; i++) {
    handle_slot *slot = &context->handles.slots[i];
    if (slot->kind != HANDLE_REQUEST)
      continue;
    /* The reference stays: the library may touch the buffer until MPI_Finalize returns. */
    request_slot *request = &slot->as.request;
    int done = 0;
    if (MPI_Test(&request->request, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && !done) {
      if (request->receives)
        MPI_Cancel(&request->request);
      MPI_Request_free(&request->request);
    }
    handle_release(&context->handles, slot);
  }
}

const addon_function point_to_point_functions[] = {{"send", mpi_send},
                                                   {"recv", mpi_recv},
                                                   {"sendrecv", mpi_sendrecv},
                                                   {"isend", mpi_isend},
                                                   {"irecv", mpi_irecv},
                                                   {"requestWait", request_wait},
                                                   {"requestTest", request_test},
                                                   {NULL, NULL}};
