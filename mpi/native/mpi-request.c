/**
 * Requests: operations that go on after their call has returned.
 *
 * A request holds a reference to its buffers' object until it completes, so that the garbage
 * collector cannot take memory that the library still reads or writes. A persistent request holds
 * it until it is freed.
 */
#include "mpi-addon.h"

#include <sched.h>
#include <stdlib.h>

request_slot *open_request(napi_env env, addon_context *context, const char *call,
                           napi_value buffers, bool receives, int64_t *handle) {
  handle_slot *slot = handle_allocate(&context->handles, HANDLE_REQUEST, handle);
  if (!slot) {
    throw_usage_error(env, context, call, "MPI_ERR_NO_MEM", "no memory for a request");
    return NULL;
  }
  request_slot *request = &slot->as.request;
  *request = (request_slot){.request = MPI_REQUEST_NULL, .receives = receives};
  if (!succeeded(env, napi_create_reference(env, buffers, 1, &request->buffer))) {
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
  free(slot->as.request.made);
  handle_release(&context->handles, slot);
}

napi_value request_result(napi_env env, addon_context *context, const char *call, int code,
                          int64_t handle) {
  if (check(env, context, call, code))
    return double_result(env, (double)handle);
  close_request(env, context, handle);
  return NULL;
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

/** Leaves a communicator that has been made as a handle in place of its request's source. */
static void store_made(napi_env env, addon_context *context, MPI_Comm made) {
  napi_value handle = communicator_result(env, context, made, false);
  if (handle)
    napi_get_value_double(env, handle, &context->status[STATUS_SOURCE]);
}

/** Ends an operation, successful or not: stores its status, frees its slot, throws its error. */
static void complete(napi_env env, addon_context *context, const char *call, int code,
                     const MPI_Status *status, int64_t handle) {
  request_slot request = handle_find(&context->handles, HANDLE_REQUEST, handle)->as.request;
  MPI_Comm made = request.made ? *request.made : MPI_COMM_NULL;
  if (!request.persistent)
    close_request(env, context, handle);
  if (!check(env, context, call, code))
    return;
  int cancelled = 0;
  if (!request.receives && !request.of_file && !request.collective)
    MPI_Test_cancelled(status, &cancelled);
  if (request.receives || request.of_file) {
    store_status(context, status);
  } else {
    store_empty_status(context);
    context->status[STATUS_CANCELLED] = cancelled;
  }
  if (made != MPI_COMM_NULL)
    store_made(env, context, made);
}

static napi_value request_wait(napi_env env, napi_callback_info info) {
  addon_context *context;
  int64_t handle;
  MPI_Status status = {0};
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
  MPI_Status status = {0};
  int done = 0;
  request_slot *request = request_argument(env, info, "MPI_Test", &context, &handle);
  if (!request)
    return NULL;
  int code = MPI_Test(&request->request, &done, &status);
  if (done || code != MPI_SUCCESS)
    complete(env, context, "MPI_Test", code, &status, handle);
  return bool_result(env, done);
}

/** requestCancel(handle): the operation still has to complete */
static napi_value request_cancel(napi_env env, napi_callback_info info) {
  addon_context *context;
  int64_t handle;
  request_slot *request = request_argument(env, info, "MPI_Cancel", &context, &handle);
  if (request)
    check(env, context, "MPI_Cancel", MPI_Cancel(&request->request));
  return NULL;
}

/** requestFree(handle): of a persistent request that is not active */
static napi_value request_free(napi_env env, napi_callback_info info) {
  addon_context *context;
  int64_t handle;
  request_slot *request = request_argument(env, info, "MPI_Request_free", &context, &handle);
  if (request && check(env, context, "MPI_Request_free", MPI_Request_free(&request->request)))
    close_request(env, context, handle);
  return NULL;
}

/** Reads an array of handles as requests; the result is to be freed, NULL after an exception. */
static MPI_Request *requests_argument(napi_env env, addon_context *context, const char *call,
                                      napi_value value, size_t *count) {
  napi_typedarray_type type;
  void *data = NULL;
  napi_status found = napi_get_typedarray_info(env, value, &type, count, &data, NULL, NULL);
  if (!succeeded(env, found == napi_ok && type != napi_float64_array ? napi_invalid_arg : found))
    return NULL;
  const double *handles = data;
  MPI_Request *requests = malloc(sizeof(MPI_Request) * (*count + 1));
  bool ok = requests && *count > 0 && atomic_load(&mpi_phase) == PHASE_ACTIVE;
  for (size_t i = 0; ok && i < *count; i++) {
    handle_slot *slot = handle_find(&context->handles, HANDLE_REQUEST, (int64_t)handles[i]);
    ok = slot != NULL;
    if (ok)
      requests[i] = slot->as.request.request;
  }
  if (ok)
    return requests;
  free(requests);
  throw_usage_error(env, context, call, "MPI_ERR_REQUEST", "a request has completed or is none");
  return NULL;
}

/**
 * requestPollAny(Float64Array of handles): blocks until one can be completed without waiting; its
 * index.
 *
 * Nothing is completed here, so that status and error of the one go their usual way.
 */
static napi_value request_poll_any(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Waitany";
  napi_value values[1];
  addon_context *context;
  size_t count;
  if (!arguments(env, info, 1, values, (void **)&context))
    return NULL;
  MPI_Request *requests = requests_argument(env, context, call, values[0], &count);
  if (!requests)
    return NULL;
  size_t ready = count;
  while (ready == count) {
    for (size_t i = 0; i < count && ready == count; i++) {
      int done = 0;
      /* A request that fails is ready: completing it tells why. */
      if (MPI_Request_get_status(requests[i], &done, MPI_STATUS_IGNORE) != MPI_SUCCESS || done)
        ready = i;
    }
    if (ready == count)
      sched_yield(); /* other ranks may share the core */
  }
  free(requests);
  return int_result(env, (int)ready);
}

/** requestStart(handle): of a persistent request */
static napi_value request_start(napi_env env, napi_callback_info info) {
  addon_context *context;
  int64_t handle;
  request_slot *request = request_argument(env, info, "MPI_Start", &context, &handle);
  if (request)
    check(env, context, "MPI_Start", MPI_Start(&request->request));
  return NULL;
}

void abandon_requests(addon_context *context) {
  for (uint32_t i = 0; i < context->handles.count; i++) {
    handle_slot *slot = &context->handles.slots[i];
    if (slot->kind != HANDLE_REQUEST)
      continue;
    /* The reference stays: the library may touch the buffer until MPI_Finalize returns. */
    request_slot *request = &slot->as.request;
    int done = 0;
    if (request->request == MPI_REQUEST_NULL)
      done = 1;
    else if (MPI_Test(&request->request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS)
      done = 1;
    if (!done && request->receives)
      MPI_Cancel(&request->request);
    if (request->request != MPI_REQUEST_NULL && !request->collective)
      MPI_Request_free(&request->request);
    handle_release(&context->handles, slot);
  }
}

const addon_function request_functions[] = {{"requestWait", request_wait},
                                            {"requestTest", request_test},
                                            {"requestCancel", request_cancel},
                                            {"requestFree", request_free},
                                            {"requestPollAny", request_poll_any},
                                            {"requestStart", request_start},
                                            {NULL, NULL}};
