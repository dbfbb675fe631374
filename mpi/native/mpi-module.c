/**
 * The addon's entry: one context per JavaScript environment, one function table.
 */
#include "mpi-addon.h"

#include <stdlib.h>

static void destroy_context(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  addon_context *context = data;
  handle_table_destroy(&context->handles);
  free(context);
}

static bool export_functions(napi_env env, napi_value exports, addon_context *context,
                             const addon_function *functions) {
  for (const addon_function *row = functions; row->name; row++) {
    napi_value function;
    if (!succeeded(env, napi_create_function(env, row->name, NAPI_AUTO_LENGTH, row->call, context,
                                             &function)) ||
        !succeeded(env, napi_set_named_property(env, exports, row->name, function)))
      return false;
  }
  return true;
}

NAPI_MODULE_INIT() {
  addon_context *context = calloc(1, sizeof *context);
  if (!context) {
    napi_throw_error(env, "MPI_ERR_NO_MEM", "no memory for the addon");
    return NULL;
  }
  if (!succeeded(env, napi_set_instance_data(env, context, destroy_context, NULL))) {
    free(context);
    return NULL;
  }
  const addon_function *tables[] = {environment_functions,    communicator_functions,
                                    datatype_functions,       group_functions,
                                    point_to_point_functions, request_functions,
                                    collective_functions,     vector_functions,
                                    reduction_functions,      info_functions,
                                    topology_functions,       process_functions,
                                    window_functions,         rma_functions,
                                    file_functions,           file_access_functions,
                                    probe_functions};
  for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
    if (!export_functions(env, exports, context, tables[i]))
      return NULL;
  return exports;
}
