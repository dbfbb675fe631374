/**
 * Dynamic processes: starting programs, connecting jobs, names under which they find each other.
 */
#include "mpi-addon.h"

#include <fcntl.h>
#include <stdlib.h>

/** Reads the communicator and the arguments after it. */
static communicator_slot *open_call(napi_env env, napi_callback_info info, const char *call,
                                    size_t count, napi_value *values, addon_context **context) {
  if (!arguments(env, info, count, values, (void **)context))
    return NULL;
  return communicator_argument(env, *context, call, values[0]);
}

/** Programs to be started, as the library takes them. */
typedef struct {
  uint32_t count;
  char **commands;
  char ***arguments;
  int *process_counts;
  MPI_Info *infos;
} programs;

static void free_strings(char **strings) {
  for (char **next = strings; next && *next; next++)
    free(*next);
  free(strings);
}

static void free_programs(programs *list) {
  for (uint32_t i = 0; i < list->count; i++) {
    if (list->commands)
      free(list->commands[i]);
    if (list->arguments)
      free_strings(list->arguments[i]);
    if (list->infos)
      free_info(&list->infos[i]);
  }
  free(list->commands);
  free(list->arguments);
  free(list->process_counts);
  free(list->infos);
}

/** Reads an array of strings, ended by NULL. */
static char **strings_argument(napi_env env, napi_value value) {
  uint32_t count = 0;
  if (!succeeded(env, napi_get_array_length(env, value, &count)))
    return NULL;
  char **strings = calloc((size_t)count + 1, sizeof(char *));
  for (uint32_t i = 0; strings && i < count; i++) {
    napi_value element;
    strings[i] = succeeded(env, napi_get_element(env, value, i, &element))
                     ? string_argument(env, element)
                     : NULL;
    if (strings[i])
      continue;
    free_strings(strings);
    return NULL;
  }
  return strings;
}

/** Reads one program: [command, arguments, process count, info]. */
static bool read_program(napi_env env, addon_context *context, const char *call, napi_value value,
                         programs *list, uint32_t i) {
  napi_value parts[4];
  for (uint32_t k = 0; k < 4; k++)
    if (!succeeded(env, napi_get_element(env, value, k, &parts[k])))
      return false;
  list->commands[i] = string_argument(env, parts[0]);
  list->arguments[i] = list->commands[i] ? strings_argument(env, parts[1]) : NULL;
  return list->arguments[i] && int_argument(env, parts[2], &list->process_counts[i]) &&
         info_argument(env, context, call, parts[3], &list->infos[i]);
}

static bool programs_argument(napi_env env, addon_context *context, const char *call,
                              napi_value value, programs *list) {
  *list = (programs){0};
  uint32_t count = 0;
  if (!succeeded(env, napi_get_array_length(env, value, &count)))
    return false;
  list->commands = calloc((size_t)count + 1, sizeof(char *));
  list->arguments = calloc((size_t)count + 1, sizeof(char **));
  list->process_counts = calloc((size_t)count + 1, sizeof(int));
  list->infos = calloc((size_t)count + 1, sizeof(MPI_Info));
  if (!list->commands || !list->arguments || !list->process_counts || !list->infos) {
    throw_usage_error(env, context, call, "MPI_ERR_NO_MEM", "no memory for programs");
    return false;
  }
  for (uint32_t i = 0; i < count; i++)
    list->infos[i] = MPI_INFO_NULL;
  list->count = count;
  for (uint32_t i = 0; i < count; i++) {
    napi_value program;
    if (!succeeded(env, napi_get_element(env, value, i, &program)) ||
        !read_program(env, context, call, program, list, i))
      return false;
  }
  return true;
}

static int run_spawn(MPI_Comm comm, const programs *list, int root, bool is_multiple,
                     MPI_Comm *made) {
  if (is_multiple)
    return MPI_Comm_spawn_multiple((int)list->count, list->commands, list->arguments,
                                   list->process_counts, list->infos, root, comm, made,
                                   MPI_ERRCODES_IGNORE);
  return MPI_Comm_spawn(list->commands[0], list->arguments[0], list->process_counts[0],
                        list->infos[0], root, comm, made, MPI_ERRCODES_IGNORE);
}

/** commSpawn(handle, programs, root, is multiple 0 | 1): programs count at root only */
static napi_value comm_spawn(napi_env env, napi_callback_info info) {
  napi_value values[4];
  addon_context *context;
  programs list;
  int root, is_multiple;
  MPI_Comm made = MPI_COMM_NULL;
  communicator_slot *slot = open_call(env, info, "MPI_Comm_spawn", 4, values, &context);
  if (!slot || !int_argument(env, values[2], &root) || !int_argument(env, values[3], &is_multiple))
    return NULL;
  const char *call = is_multiple ? "MPI_Comm_spawn_multiple" : "MPI_Comm_spawn";
  bool is_made =
      programs_argument(env, context, call, values[1], &list) &&
      succeeded(env, list.count > 0 ? napi_ok : napi_invalid_arg) &&
      check(env, context, call, run_spawn(slot->comm, &list, root, is_multiple != 0, &made));
  free_programs(&list);
  return is_made ? communicator_result(env, context, made, false) : NULL;
}

/** commParent(): the intercommunicator with who started this job, or undefined */
static napi_value comm_parent(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Comm_get_parent";
  addon_context *context;
  MPI_Comm parent;
  if (!arguments(env, info, 0, NULL, (void **)&context))
    return NULL;
  if (atomic_load(&mpi_phase) != PHASE_ACTIVE) {
    throw_usage_error(env, context, call, "MPI_NOT_ACTIVE", "MPI is not running");
    return NULL;
  }
  if (!check(env, context, call, MPI_Comm_get_parent(&parent)))
    return NULL;
  return communicator_result(env, context, parent, false);
}

/** portOpen(info): its name */
static napi_value port_open(napi_env env, napi_callback_info info) {
  napi_value values[1];
  addon_context *context;
  char name[MPI_MAX_PORT_NAME + 1] = "";
  MPI_Info pairs;
  if (!arguments(env, info, 1, values, (void **)&context) ||
      !info_argument(env, context, "MPI_Open_port", values[0], &pairs))
    return NULL;
  int code = MPI_Open_port(pairs, name);
  free_info(&pairs);
  return check(env, context, "MPI_Open_port", code) ? string_result(env, name) : NULL;
}

/** A port's name as the library takes it: with room for the longest one. */
static bool port_argument(napi_env env, napi_value value, char *name) {
  return succeeded(env, napi_get_value_string_utf8(env, value, name, MPI_MAX_PORT_NAME, NULL));
}

/** portClose(name) */
static napi_value port_close(napi_env env, napi_callback_info info) {
  napi_value values[1];
  addon_context *context;
  char name[MPI_MAX_PORT_NAME + 1];
  if (arguments(env, info, 1, values, (void **)&context) && port_argument(env, values[0], name))
    check(env, context, "MPI_Close_port", MPI_Close_port(name));
  return NULL;
}

/** commConnect(handle, port, info, root, accepts 0 | 1) */
static napi_value comm_connect(napi_env env, napi_callback_info info) {
  napi_value values[5];
  addon_context *context;
  char name[MPI_MAX_PORT_NAME + 1];
  int root, accepts = 0;
  MPI_Info pairs;
  MPI_Comm made;
  communicator_slot *slot = open_call(env, info, "MPI_Comm_connect", 5, values, &context);
  if (!slot || !port_argument(env, values[1], name) || !int_argument(env, values[3], &root) ||
      !int_argument(env, values[4], &accepts))
    return NULL;
  const char *call = accepts ? "MPI_Comm_accept" : "MPI_Comm_connect";
  if (!info_argument(env, context, call, values[2], &pairs))
    return NULL;
  int code = accepts ? MPI_Comm_accept(name, pairs, root, slot->comm, &made)
                     : MPI_Comm_connect(name, pairs, root, slot->comm, &made);
  free_info(&pairs);
  return check(env, context, call, code) ? communicator_result(env, context, made, false) : NULL;
}

/** commDisconnect(handle): as free, after all messages have arrived */
static napi_value comm_disconnect(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Comm_disconnect";
  napi_value values[1];
  addon_context *context;
  communicator_slot *found = open_call(env, info, call, 1, values, &context);
  if (!found)
    return NULL;
  if (found->predefined) {
    throw_usage_error(env, context, call, "MPI_ERR_COMM",
                      "a predefined communicator cannot be disconnected");
    return NULL;
  }
  MPI_Comm comm = found->comm;
  if (check(env, context, call, MPI_Comm_disconnect(&comm)))
    handle_release(&context->handles, object_argument(env, context, call, values[0],
                                                      HANDLE_COMMUNICATOR, "MPI_ERR_COMM"));
  return NULL;
}

/** commJoin(descriptor of a connected socket). Node's sockets do not block, and the library's do.
 */
static napi_value comm_join(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Comm_join";
  napi_value values[1];
  addon_context *context;
  int socket;
  MPI_Comm made;
  if (!arguments(env, info, 1, values, (void **)&context) || !int_argument(env, values[0], &socket))
    return NULL;
  int flags = fcntl(socket, F_GETFL);
  if (flags < 0 || atomic_load(&mpi_phase) != PHASE_ACTIVE) {
    throw_usage_error(env, context, call, "MPI_ERR_ARG", "the descriptor is not open");
    return NULL;
  }
  fcntl(socket, F_SETFL, flags & ~O_NONBLOCK);
  int code = MPI_Comm_join(socket, &made);
  fcntl(socket, F_SETFL, flags);
  return check(env, context, call, code) ? communicator_result(env, context, made, false) : NULL;
}

/** Kinds of nameCall, in the order of NAME_CALLS in native-processes.ts. */
enum { PUBLISH, UNPUBLISH, LOOKUP };

/** nameCall(kind, service, port, info): the port, when it is looked up */
static napi_value name_call(napi_env env, napi_callback_info info) {
  static const char *const calls[] = {"MPI_Publish_name", "MPI_Unpublish_name", "MPI_Lookup_name"};
  napi_value values[4];
  addon_context *context;
  char port[MPI_MAX_PORT_NAME + 1] = "";
  int kind, code;
  MPI_Info pairs;
  if (!arguments(env, info, 4, values, (void **)&context) || !int_argument(env, values[0], &kind) ||
      !succeeded(env, kind < PUBLISH || kind > LOOKUP ? napi_invalid_arg : napi_ok) ||
      !port_argument(env, values[2], port))
    return NULL;
  char *service = string_argument(env, values[1]);
  if (!service || !info_argument(env, context, calls[kind], values[3], &pairs)) {
    free(service);
    return NULL;
  }
  if (kind == PUBLISH)
    code = MPI_Publish_name(service, pairs, port);
  else if (kind == UNPUBLISH)
    code = MPI_Unpublish_name(service, pairs, port);
  else
    code = MPI_Lookup_name(service, pairs, port);
  free(service);
  free_info(&pairs);
  if (!check(env, context, calls[kind], code))
    return NULL;
  if (kind == LOOKUP && !port[0]) { /* MPICH's answer, with a hydra_nameserver */
    throw_usage_error(env, context, calls[kind], "MPI_ERR_NAME", "no such name is published");
    return NULL;
  }
  return string_result(env, port);
}

const addon_function process_functions[] = {
    {"commSpawn", comm_spawn}, {"commParent", comm_parent},   {"portOpen", port_open},
    {"portClose", port_close}, {"commConnect", comm_connect}, {"commDisconnect", comm_disconnect},
    {"commJoin", comm_join},   {"nameCall", name_call},       {NULL, NULL}};
