/**
 * Accesses to files: blocking, nonblocking, and split into two halves.
 *
 * Buffers keep their element types: a file may store numbers in another representation.
 */
#include "mpi-file.h"

/** Accesses in the order of FILE_ACCESSES in file-transport.ts. DO NOT REORDER without it. */
enum {
  READ_AT,
  WRITE_AT,
  READ_AT_ALL,
  WRITE_AT_ALL,
  READ,
  WRITE,
  READ_ALL,
  WRITE_ALL,
  READ_SHARED,
  WRITE_SHARED,
  READ_ORDERED,
  WRITE_ORDERED,
  ACCESS_COUNT
};

#define NAMES(prefix, suffix)                                                                      \
  {                                                                                                \
    prefix "read_at" suffix, prefix "write_at" suffix, prefix "read_at_all" suffix,                \
        prefix "write_at_all" suffix, prefix "read" suffix, prefix "write" suffix,                 \
        prefix "read_all" suffix, prefix "write_all" suffix, prefix "read_shared" suffix,          \
        prefix "write_shared" suffix, prefix "read_ordered" suffix, prefix "write_ordered" suffix  \
  }

static const char *const blocking_names[ACCESS_COUNT] = NAMES("MPI_File_", "");
static const char *const nonblocking_names[ACCESS_COUNT] = NAMES("MPI_File_i", "");
static const char *const begin_names[ACCESS_COUNT] = NAMES("MPI_File_", "_begin");
static const char *const end_names[ACCESS_COUNT] = NAMES("MPI_File_", "_end");

typedef struct {
  file_call call;
  int kind;
  MPI_Offset offset;
  mpi_buffer buffer;
  napi_value buffer_object;
} file_access;

/** Reads (file, kind, offset, buffer). */
static bool open_access(napi_env env, napi_callback_info info, const char *const *names,
                        file_access *access) {
  napi_value values[4];
  file_call *call = &access->call;
  if (!open_file_call(env, info, "MPI_File_read", 4, values, call) ||
      !int_argument(env, values[1], &access->kind) ||
      !offset_argument(env, values[2], &access->offset))
    return false;
  if (access->kind < 0 || access->kind >= ACCESS_COUNT)
    return succeeded(env, napi_invalid_arg);
  call->name = names[access->kind];
  access->buffer_object = values[3];
  return buffer_argument(env, call->context, call->name, values[3], AS_ELEMENTS, &access->buffer);
}

static int access_now(const file_access *a, MPI_Status *status) {
  MPI_File file = a->call.file;
  void *data = a->buffer.data;
  int count = a->buffer.count;
  MPI_Datatype type = a->buffer.type;
  switch (a->kind) {
  case READ_AT:
    return MPI_File_read_at(file, a->offset, data, count, type, status);
  case WRITE_AT:
    return MPI_File_write_at(file, a->offset, data, count, type, status);
  case READ_AT_ALL:
    return MPI_File_read_at_all(file, a->offset, data, count, type, status);
  case WRITE_AT_ALL:
    return MPI_File_write_at_all(file, a->offset, data, count, type, status);
  case READ:
    return MPI_File_read(file, data, count, type, status);
  case WRITE:
    return MPI_File_write(file, data, count, type, status);
  case READ_ALL:
    return MPI_File_read_all(file, data, count, type, status);
  case WRITE_ALL:
    return MPI_File_write_all(file, data, count, type, status);
  case READ_SHARED:
    return MPI_File_read_shared(file, data, count, type, status);
  case WRITE_SHARED:
    return MPI_File_write_shared(file, data, count, type, status);
  case READ_ORDERED:
    return MPI_File_read_ordered(file, data, count, type, status);
  case WRITE_ORDERED:
    return MPI_File_write_ordered(file, data, count, type, status);
  default:
    return MPI_ERR_ARG;
  }
}

static int start_access(const file_access *a, MPI_Request *request) {
  MPI_File file = a->call.file;
  void *data = a->buffer.data;
  int count = a->buffer.count;
  MPI_Datatype type = a->buffer.type;
  switch (a->kind) {
  case READ_AT:
    return MPI_File_iread_at(file, a->offset, data, count, type, request);
  case WRITE_AT:
    return MPI_File_iwrite_at(file, a->offset, data, count, type, request);
  case READ_AT_ALL:
    return MPI_File_iread_at_all(file, a->offset, data, count, type, request);
  case WRITE_AT_ALL:
    return MPI_File_iwrite_at_all(file, a->offset, data, count, type, request);
  case READ:
    return MPI_File_iread(file, data, count, type, request);
  case WRITE:
    return MPI_File_iwrite(file, data, count, type, request);
  case READ_ALL:
    return MPI_File_iread_all(file, data, count, type, request);
  case WRITE_ALL:
    return MPI_File_iwrite_all(file, data, count, type, request);
  case READ_SHARED:
    return MPI_File_iread_shared(file, data, count, type, request);
  case WRITE_SHARED:
    return MPI_File_iwrite_shared(file, data, count, type, request);
  default:
    return MPI_ERR_UNSUPPORTED_OPERATION;
  }
}

static int begin_access(const file_access *a) {
  MPI_File file = a->call.file;
  void *data = a->buffer.data;
  int count = a->buffer.count;
  MPI_Datatype type = a->buffer.type;
  switch (a->kind) {
  case READ_AT_ALL:
    return MPI_File_read_at_all_begin(file, a->offset, data, count, type);
  case WRITE_AT_ALL:
    return MPI_File_write_at_all_begin(file, a->offset, data, count, type);
  case READ_ALL:
    return MPI_File_read_all_begin(file, data, count, type);
  case WRITE_ALL:
    return MPI_File_write_all_begin(file, data, count, type);
  case READ_ORDERED:
    return MPI_File_read_ordered_begin(file, data, count, type);
  case WRITE_ORDERED:
    return MPI_File_write_ordered_begin(file, data, count, type);
  default:
    return MPI_ERR_UNSUPPORTED_OPERATION;
  }
}

static int end_access(const file_access *a, MPI_Status *status) {
  MPI_File file = a->call.file;
  void *data = a->buffer.data;
  switch (a->kind) {
  case READ_AT_ALL:
    return MPI_File_read_at_all_end(file, data, status);
  case WRITE_AT_ALL:
    return MPI_File_write_at_all_end(file, data, status);
  case READ_ALL:
    return MPI_File_read_all_end(file, data, status);
  case WRITE_ALL:
    return MPI_File_write_all_end(file, data, status);
  case READ_ORDERED:
    return MPI_File_read_ordered_end(file, data, status);
  case WRITE_ORDERED:
    return MPI_File_write_ordered_end(file, data, status);
  default:
    return MPI_ERR_UNSUPPORTED_OPERATION;
  }
}

/** fileAccess(file, kind, offset, buffer); the offset counts only in accesses at one */
static napi_value file_access_now(napi_env env, napi_callback_info info) {
  file_access a;
  MPI_Status status = {0};
  if (open_access(env, info, blocking_names, &a) &&
      check(env, a.call.context, a.call.name, access_now(&a, &status)))
    store_status(a.call.context, &status);
  return NULL;
}

/** fileStart(file, kind, offset, buffer): a request */
static napi_value file_start(napi_env env, napi_callback_info info) {
  file_access a;
  int64_t handle;
  if (!open_access(env, info, nonblocking_names, &a))
    return NULL;
  addon_context *context = a.call.context;
  request_slot *request = open_request(env, context, a.call.name, a.buffer_object, false, &handle);
  if (!request)
    return NULL;
  request->collective = true;
  request->of_file = true;
  int code = start_access(&a, &request->request);
  return request_result(env, context, a.call.name, code, handle);
}

/** fileBegin(file, kind, offset, buffer): TypeScript keeps the buffer until the end */
static napi_value file_begin(napi_env env, napi_callback_info info) {
  file_access a;
  if (open_access(env, info, begin_names, &a))
    check(env, a.call.context, a.call.name, begin_access(&a));
  return NULL;
}

/** fileEnd(file, kind, 0, buffer) */
static napi_value file_end(napi_env env, napi_callback_info info) {
  file_access a;
  MPI_Status status = {0};
  if (open_access(env, info, end_names, &a) &&
      check(env, a.call.context, a.call.name, end_access(&a, &status)))
    store_status(a.call.context, &status);
  return NULL;
}

const addon_function file_access_functions[] = {{"fileAccess", file_access_now},
                                                {"fileStart", file_start},
                                                {"fileBegin", file_begin},
                                                {"fileEnd", file_end},
                                                {NULL, NULL}};
