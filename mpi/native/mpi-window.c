/**
 * Windows: memory that other ranks read and write. Making, freeing and naming them; epochs.
 *
 * Memory of the library is given to JavaScript as ArrayBuffers over it. They are listed in `kept`,
 * and detached as soon as the window is freed, or MPI ends, so that none of them ever refers to
 * memory that is gone. Memory of JavaScript that a window exposes is in the same list, so that it
 * lives as long as the window.
 *
 * Nothing here depends on the garbage collector: freeing a window is collective, so the program
 * does it.
 */
#include "mpi-addon.h"

#include <stdlib.h>
#include <string.h>

static window_slot *window_argument(napi_env env, addon_context *context, const char *call,
                                    napi_value value) {
  handle_slot *slot = object_argument(env, context, call, value, HANDLE_WINDOW, "MPI_ERR_WIN");
  return slot ? &slot->as.window : NULL;
}

/** Arguments of a function whose first one is a window. */
static window_slot *open_call(napi_env env, napi_callback_info info, const char *call, size_t count,
                              napi_value *values, addon_context **context) {
  if (!arguments(env, info, count, values, (void **)context))
    return NULL;
  return window_argument(env, *context, call, values[0]);
}

static bool size_argument(napi_env env, napi_value value, int64_t *size) {
  return succeeded(env, napi_get_value_int64(env, value, size)) &&
         succeeded(env, *size >= 0 ? napi_ok : napi_invalid_arg);
}

/** Takes the slot before the library makes the window: afterwards only the others could. */
static window_slot *open_window(napi_env env, addon_context *context, const char *call,
                                int64_t *handle) {
  napi_value kept;
  handle_slot *slot = handle_allocate(&context->handles, HANDLE_WINDOW, handle);
  if (!slot) {
    throw_usage_error(env, context, call, "MPI_ERR_NO_MEM", "no memory for a window");
    return NULL;
  }
  slot->as.window = (window_slot){MPI_WIN_NULL, NULL, NULL, 0};
  if (succeeded(env, napi_create_array(env, &kept)) &&
      succeeded(env, napi_create_reference(env, kept, 1, &slot->as.window.kept)))
    return &slot->as.window;
  handle_release(&context->handles, slot);
  return NULL;
}

static void close_slot(napi_env env, addon_context *context, handle_slot *slot) {
  if (slot->as.window.kept)
    napi_delete_reference(env, slot->as.window.kept);
  handle_release(&context->handles, slot);
}

static napi_value window_result(napi_env env, addon_context *context, const char *call, int code,
                                int64_t handle) {
  handle_slot *slot = handle_find(&context->handles, HANDLE_WINDOW, handle);
  if (!check(env, context, call, code)) {
    close_slot(env, context, slot);
    return NULL;
  }
  if (!check(env, context, "MPI_Win_set_errhandler",
             MPI_Win_set_errhandler(slot->as.window.win, MPI_ERRORS_RETURN)))
    return NULL;
  return double_result(env, (double)handle);
}

/**
 * Dynamic windows of Open MPI 4 through UCX read memory's keys while others write them, and crash
 * once in ten times (ucp_ep_rkey_unpack below ompi_osc_ucx_get). Its name tells who made a window.
 */
static bool is_unsafe(MPI_Comm comm, MPI_Win win) {
#if defined(OPEN_MPI) && OMPI_MAJOR_VERSION < 5
  char name[MPI_MAX_OBJECT_NAME + 1] = "";
  int length = 0, size = 0;
  return MPI_Comm_size(comm, &size) == MPI_SUCCESS && size > 1 &&
         MPI_Win_get_name(win, name, &length) == MPI_SUCCESS && strncmp(name, "ucx ", 4) == 0;
#else
  (void)comm;
  (void)win;
  return false;
#endif
}

/** Adds to what the window keeps. */
static void keep(napi_env env, const window_slot *window, napi_value value) {
  napi_value kept;
  uint32_t length = 0;
  if (napi_get_reference_value(env, window->kept, &kept) == napi_ok &&
      napi_get_array_length(env, kept, &length) == napi_ok)
    napi_set_element(env, kept, length, value);
}

/** winCreate(comm, memory | undefined, displacement unit, info): undefined is a dynamic window */
static napi_value win_create(napi_env env, napi_callback_info info) {
  napi_value values[4];
  addon_context *context;
  mpi_buffer memory = {0};
  int64_t handle, size = 0;
  int unit, code;
  MPI_Info pairs;
  if (!arguments(env, info, 4, values, (void **)&context))
    return NULL;
  bool is_dynamic = type_of(env, values[1]) == napi_undefined;
  const char *call = is_dynamic ? "MPI_Win_create_dynamic" : "MPI_Win_create";
  communicator_slot *comm = communicator_argument(env, context, call, values[0]);
  if (!comm || !int_argument(env, values[2], &unit) ||
      (!is_dynamic && !buffer_argument(env, context, call, values[1], AS_ELEMENTS, &memory)) ||
      !info_argument(env, context, call, values[3], &pairs))
    return NULL;
  size = (int64_t)memory.count * memory.element_size;
  MPI_Comm parent = comm->comm;
  window_slot *window = open_window(env, context, call, &handle);
  if (!window) {
    free_info(&pairs);
    return NULL;
  }
  if (!is_dynamic)
    keep(env, window, values[1]);
  code = is_dynamic
             ? MPI_Win_create_dynamic(pairs, parent, &window->win)
             : MPI_Win_create(memory.data, (MPI_Aint)size, unit, pairs, parent, &window->win);
  free_info(&pairs);
  if (is_dynamic && code == MPI_SUCCESS && is_unsafe(parent, window->win)) {
    MPI_Win_free(&window->win);
    code = MPI_ERR_WIN;
  }
  return window_result(env, context, call, code, handle);
}

/** winAllocate(comm, size, displacement unit, info, is shared 0 | 1) */
static napi_value win_allocate(napi_env env, napi_callback_info info) {
  napi_value values[5];
  addon_context *context;
  int64_t handle, size;
  int unit, is_shared = 0;
  void *base = NULL;
  MPI_Info pairs;
  if (!arguments(env, info, 5, values, (void **)&context) ||
      !int_argument(env, values[4], &is_shared))
    return NULL;
  const char *call = is_shared ? "MPI_Win_allocate_shared" : "MPI_Win_allocate";
  communicator_slot *comm = communicator_argument(env, context, call, values[0]);
  if (!comm || !size_argument(env, values[1], &size) || !int_argument(env, values[2], &unit) ||
      !info_argument(env, context, call, values[3], &pairs))
    return NULL;
  MPI_Comm parent = comm->comm;
  window_slot *window = open_window(env, context, call, &handle);
  if (!window) {
    free_info(&pairs);
    return NULL;
  }
  int code = is_shared
                 ? MPI_Win_allocate_shared((MPI_Aint)size, unit, pairs, parent, &base, &window->win)
                 : MPI_Win_allocate((MPI_Aint)size, unit, pairs, parent, &base, &window->win);
  free_info(&pairs);
  window->base = base;
  window->size = (size_t)size;
  return window_result(env, context, call, code, handle);
}

/** Memory of the library belongs to the window; JavaScript's object does not free it. */
static void let_go(napi_env env, void *data, void *hint) {
  (void)env;
  (void)data;
  (void)hint;
}

/** winMemory(handle, rank | -1): an ArrayBuffer over this rank's memory, or the shared one of a
 * rank */
static napi_value win_memory(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Win_shared_query";
  napi_value values[2], buffer;
  addon_context *context;
  int rank, unit;
  MPI_Aint size;
  void *base;
  window_slot *window = open_call(env, info, call, 2, values, &context);
  if (!window || !int_argument(env, values[1], &rank))
    return NULL;
  base = window->base;
  size = (MPI_Aint)window->size;
  if (rank >= 0 &&
      !check(env, context, call, MPI_Win_shared_query(window->win, rank, &size, &unit, &base)))
    return NULL;
  void *ignored;
  if (size == 0 || !base) {
    succeeded(env, napi_create_arraybuffer(env, 0, &ignored, &buffer));
    return buffer;
  }
  if (!succeeded(env,
                 napi_create_external_arraybuffer(env, base, (size_t)size, let_go, NULL, &buffer)))
    return NULL;
  keep(env, window, buffer);
  return buffer;
}

/** Detaches the ArrayBuffers over the library's memory. Those of the caller stay as they are. */
static void detach_memory(napi_env env, const window_slot *window) {
  napi_value kept, buffer;
  uint32_t length = 0;
  bool is_buffer = false;
  if (!window->base || napi_get_reference_value(env, window->kept, &kept) != napi_ok ||
      napi_get_array_length(env, kept, &length) != napi_ok)
    return;
  for (uint32_t i = 0; i < length; i++)
    if (napi_get_element(env, kept, i, &buffer) == napi_ok &&
        napi_is_arraybuffer(env, buffer, &is_buffer) == napi_ok && is_buffer)
      napi_detach_arraybuffer(env, buffer);
}

/** winFree(handle) */
static napi_value win_free(napi_env env, napi_callback_info info) {
  napi_value values[1];
  addon_context *context;
  window_slot *window = open_call(env, info, "MPI_Win_free", 1, values, &context);
  if (!window || !check(env, context, "MPI_Win_free", MPI_Win_free(&window->win)))
    return NULL;
  detach_memory(env, window);
  int64_t handle = 0;
  napi_get_value_int64(env, values[0], &handle);
  close_slot(env, context, handle_find(&context->handles, HANDLE_WINDOW, handle));
  return NULL;
}

void close_windows(napi_env env, addon_context *context) {
  for (uint32_t i = 0; i < context->handles.count; i++) {
    handle_slot *slot = &context->handles.slots[i];
    if (slot->kind != HANDLE_WINDOW)
      continue;
    /* The reference stays: other ranks may use the memory until MPI_Finalize returns. */
    detach_memory(env, &slot->as.window);
    handle_release(&context->handles, slot);
  }
}

/** winAttach(handle, memory): its address, for other ranks */
static napi_value win_attach(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Win_attach";
  napi_value values[2];
  addon_context *context;
  mpi_buffer memory;
  MPI_Aint address;
  window_slot *window = open_call(env, info, call, 2, values, &context);
  if (!window || !buffer_argument(env, context, call, values[1], AS_ELEMENTS, &memory))
    return NULL;
  MPI_Aint size = (MPI_Aint)memory.count * memory.element_size;
  if (!check(env, context, call, MPI_Win_attach(window->win, memory.data, size)) ||
      !check(env, context, call, MPI_Get_address(memory.data, &address)))
    return NULL;
  keep(env, window, values[1]);
  return double_result(env, (double)address);
}

/** winDetach(handle, memory): what the window keeps of it is dropped with the window's list */
static napi_value win_detach(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Win_detach";
  napi_value values[2], kept, element, dropped;
  addon_context *context;
  mpi_buffer memory;
  uint32_t length = 0;
  bool is_same = false;
  window_slot *window = open_call(env, info, call, 2, values, &context);
  if (!window || !buffer_argument(env, context, call, values[1], AS_ELEMENTS, &memory) ||
      !check(env, context, call, MPI_Win_detach(window->win, memory.data)) ||
      napi_get_reference_value(env, window->kept, &kept) != napi_ok ||
      napi_get_array_length(env, kept, &length) != napi_ok ||
      napi_get_undefined(env, &dropped) != napi_ok)
    return NULL;
  for (uint32_t i = 0; i < length && !is_same; i++)
    if (napi_get_element(env, kept, i, &element) == napi_ok &&
        napi_strict_equals(env, element, values[1], &is_same) == napi_ok && is_same)
      napi_set_element(env, kept, i, dropped);
  return NULL;
}

/** Place of a value in a list; -1 if it is none of them. */
static int place_of(int value, const int *list, int count) {
  for (int i = 0; i < count; i++)
    if (list[i] == value)
      return i;
  return -1;
}

/** winAttributes(handle): [size, displacement unit, place in WINDOW_FLAVORS, in WINDOW_MODELS] */
static napi_value win_attributes(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Win_get_attr";
  const int flavors[] = {MPI_WIN_FLAVOR_CREATE, MPI_WIN_FLAVOR_ALLOCATE, MPI_WIN_FLAVOR_DYNAMIC,
                         MPI_WIN_FLAVOR_SHARED};
  const int models[] = {MPI_WIN_SEPARATE, MPI_WIN_UNIFIED};
  napi_value values[1], result;
  addon_context *context;
  MPI_Aint *size = NULL;
  int *unit = NULL, *flavor = NULL, *model = NULL, found[4] = {0};
  window_slot *window = open_call(env, info, call, 1, values, &context);
  if (!window ||
      !check(env, context, call, MPI_Win_get_attr(window->win, MPI_WIN_SIZE, &size, &found[0])) ||
      !check(env, context, call,
             MPI_Win_get_attr(window->win, MPI_WIN_DISP_UNIT, &unit, &found[1])) ||
      !check(env, context, call,
             MPI_Win_get_attr(window->win, MPI_WIN_CREATE_FLAVOR, &flavor, &found[2])) ||
      !check(env, context, call, MPI_Win_get_attr(window->win, MPI_WIN_MODEL, &model, &found[3])) ||
      !succeeded(env, napi_create_array(env, &result)))
    return NULL;
  const double facts[] = {found[0] ? (double)*size : 0, found[1] ? *unit : 1,
                          found[2] ? place_of(*flavor, flavors, 4) : -1,
                          found[3] ? place_of(*model, models, 2) : -1};
  for (uint32_t i = 0; i < 4; i++)
    napi_set_element(env, result, i, double_result(env, facts[i]));
  return result;
}

/** winName(handle) */
static napi_value win_name(napi_env env, napi_callback_info info) {
  napi_value values[1];
  addon_context *context;
  char name[MPI_MAX_OBJECT_NAME + 1];
  int length = 0;
  window_slot *window = open_call(env, info, "MPI_Win_get_name", 1, values, &context);
  if (!window ||
      !check(env, context, "MPI_Win_get_name", MPI_Win_get_name(window->win, name, &length)))
    return NULL;
  return string_result(env, name);
}

/** winSetName(handle, name) */
static napi_value win_set_name(napi_env env, napi_callback_info info) {
  napi_value values[2];
  addon_context *context;
  char name[MPI_MAX_OBJECT_NAME];
  window_slot *window = open_call(env, info, "MPI_Win_set_name", 2, values, &context);
  if (window && succeeded(env, napi_get_value_string_utf8(env, values[1], name, sizeof name, NULL)))
    check(env, context, "MPI_Win_set_name", MPI_Win_set_name(window->win, name));
  return NULL;
}

/** winSetInfo(handle, pairs) */
static napi_value win_set_info(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Win_set_info";
  napi_value values[2];
  addon_context *context;
  MPI_Info pairs;
  window_slot *window = open_call(env, info, call, 2, values, &context);
  if (!window || !info_argument(env, context, call, values[1], &pairs))
    return NULL;
  int code = MPI_Win_set_info(window->win, pairs);
  free_info(&pairs);
  check(env, context, call, code);
  return NULL;
}

/** winGetInfo(handle): pairs */
static napi_value win_get_info(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Win_get_info";
  napi_value values[1];
  addon_context *context;
  MPI_Info used = MPI_INFO_NULL;
  window_slot *window = open_call(env, info, call, 1, values, &context);
  if (!window || !check(env, context, call, MPI_Win_get_info(window->win, &used)))
    return NULL;
  napi_value result = info_result(env, context, call, used);
  free_info(&used);
  return result;
}

const addon_function window_functions[] = {
    {"winCreate", win_create},         {"winAllocate", win_allocate},
    {"winMemory", win_memory},         {"winFree", win_free},
    {"winAttach", win_attach},         {"winDetach", win_detach},
    {"winAttributes", win_attributes}, {"winName", win_name},
    {"winSetName", win_set_name},      {"winSetInfo", win_set_info},
    {"winGetInfo", win_get_info},      {NULL, NULL}};
