/**
 * Files: opening, closing and describing them, their views and their pointers.
 */
#include "mpi-file.h"

#include <stdlib.h>
#include <string.h>

/** Reads a string; the result is to be freed, NULL after an exception. */
static char *text_argument(napi_env env, napi_value value) {
  size_t size = 0;
  if (!succeeded(env, napi_get_value_string_utf8(env, value, NULL, 0, &size)))
    return NULL;
  char *text = malloc(size + 1);
  if (!text) {
    napi_throw_error(env, "MPI_ERR_NO_MEM", "no memory for a string");
    return NULL;
  }
  napi_get_value_string_utf8(env, value, text, size + 1, &size);
  return text;
}

static bool add_pair(napi_env env, addon_context *context, const char *call, napi_value pairs,
                     uint32_t index, MPI_Info info) {
  napi_value key, value;
  if (!succeeded(env, napi_get_element(env, pairs, index, &key)) ||
      !succeeded(env, napi_get_element(env, pairs, index + 1, &value)))
    return false;
  char *key_text = text_argument(env, key);
  char *value_text = key_text ? text_argument(env, value) : NULL;
  bool added = value_text && check(env, context, call, MPI_Info_set(info, key_text, value_text));
  free(key_text);
  free(value_text);
  return added;
}

/** Reads [key, value, key, value, ...], or undefined as MPI_INFO_NULL; to be freed by free_hints.
 */
static bool hints_argument(napi_env env, addon_context *context, const char *call, napi_value pairs,
                           MPI_Info *info) {
  uint32_t length = 0;
  *info = MPI_INFO_NULL;
  if (type_of(env, pairs) == napi_undefined)
    return true;
  if (!succeeded(env, napi_get_array_length(env, pairs, &length)) ||
      !check(env, context, call, MPI_Info_create(info)))
    return false;
  for (uint32_t i = 0; i + 1 < length; i += 2) {
    if (add_pair(env, context, call, pairs, i, *info))
      continue;
    MPI_Info_free(info);
    return false;
  }
  return true;
}

static void free_hints(MPI_Info *info) {
  if (*info != MPI_INFO_NULL)
    MPI_Info_free(info);
}

/** Modes in the order of their bits in mode.ts. DO NOT REORDER without that file. */
static int library_mode(int amode) {
  const int modes[] = {MPI_MODE_CREATE, MPI_MODE_RDONLY,          MPI_MODE_WRONLY,
                       MPI_MODE_RDWR,   MPI_MODE_DELETE_ON_CLOSE, MPI_MODE_UNIQUE_OPEN,
                       MPI_MODE_EXCL,   MPI_MODE_APPEND,          MPI_MODE_SEQUENTIAL};
  int result = 0;
  for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
    if (amode & (1 << i))
      result |= modes[i];
  return result;
}

static napi_value file_result(napi_env env, addon_context *context, MPI_File file) {
  int64_t handle;
  handle_slot *slot = handle_allocate(&context->handles, HANDLE_FILE, &handle);
  if (slot) {
    slot->as.file = file;
    return double_result(env, (double)handle);
  }
  MPI_File_close(&file);
  throw_usage_error(env, context, "MPI_File_open", "MPI_ERR_NO_MEM", "no memory for a handle");
  return NULL;
}

/** fileOpen(comm, path, amode, hints): collective */
static napi_value file_open(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_File_open";
  napi_value values[4];
  addon_context *context;
  MPI_File file = MPI_FILE_NULL;
  MPI_Info hints;
  int amode;
  if (!arguments(env, info, 4, values, (void **)&context))
    return NULL;
  communicator_slot *slot = communicator_argument(env, context, call, values[0]);
  if (!slot || !int_argument(env, values[2], &amode) ||
      !hints_argument(env, context, call, values[3], &hints))
    return NULL;
  char *path = text_argument(env, values[1]);
  bool opened = path && check(env, context, call,
                              MPI_File_open(slot->comm, path, library_mode(amode), hints, &file));
  free(path);
  free_hints(&hints);
  if (!opened)
    return NULL;
  MPI_File_set_errhandler(file, MPI_ERRORS_RETURN);
  return file_result(env, context, file);
}

bool open_file_call(napi_env env, napi_callback_info info, const char *name, size_t count,
                    napi_value *values, file_call *call) {
  call->env = env;
  call->name = name;
  if (!arguments(env, info, count, values, (void **)&call->context))
    return false;
  handle_slot *slot =
      object_argument(env, call->context, name, values[0], HANDLE_FILE, "MPI_ERR_FILE");
  if (slot)
    call->file = slot->as.file;
  return slot != NULL;
}

static bool check_call(const file_call *call, int code) {
  return check(call->env, call->context, call->name, code);
}

/** fileClose(file): collective; the handle is refused from now on, also if it fails */
static napi_value file_close(napi_env env, napi_callback_info info) {
  napi_value values[1];
  file_call call;
  int64_t handle = 0;
  if (!open_file_call(env, info, "MPI_File_close", 1, values, &call))
    return NULL;
  napi_get_value_int64(env, values[0], &handle);
  handle_table *table = &call.context->handles;
  handle_release(table, handle_find(table, HANDLE_FILE, handle));
  check_call(&call, MPI_File_close(&call.file));
  return NULL;
}

/* All ranks open their files in one order, and close what is left in the same one. */
void close_files(addon_context *context) {
  for (uint32_t i = 0; i < context->handles.count; i++) {
    handle_slot *slot = &context->handles.slots[i];
    if (slot->kind != HANDLE_FILE)
      continue;
    MPI_File_close(&slot->as.file);
    handle_release(&context->handles, slot);
  }
}

/** fileDelete(path, hints) */
static napi_value file_delete(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_File_delete";
  napi_value values[2];
  addon_context *context;
  MPI_Info hints;
  if (!arguments(env, info, 2, values, (void **)&context))
    return NULL;
  if (atomic_load(&mpi_phase) != PHASE_ACTIVE) {
    throw_usage_error(env, context, call, "MPI_NOT_ACTIVE", "MPI is not running");
    return NULL;
  }
  if (!hints_argument(env, context, call, values[1], &hints))
    return NULL;
  char *path = text_argument(env, values[0]);
  if (path)
    check(env, context, call, MPI_File_delete(path, hints));
  free(path);
  free_hints(&hints);
  return NULL;
}

/** fileSetSize(file, size): collective */
static napi_value file_set_size(napi_env env, napi_callback_info info) {
  napi_value values[2];
  file_call call;
  MPI_Offset size;
  if (open_file_call(env, info, "MPI_File_set_size", 2, values, &call) &&
      offset_argument(env, values[1], &size))
    check_call(&call, MPI_File_set_size(call.file, size));
  return NULL;
}

/** filePreallocate(file, size): collective */
static napi_value file_preallocate(napi_env env, napi_callback_info info) {
  napi_value values[2];
  file_call call;
  MPI_Offset size;
  if (open_file_call(env, info, "MPI_File_preallocate", 2, values, &call) &&
      offset_argument(env, values[1], &size))
    check_call(&call, MPI_File_preallocate(call.file, size));
  return NULL;
}

/** fileSize(file) */
static napi_value file_size(napi_env env, napi_callback_info info) {
  napi_value values[1];
  file_call call;
  MPI_Offset size = 0;
  if (!open_file_call(env, info, "MPI_File_get_size", 1, values, &call) ||
      !check_call(&call, MPI_File_get_size(call.file, &size)))
    return NULL;
  return double_result(env, (double)size);
}

/** fileSetInfo(file, hints): collective */
static napi_value file_set_info(napi_env env, napi_callback_info info) {
  napi_value values[2];
  file_call call;
  MPI_Info hints;
  if (!open_file_call(env, info, "MPI_File_set_info", 2, values, &call) ||
      !hints_argument(env, call.context, call.name, values[1], &hints))
    return NULL;
  check_call(&call, MPI_File_set_info(call.file, hints));
  free_hints(&hints);
  return NULL;
}

/** The hints as [key, value, key, value, ...]. */
static napi_value hints_result(const file_call *call, MPI_Info hints) {
  napi_value pairs = NULL;
  char key[MPI_MAX_INFO_KEY + 1], value[MPI_MAX_INFO_VAL + 1];
  int count = 0;
  uint32_t length = 0;
  if (!check_call(call, MPI_Info_get_nkeys(hints, &count)) ||
      !succeeded(call->env, napi_create_array(call->env, &pairs)))
    return NULL;
  for (int i = 0; i < count; i++) {
    int found = 0;
    if (!check_call(call, MPI_Info_get_nthkey(hints, i, key)) ||
        !check_call(call, MPI_Info_get(hints, key, MPI_MAX_INFO_VAL, value, &found)))
      return NULL;
    if (!found)
      continue;
    napi_set_element(call->env, pairs, length++, string_result(call->env, key));
    napi_set_element(call->env, pairs, length++, string_result(call->env, value));
  }
  return pairs;
}

/** fileInfo(file) */
static napi_value file_info(napi_env env, napi_callback_info info) {
  napi_value values[1], result;
  file_call call;
  MPI_Info hints = MPI_INFO_NULL;
  if (!open_file_call(env, info, "MPI_File_get_info", 1, values, &call) ||
      !check_call(&call, MPI_File_get_info(call.file, &hints)))
    return NULL;
  if (hints == MPI_INFO_NULL)
    return succeeded(env, napi_create_array(env, &result)) ? result : NULL;
  result = hints_result(&call, hints);
  free_hints(&hints);
  return result;
}

/** fileSetView(file, displacement, etype, filetype, datarep, hints): collective */
static napi_value file_set_view(napi_env env, napi_callback_info info) {
  napi_value values[6];
  file_call call;
  MPI_Offset displacement;
  MPI_Info hints;
  if (!open_file_call(env, info, "MPI_File_set_view", 6, values, &call) ||
      !offset_argument(env, values[1], &displacement))
    return NULL;
  handle_slot *etype =
      object_argument(env, call.context, call.name, values[2], HANDLE_DATATYPE, "MPI_ERR_TYPE");
  handle_slot *filetype = etype ? object_argument(env, call.context, call.name, values[3],
                                                  HANDLE_DATATYPE, "MPI_ERR_TYPE")
                                : NULL;
  if (!filetype || !hints_argument(env, call.context, call.name, values[5], &hints))
    return NULL;
  if (displacement < 0)
    displacement = MPI_DISPLACEMENT_CURRENT;
  char *datarep = text_argument(env, values[4]);
  if (datarep)
    check_call(&call, MPI_File_set_view(call.file, displacement, etype->as.datatype.type,
                                        filetype->as.datatype.type, datarep, hints));
  free(datarep);
  free_hints(&hints);
  return NULL;
}

/** fileSeek(file, offset, whence, isShared) */
static napi_value file_seek(napi_env env, napi_callback_info info) {
  const int origins[] = {MPI_SEEK_SET, MPI_SEEK_CUR, MPI_SEEK_END};
  napi_value values[4];
  file_call call;
  MPI_Offset offset;
  int whence;
  bool is_shared;
  if (!open_file_call(env, info, "MPI_File_seek", 4, values, &call) ||
      !offset_argument(env, values[1], &offset) || !int_argument(env, values[2], &whence) ||
      !succeeded(env, napi_get_value_bool(env, values[3], &is_shared)))
    return NULL;
  int origin = origins[whence >= 0 && whence <= 2 ? whence : 0];
  if (is_shared)
    call.name = "MPI_File_seek_shared";
  check_call(&call, is_shared ? MPI_File_seek_shared(call.file, offset, origin)
                              : MPI_File_seek(call.file, offset, origin));
  return NULL;
}

/** filePosition(file, isShared) */
static napi_value file_position(napi_env env, napi_callback_info info) {
  napi_value values[2];
  file_call call;
  MPI_Offset offset = 0;
  bool is_shared;
  if (!open_file_call(env, info, "MPI_File_get_position", 2, values, &call) ||
      !succeeded(env, napi_get_value_bool(env, values[1], &is_shared)))
    return NULL;
  if (is_shared)
    call.name = "MPI_File_get_position_shared";
  if (!check_call(&call, is_shared ? MPI_File_get_position_shared(call.file, &offset)
                                   : MPI_File_get_position(call.file, &offset)))
    return NULL;
  return double_result(env, (double)offset);
}

/** fileByteOffset(file, offset) */
static napi_value file_byte_offset(napi_env env, napi_callback_info info) {
  napi_value values[2];
  file_call call;
  MPI_Offset offset, byte = 0;
  if (!open_file_call(env, info, "MPI_File_get_byte_offset", 2, values, &call) ||
      !offset_argument(env, values[1], &offset) ||
      !check_call(&call, MPI_File_get_byte_offset(call.file, offset, &byte)))
    return NULL;
  return double_result(env, (double)byte);
}

/** fileTypeExtent(file, type) */
static napi_value file_type_extent(napi_env env, napi_callback_info info) {
  napi_value values[2];
  file_call call;
  MPI_Aint extent = 0;
  if (!open_file_call(env, info, "MPI_File_get_type_extent", 2, values, &call))
    return NULL;
  handle_slot *type =
      object_argument(env, call.context, call.name, values[1], HANDLE_DATATYPE, "MPI_ERR_TYPE");
  if (!type ||
      !check_call(&call, MPI_File_get_type_extent(call.file, type->as.datatype.type, &extent)))
    return NULL;
  return double_result(env, (double)extent);
}

/** fileSetAtomicity(file, isAtomic): collective */
static napi_value file_set_atomicity(napi_env env, napi_callback_info info) {
  napi_value values[2];
  file_call call;
  bool is_atomic;
  if (open_file_call(env, info, "MPI_File_set_atomicity", 2, values, &call) &&
      succeeded(env, napi_get_value_bool(env, values[1], &is_atomic)))
    check_call(&call, MPI_File_set_atomicity(call.file, is_atomic));
  return NULL;
}

/** fileAtomicity(file) */
static napi_value file_atomicity(napi_env env, napi_callback_info info) {
  napi_value values[1];
  file_call call;
  int is_atomic = 0;
  if (!open_file_call(env, info, "MPI_File_get_atomicity", 1, values, &call) ||
      !check_call(&call, MPI_File_get_atomicity(call.file, &is_atomic)))
    return NULL;
  return bool_result(env, is_atomic);
}

/** fileSync(file): collective */
static napi_value file_sync(napi_env env, napi_callback_info info) {
  napi_value values[1];
  file_call call;
  if (open_file_call(env, info, "MPI_File_sync", 1, values, &call))
    check_call(&call, MPI_File_sync(call.file));
  return NULL;
}

const addon_function file_functions[] = {{"fileOpen", file_open},
                                         {"fileClose", file_close},
                                         {"fileDelete", file_delete},
                                         {"fileSetSize", file_set_size},
                                         {"filePreallocate", file_preallocate},
                                         {"fileSize", file_size},
                                         {"fileSetInfo", file_set_info},
                                         {"fileInfo", file_info},
                                         {"fileSetView", file_set_view},
                                         {"fileSeek", file_seek},
                                         {"filePosition", file_position},
                                         {"fileByteOffset", file_byte_offset},
                                         {"fileTypeExtent", file_type_extent},
                                         {"fileSetAtomicity", file_set_atomicity},
                                         {"fileAtomicity", file_atomicity},
                                         {"fileSync", file_sync},
                                         {NULL, NULL}};
