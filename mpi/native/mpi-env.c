/**
 * Environment: starting and ending MPI, and what the library says of itself.
 */
#include "mpi-addon.h"

#include <stdlib.h>
#include <unistd.h>

atomic_int mpi_phase = PHASE_BEFORE_INIT;

/** configure(errorFactory, statusArray): what this thread's errors and statuses go through. */
static napi_value configure(napi_env env, napi_callback_info info) {
  napi_value values[2];
  addon_context *context;
  napi_typedarray_type type;
  size_t count = 0;
  void *data = NULL;
  if (!arguments(env, info, 2, values, (void **)&context) ||
      !succeeded(env, napi_get_typedarray_info(env, values[1], &type, &count, &data, NULL, NULL)))
    return NULL;
  if (type != napi_float64_array || count < STATUS_FIELD_COUNT) {
    succeeded(env, napi_invalid_arg);
    return NULL;
  }
  if (!succeeded(env, napi_create_reference(env, values[0], 1, &context->error_factory)) ||
      !succeeded(env, napi_create_reference(env, values[1], 1, &context->status_array)))
    return NULL;
  context->status = data;
  return NULL;
}

/** The value TypeScript uses for a thread level, and the library's. */
static const int thread_levels[] = {MPI_THREAD_SINGLE, MPI_THREAD_FUNNELED, MPI_THREAD_SERIALIZED,
                                    MPI_THREAD_MULTIPLE};

static int index_of_thread_level(int level) {
  for (int i = 3; i > 0; i--)
    if (level >= thread_levels[i])
      return i;
  return 0;
}

/** init(threadLevel 0..3): the level provided; joins an MPI that something else has started. */
static napi_value init(napi_env env, napi_callback_info info) {
  napi_value values[1];
  addon_context *context;
  int level, provided, started = 0;
  if (!arguments(env, info, 1, values, (void **)&context) || !int_argument(env, values[0], &level))
    return NULL;
  if (atomic_load(&mpi_phase) == PHASE_FINALIZED) {
    throw_usage_error(env, context, "MPI_Init_thread", "MPI_FINALIZED", "MPI has been finalized");
    return NULL;
  }
  if (level < 0 || level > 3)
    level = 3;
  if (!check(env, context, "MPI_Initialized", MPI_Initialized(&started)))
    return NULL;
  if (started) {
    if (!check(env, context, "MPI_Query_thread", MPI_Query_thread(&provided)))
      return NULL;
  } else if (!check(env, context, "MPI_Init_thread",
                    MPI_Init_thread(NULL, NULL, thread_levels[level], &provided))) {
    return NULL;
  }
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
  atomic_store(&mpi_phase, PHASE_ACTIVE);
  return int_result(env, index_of_thread_level(provided));
}

static napi_value finalize(napi_env env, napi_callback_info info) {
  addon_context *context;
  if (!arguments(env, info, 0, NULL, (void **)&context))
    return NULL;
  int expected = PHASE_ACTIVE;
  if (!atomic_compare_exchange_strong(&mpi_phase, &expected, PHASE_FINALIZED))
    return NULL;
  close_files(context);
  close_windows(env, context);
  abandon_requests(context);
  free_datatypes(context);
  free_operations(context);
  free_everyone(context);
  check(env, context, "MPI_Finalize", MPI_Finalize());
  return NULL;
}

static napi_value phase(napi_env env, napi_callback_info info) {
  (void)info;
  return int_result(env, atomic_load(&mpi_phase));
}

static int abort_status;

static void leave_at_once(void) { _exit(abort_status & 0xff); }

/**
 * abort(handle, code): ends all processes of the communicator; does not return.
 *
 * MPI_Abort ends this process through exit(), whose handlers would take V8 apart under its running
 * threads and can crash. The handler registered last runs first, and skips the others.
 */
static napi_value abort_job(napi_env env, napi_callback_info info) {
  napi_value values[2];
  addon_context *context;
  int code;
  if (!arguments(env, info, 2, values, (void **)&context) || !int_argument(env, values[1], &code))
    return NULL;
  communicator_slot *slot = communicator_argument(env, context, "MPI_Abort", values[0]);
  if (!slot)
    return NULL;
  abort_status = code;
  atexit(leave_at_once);
  check(env, context, "MPI_Abort", MPI_Abort(slot->comm, code));
  return NULL;
}

static napi_value wtime(napi_env env, napi_callback_info info) {
  addon_context *context;
  if (!arguments(env, info, 0, NULL, (void **)&context))
    return NULL;
  if (atomic_load(&mpi_phase) != PHASE_ACTIVE) {
    throw_usage_error(env, context, "MPI_Wtime", "MPI_NOT_ACTIVE", "MPI is not running");
    return NULL;
  }
  return double_result(env, MPI_Wtime());
}

static napi_value wtick(napi_env env, napi_callback_info info) {
  addon_context *context;
  if (!arguments(env, info, 0, NULL, (void **)&context))
    return NULL;
  if (atomic_load(&mpi_phase) != PHASE_ACTIVE) {
    throw_usage_error(env, context, "MPI_Wtick", "MPI_NOT_ACTIVE", "MPI is not running");
    return NULL;
  }
  return double_result(env, MPI_Wtick());
}

static napi_value processor_name(napi_env env, napi_callback_info info) {
  addon_context *context;
  char name[MPI_MAX_PROCESSOR_NAME + 1];
  int length = 0;
  if (!arguments(env, info, 0, NULL, (void **)&context))
    return NULL;
  if (atomic_load(&mpi_phase) != PHASE_ACTIVE) {
    throw_usage_error(env, context, "MPI_Get_processor_name", "MPI_NOT_ACTIVE",
                      "MPI is not running");
    return NULL;
  }
  if (!check(env, context, "MPI_Get_processor_name", MPI_Get_processor_name(name, &length)))
    return NULL;
  return string_result(env, name);
}

static napi_value library_version(napi_env env, napi_callback_info info) {
  addon_context *context;
  char text[MPI_MAX_LIBRARY_VERSION_STRING + 1];
  int length = 0;
  if (!arguments(env, info, 0, NULL, (void **)&context) ||
      !check(env, context, "MPI_Get_library_version", MPI_Get_library_version(text, &length)))
    return NULL;
  return string_result(env, text);
}

/** [version, subversion] of the MPI standard as one number: 3.1 is 301. */
static napi_value standard_version(napi_env env, napi_callback_info info) {
  addon_context *context;
  int version = 0, subversion = 0;
  if (!arguments(env, info, 0, NULL, (void **)&context) ||
      !check(env, context, "MPI_Get_version", MPI_Get_version(&version, &subversion)))
    return NULL;
  return int_result(env, version * 100 + subversion);
}

static napi_value family(napi_env env, napi_callback_info info) {
  (void)info;
#if defined(OPEN_MPI)
  return string_result(env, "openmpi");
#elif defined(MPICH_VERSION) || defined(I_MPI_VERSION) || defined(MVAPICH2_VERSION)
  return string_result(env, "mpich");
#else
  return string_result(env, "unknown");
#endif
}

const addon_function environment_functions[] = {{"configure", configure},
                                                {"init", init},
                                                {"finalize", finalize},
                                                {"phase", phase},
                                                {"abort", abort_job},
                                                {"wtime", wtime},
                                                {"wtick", wtick},
                                                {"processorName", processor_name},
                                                {"libraryVersion", library_version},
                                                {"standardVersion", standard_version},
                                                {"family", family},
                                                {NULL, NULL}};
