/**
 * Point-to-point messages: blocking, nonblocking, persistent.
 *
 * A receive leaves its status in the context's status array: writing four numbers is cheaper than
 * making an object per message.
 */
#include "mpi-addon.h"

#include <stdlib.h>

void store_empty_status(addon_context *context) {
  context->status[STATUS_SOURCE] = PROC_NULL;
  context->status[STATUS_TAG] = ANY_TAG;
  context->status[STATUS_BYTES] = 0;
  context->status[STATUS_CANCELLED] = 0;
}

static void store_message(addon_context *context, const MPI_Status *status, int cancelled) {
  int source = status->MPI_SOURCE, tag = status->MPI_TAG, count = MPI_UNDEFINED;
  MPI_Count bytes = 0;
  /* What fits into an int is asked for in half the time. */
  MPI_Get_count(status, MPI_BYTE, &count);
  if (count != MPI_UNDEFINED)
    bytes = count;
  else
    MPI_Get_elements_x(status, MPI_BYTE, &bytes);
  context->status[STATUS_SOURCE] = source == MPI_PROC_NULL    ? PROC_NULL
                                   : source == MPI_ANY_SOURCE ? ANY_SOURCE
                                                              : source;
  context->status[STATUS_TAG] = tag == MPI_ANY_TAG ? ANY_TAG : tag;
  context->status[STATUS_BYTES] = cancelled || bytes == MPI_UNDEFINED ? 0 : (double)bytes;
  context->status[STATUS_CANCELLED] = cancelled;
}

/* Statuses begin as zeros: probes of MPICH do not say that nothing was cancelled. */
void store_status(addon_context *context, const MPI_Status *status) {
  int cancelled = 0;
  MPI_Test_cancelled(status, &cancelled);
  store_message(context, status, cancelled);
}

/** The arguments (handle, buffer, rank, tag) that most functions here share. */
typedef struct {
  MPI_Comm comm; /* a copy: taking a request's slot may move the table */
  mpi_buffer buffer;
  int rank;
  int tag;
  napi_value buffer_object;
} message_arguments;

static bool message_values(napi_env env, napi_value *values, const char *call,
                           addon_context *context, message_arguments *message) {
  communicator_slot *slot = communicator_argument(env, context, call, values[0]);
  message->buffer_object = values[1];
  if (!slot || !buffer_argument(env, context, call, values[1], AS_BYTES, &message->buffer) ||
      !int_argument(env, values[2], &message->rank) || !int_argument(env, values[3], &message->tag))
    return false;
  message->comm = slot->comm;
  message->rank = library_rank(message->rank);
  message->tag = library_tag(message->tag);
  return true;
}

static bool message_call(napi_env env, napi_callback_info info, const char *call,
                         addon_context **context, message_arguments *message) {
  napi_value values[4];
  return arguments(env, info, 4, values, (void **)context) &&
         message_values(env, values, call, *context, message);
}

/** The modes of a send, in the order of SEND_MODES in constants.ts. DO NOT REORDER. */
enum { MODE_STANDARD, MODE_SYNCHRONOUS, MODE_BUFFERED, MODE_READY, MODE_COUNT };

typedef int (*blocking_send)(const void *, int, MPI_Datatype, int, int, MPI_Comm);
typedef int (*starting_send)(const void *, int, MPI_Datatype, int, int, MPI_Comm, MPI_Request *);

typedef struct {
  const char *call;
  blocking_send run;
} blocking_mode;

typedef struct {
  const char *call;
  starting_send run;
} starting_mode;

static const blocking_mode blocking_modes[MODE_COUNT] = {{"MPI_Send", MPI_Send},
                                                         {"MPI_Ssend", MPI_Ssend},
                                                         {"MPI_Bsend", MPI_Bsend},
                                                         {"MPI_Rsend", MPI_Rsend}};
static const starting_mode nonblocking_modes[MODE_COUNT] = {{"MPI_Isend", MPI_Isend},
                                                            {"MPI_Issend", MPI_Issend},
                                                            {"MPI_Ibsend", MPI_Ibsend},
                                                            {"MPI_Irsend", MPI_Irsend}};
static const starting_mode persistent_modes[MODE_COUNT] = {{"MPI_Send_init", MPI_Send_init},
                                                           {"MPI_Ssend_init", MPI_Ssend_init},
                                                           {"MPI_Bsend_init", MPI_Bsend_init},
                                                           {"MPI_Rsend_init", MPI_Rsend_init}};

static void send_message(napi_env env, addon_context *context, const message_arguments *m) {
  check(env, context, "MPI_Send",
        MPI_Send(m->buffer.data, m->buffer.count, m->buffer.type, m->rank, m->tag, m->comm));
}

static napi_value mpi_send(napi_env env, napi_callback_info info) {
  addon_context *context;
  message_arguments m;
  if (!message_call(env, info, "MPI_Send", &context, &m))
    return NULL;
  context->sent = m.buffer;
  send_message(env, context, &m);
  return NULL;
}

/**
 * The arguments of a call that Node passes without any: reading four of them takes 40 ns, longer than
 * the library needs for a short message. TypeScript has made sure that `buffer`, that of the last such
 * call, still has its memory, and has put the rest into the shared array.
 */
static bool message_again(napi_env env, const char *call, addon_context *context,
                          const mpi_buffer *buffer, message_arguments *message) {
  const double *fields = context->status;
  handle_slot *slot = find_object(env, context, call, (int64_t)fields[CALL_COMM],
                                  HANDLE_COMMUNICATOR, "MPI_ERR_COMM");
  if (!slot || !succeeded(env, buffer->data ? napi_ok : napi_invalid_arg))
    return false;
  message->comm = slot->as.communicator.comm;
  message->buffer = *buffer;
  message->rank = library_rank((int)fields[CALL_RANK]);
  message->tag = library_tag((int)fields[CALL_TAG]);
  return true;
}

/** sendAgain(): send() from the buffer of the last one, with the arguments in the shared array. */
static napi_value send_again(napi_env env, napi_callback_info info) {
  addon_context *context;
  message_arguments m;
  if (context_argument(env, info, (void **)&context) &&
      message_again(env, "MPI_Send", context, &context->sent, &m))
    send_message(env, context, &m);
  return NULL;
}

/** The mode of a send; -1 after an exception. */
static int mode_argument(napi_env env, napi_value value) {
  int mode;
  if (!int_argument(env, value, &mode))
    return -1;
  return mode >= 0 && mode < MODE_COUNT ? mode : MODE_STANDARD;
}

/** sendAs(handle, buffer, dest, tag, mode) */
static napi_value send_as(napi_env env, napi_callback_info info) {
  napi_value values[5];
  addon_context *context;
  message_arguments m;
  if (!arguments(env, info, 5, values, (void **)&context))
    return NULL;
  int mode = mode_argument(env, values[4]);
  if (mode < 0)
    return NULL;
  const blocking_mode *as = &blocking_modes[mode];
  if (message_values(env, values, as->call, context, &m))
    check(env, context, as->call,
          as->run(m.buffer.data, m.buffer.count, m.buffer.type, m.rank, m.tag, m.comm));
  return NULL;
}

static void receive_message(napi_env env, addon_context *context, const message_arguments *m) {
  MPI_Status status = {0};
  if (check(env, context, "MPI_Recv",
            MPI_Recv(m->buffer.data, m->buffer.count, m->buffer.type, m->rank, m->tag, m->comm,
                     &status)))
    store_message(context, &status, 0); /* nothing can cancel it */
}

static napi_value mpi_recv(napi_env env, napi_callback_info info) {
  addon_context *context;
  message_arguments m;
  if (!message_call(env, info, "MPI_Recv", &context, &m))
    return NULL;
  context->received = m.buffer;
  receive_message(env, context, &m);
  return NULL;
}

/** recvAgain(): recv() into the buffer of the last one, with the arguments in the shared array. */
static napi_value recv_again(napi_env env, napi_callback_info info) {
  addon_context *context;
  message_arguments m;
  if (context_argument(env, info, (void **)&context) &&
      message_again(env, "MPI_Recv", context, &context->received, &m))
    receive_message(env, context, &m);
  return NULL;
}

/** sendrecv(handle, sendbuf, dest, sendtag, recvbuf, source, recvtag) */
static napi_value mpi_sendrecv(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Sendrecv";
  napi_value values[7];
  addon_context *context;
  mpi_buffer out, in;
  int dest, sendtag, source, recvtag;
  MPI_Status status = {0};
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
    store_status(context, &status);
  return NULL;
}

/** sendrecvReplace(handle, buffer, dest, sendtag, source, recvtag) */
static napi_value sendrecv_replace(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Sendrecv_replace";
  napi_value values[6];
  addon_context *context;
  message_arguments m;
  int source, recvtag;
  MPI_Status status = {0};
  if (!arguments(env, info, 6, values, (void **)&context) ||
      !message_values(env, values, call, context, &m) || !int_argument(env, values[4], &source) ||
      !int_argument(env, values[5], &recvtag))
    return NULL;
  if (check(env, context, call,
            MPI_Sendrecv_replace(m.buffer.data, m.buffer.count, m.buffer.type, m.rank, m.tag,
                                 library_rank(source), library_tag(recvtag), m.comm, &status)))
    store_status(context, &status);
  return NULL;
}

static napi_value mpi_isend(napi_env env, napi_callback_info info) {
  addon_context *context;
  message_arguments m;
  int64_t handle;
  if (!message_call(env, info, "MPI_Isend", &context, &m))
    return NULL;
  request_slot *request = open_request(env, context, "MPI_Isend", m.buffer_object, false, &handle);
  if (!request)
    return NULL;
  int code = MPI_Isend(m.buffer.data, m.buffer.count, m.buffer.type, m.rank, m.tag, m.comm,
                       &request->request);
  return request_result(env, context, "MPI_Isend", code, handle);
}

/** A send in a mode, started or only prepared. */
static napi_value start_send(napi_env env, napi_callback_info info, const starting_mode *modes,
                             bool persistent) {
  napi_value values[5];
  addon_context *context;
  message_arguments m;
  int64_t handle;
  if (!arguments(env, info, 5, values, (void **)&context))
    return NULL;
  int mode = mode_argument(env, values[4]);
  if (mode < 0 || !message_values(env, values, modes[mode].call, context, &m))
    return NULL;
  const starting_mode *as = &modes[mode];
  request_slot *request = open_request(env, context, as->call, m.buffer_object, false, &handle);
  if (!request)
    return NULL;
  request->persistent = persistent;
  int code = as->run(m.buffer.data, m.buffer.count, m.buffer.type, m.rank, m.tag, m.comm,
                     &request->request);
  return request_result(env, context, as->call, code, handle);
}

/** isendAs(handle, buffer, dest, tag, mode) */
static napi_value isend_as(napi_env env, napi_callback_info info) {
  return start_send(env, info, nonblocking_modes, false);
}

/** sendInit(handle, buffer, dest, tag, mode): a persistent request */
static napi_value send_init(napi_env env, napi_callback_info info) {
  return start_send(env, info, persistent_modes, true);
}

/* Of a receive from nobody, MPICH 4.0 leaves the status as an older operation left it. */
static napi_value start_receive(napi_env env, napi_callback_info info, const char *call,
                                bool persistent) {
  addon_context *context;
  message_arguments m;
  int64_t handle;
  if (!message_call(env, info, call, &context, &m))
    return NULL;
  request_slot *request =
      open_request(env, context, call, m.buffer_object, m.rank != MPI_PROC_NULL, &handle);
  if (!request)
    return NULL;
  request->persistent = persistent;
  int code = (persistent ? MPI_Recv_init : MPI_Irecv)(m.buffer.data, m.buffer.count, m.buffer.type,
                                                      m.rank, m.tag, m.comm, &request->request);
  return request_result(env, context, call, code, handle);
}

static napi_value mpi_irecv(napi_env env, napi_callback_info info) {
  return start_receive(env, info, "MPI_Irecv", false);
}

static napi_value recv_init(napi_env env, napi_callback_info info) {
  return start_receive(env, info, "MPI_Recv_init", true);
}

/** The memory of buffered sends belongs to the process, whatever thread attached it. */
static void *attached_buffer;
static int attached_size;

/** attachBuffer(bytes): memory for buffered sends; an older one must have been detached */
static napi_value attach_buffer(napi_env env, napi_callback_info info) {
  napi_value values[1];
  addon_context *context;
  int size;
  if (!arguments(env, info, 1, values, (void **)&context) || !int_argument(env, values[0], &size))
    return NULL;
  void *memory = attached_buffer ? NULL : malloc(size > 0 ? (size_t)size : 1);
  if (!memory) {
    throw_usage_error(env, context, "MPI_Buffer_attach", "MPI_ERR_BUFFER",
                      attached_buffer ? "a buffer is attached already" : "no memory");
    return NULL;
  }
  if (check(env, context, "MPI_Buffer_attach", MPI_Buffer_attach(memory, size)))
    attached_buffer = memory, attached_size = size;
  else
    free(memory);
  return NULL;
}

/** detachBuffer(): waits for the messages in it; its size */
static napi_value detach_buffer(napi_env env, napi_callback_info info) {
  addon_context *context;
  void *memory = NULL;
  int size = 0;
  if (!arguments(env, info, 0, NULL, (void **)&context))
    return NULL;
  if (attached_buffer) {
    if (!check(env, context, "MPI_Buffer_detach", MPI_Buffer_detach(&memory, &size)))
      return NULL;
    free(attached_buffer);
    attached_buffer = NULL;
    attached_size = 0;
  }
  return int_result(env, size);
}

/** attachedSize(): of the attached buffer, 0 without one; libraries may hang on a message that does
 * not fit */
static napi_value get_attached_size(napi_env env, napi_callback_info info) {
  (void)info;
  return int_result(env, attached_size);
}

/** bsendOverhead(): bytes of the attached buffer that a message takes beside its data */
static napi_value bsend_overhead(napi_env env, napi_callback_info info) {
  (void)info;
  return int_result(env, MPI_BSEND_OVERHEAD);
}

const addon_function point_to_point_functions[] = {{"send", mpi_send},
                                                   {"sendAgain", send_again},
                                                   {"sendAs", send_as},
                                                   {"recv", mpi_recv},
                                                   {"recvAgain", recv_again},
                                                   {"sendrecv", mpi_sendrecv},
                                                   {"sendrecvReplace", sendrecv_replace},
                                                   {"isend", mpi_isend},
                                                   {"isendAs", isend_as},
                                                   {"sendInit", send_init},
                                                   {"irecv", mpi_irecv},
                                                   {"recvInit", recv_init},
                                                   {"attachBuffer", attach_buffer},
                                                   {"detachBuffer", detach_buffer},
                                                   {"bsendOverhead", bsend_overhead},
                                                   {"attachedSize", get_attached_size},
                                                   {NULL, NULL}};
