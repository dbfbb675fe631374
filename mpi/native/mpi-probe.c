/**
 * Messages that are looked at before they are received: probes, and the receives of matched ones.
 */
#include "mpi-addon.h"

/** The arguments (handle, source, tag) of a probe. */
typedef struct {
  addon_context *context;
  MPI_Comm comm;
  int source;
  int tag;
} probe_arguments;

static bool probe_call(napi_env env, napi_callback_info info, const char *call,
                       probe_arguments *probe) {
  napi_value values[3];
  if (!arguments(env, info, 3, values, (void **)&probe->context))
    return false;
  communicator_slot *slot = communicator_argument(env, probe->context, call, values[0]);
  if (!slot || !int_argument(env, values[1], &probe->source) ||
      !int_argument(env, values[2], &probe->tag))
    return false;
  probe->comm = slot->comm;
  probe->source = library_rank(probe->source);
  probe->tag = library_tag(probe->tag);
  return true;
}

static napi_value mpi_probe(napi_env env, napi_callback_info info) {
  probe_arguments p;
  MPI_Status status = {0};
  if (probe_call(env, info, "MPI_Probe", &p) &&
      check(env, p.context, "MPI_Probe", MPI_Probe(p.source, p.tag, p.comm, &status)))
    store_status(p.context, &status);
  return NULL;
}

/** iprobe(handle, source, tag): whether there is a message */
static napi_value mpi_iprobe(napi_env env, napi_callback_info info) {
  probe_arguments p;
  MPI_Status status = {0};
  int found = 0;
  if (!probe_call(env, info, "MPI_Iprobe", &p) ||
      !check(env, p.context, "MPI_Iprobe", MPI_Iprobe(p.source, p.tag, p.comm, &found, &status)))
    return NULL;
  if (found)
    store_status(p.context, &status);
  return bool_result(env, found);
}

static napi_value message_result(napi_env env, addon_context *context, MPI_Message message,
                                 const MPI_Status *status) {
  int64_t handle;
  handle_slot *slot = handle_allocate(&context->handles, HANDLE_MESSAGE, &handle);
  if (!slot) {
    throw_usage_error(env, context, "MPI_Mprobe", "MPI_ERR_NO_MEM", "no memory for a message");
    return NULL;
  }
  slot->as.message = message;
  store_status(context, status);
  return double_result(env, (double)handle);
}

/** mprobe(handle, source, tag): a message that no other receive can take */
static napi_value mpi_mprobe(napi_env env, napi_callback_info info) {
  probe_arguments p;
  MPI_Status status = {0};
  MPI_Message message;
  if (!probe_call(env, info, "MPI_Mprobe", &p) ||
      !check(env, p.context, "MPI_Mprobe", MPI_Mprobe(p.source, p.tag, p.comm, &message, &status)))
    return NULL;
  return message_result(env, p.context, message, &status);
}

/** improbe(handle, source, tag): the same, or undefined */
static napi_value mpi_improbe(napi_env env, napi_callback_info info) {
  probe_arguments p;
  MPI_Status status = {0};
  MPI_Message message;
  int found = 0;
  if (!probe_call(env, info, "MPI_Improbe", &p) ||
      !check(env, p.context, "MPI_Improbe",
             MPI_Improbe(p.source, p.tag, p.comm, &found, &message, &status)) ||
      !found)
    return NULL;
  return message_result(env, p.context, message, &status);
}

/** Takes a probed message out of its slot, for the one receive that it allows. */
static bool take_message(napi_env env, addon_context *context, const char *call, napi_value *values,
                         MPI_Message *message, mpi_buffer *buffer) {
  handle_slot *slot =
      object_argument(env, context, call, values[0], HANDLE_MESSAGE, "MPI_ERR_REQUEST");
  if (!slot || !buffer_argument(env, context, call, values[1], AS_BYTES, buffer))
    return false;
  *message = slot->as.message;
  handle_release(&context->handles, slot);
  return true;
}

/** mrecv(message, buffer) */
static napi_value mpi_mrecv(napi_env env, napi_callback_info info) {
  napi_value values[2];
  addon_context *context;
  MPI_Message message;
  MPI_Status status = {0};
  mpi_buffer buffer;
  if (arguments(env, info, 2, values, (void **)&context) &&
      take_message(env, context, "MPI_Mrecv", values, &message, &buffer) &&
      check(env, context, "MPI_Mrecv",
            MPI_Mrecv(buffer.data, buffer.count, buffer.type, &message, &status)))
    store_status(context, &status);
  return NULL;
}

/** imrecv(message, buffer): a request */
static napi_value mpi_imrecv(napi_env env, napi_callback_info info) {
  napi_value values[2];
  addon_context *context;
  MPI_Message message;
  mpi_buffer buffer;
  int64_t handle;
  if (!arguments(env, info, 2, values, (void **)&context) ||
      !take_message(env, context, "MPI_Imrecv", values, &message, &buffer))
    return NULL;
  request_slot *request =
      open_request(env, context, "MPI_Imrecv", values[1], message != MPI_MESSAGE_NO_PROC, &handle);
  if (!request)
    return NULL;
  int code = MPI_Imrecv(buffer.data, buffer.count, buffer.type, &message, &request->request);
  return request_result(env, context, "MPI_Imrecv", code, handle);
}

const addon_function probe_functions[] = {{"probe", mpi_probe},
                                          {"iprobe", mpi_iprobe},
                                          {"mprobe", mpi_mprobe},
                                          {"improbe", mpi_improbe},
                                          {"mrecv", mpi_mrecv},
                                          {"imrecv", mpi_imrecv},
                                          {NULL, NULL}};
