/**
 * Graphs of ranks: topologies of any shape. Grids are in mpi-comm.c and mpi-group.c.
 */
#include "mpi-addon.h"

/** Reads the communicator and the arguments after it. */
static communicator_slot *open_call(napi_env env, napi_callback_info info, const char *call,
                                    size_t count, napi_value *values, addon_context **context) {
  if (!arguments(env, info, count, values, (void **)context))
    return NULL;
  return communicator_argument(env, *context, call, values[0]);
}

/** A list of ranks; with weights, or undefined in their place. */
typedef struct {
  const int *ranks;
  const int *weights;
  size_t count;
} edge_list;

static bool edges_argument(napi_env env, napi_value ranks, napi_value weights, edge_list *edges) {
  size_t weight_count = 0;
  edges->weights = MPI_UNWEIGHTED;
  if (!int32_array_argument(env, ranks, &edges->ranks, &edges->count))
    return false;
  if (type_of(env, weights) == napi_undefined)
    return true;
  if (!int32_array_argument(env, weights, &edges->weights, &weight_count) ||
      !succeeded(env, weight_count == edges->count ? napi_ok : napi_invalid_arg))
    return false;
  if (weight_count == 0)
    edges->weights = MPI_WEIGHTS_EMPTY;
  return true;
}

/** distGraphCreate(handle, sources, degrees, destinations, weights | undefined, info, reorder) */
static napi_value dist_graph_create(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Dist_graph_create";
  napi_value values[7];
  addon_context *context;
  const int *sources, *degrees;
  size_t source_count, degree_count, total = 0;
  edge_list edges;
  int reorder;
  MPI_Info pairs;
  MPI_Comm made;
  communicator_slot *slot = open_call(env, info, call, 7, values, &context);
  if (!slot || !int32_array_argument(env, values[1], &sources, &source_count) ||
      !int32_array_argument(env, values[2], &degrees, &degree_count) ||
      !edges_argument(env, values[3], values[4], &edges) || !int_argument(env, values[6], &reorder))
    return NULL;
  for (size_t i = 0; i < degree_count; i++)
    total += (size_t)degrees[i];
  if (!succeeded(env, source_count == degree_count && total == edges.count ? napi_ok
                                                                           : napi_invalid_arg) ||
      !info_argument(env, context, call, values[5], &pairs))
    return NULL;
  int code = MPI_Dist_graph_create(slot->comm, (int)source_count, sources, degrees, edges.ranks,
                                   edges.weights, pairs, reorder, &made);
  free_info(&pairs);
  return check(env, context, call, code) ? communicator_result(env, context, made, false) : NULL;
}

/** distGraphCreateAdjacent(handle, sources, weights | undefined, destinations, weights | undefined,
 * info, reorder) */
static napi_value dist_graph_create_adjacent(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Dist_graph_create_adjacent";
  napi_value values[7];
  addon_context *context;
  edge_list in, out;
  int reorder;
  MPI_Info pairs;
  MPI_Comm made;
  communicator_slot *slot = open_call(env, info, call, 7, values, &context);
  if (!slot || !edges_argument(env, values[1], values[2], &in) ||
      !edges_argument(env, values[3], values[4], &out) || !int_argument(env, values[6], &reorder) ||
      !info_argument(env, context, call, values[5], &pairs))
    return NULL;
  int code =
      MPI_Dist_graph_create_adjacent(slot->comm, (int)in.count, in.ranks, in.weights,
                                     (int)out.count, out.ranks, out.weights, pairs, reorder, &made);
  free_info(&pairs);
  return check(env, context, call, code) ? communicator_result(env, context, made, false) : NULL;
}

/** distGraphCounts(handle, Int32Array of 3): indegree, outdegree, whether there are weights */
static napi_value dist_graph_counts(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Dist_graph_neighbors_count";
  napi_value values[2];
  addon_context *context;
  const int *into;
  size_t count;
  communicator_slot *slot = open_call(env, info, call, 2, values, &context);
  if (!slot || !int32_array_argument(env, values[1], &into, &count) ||
      !succeeded(env, count == 3 ? napi_ok : napi_invalid_arg))
    return NULL;
  int *counts = (int *)(uintptr_t)into;
  check(env, context, call,
        MPI_Dist_graph_neighbors_count(slot->comm, &counts[0], &counts[1], &counts[2]));
  return NULL;
}

/** distGraphNeighbors(handle, sources, their weights, destinations, their weights): Int32Arrays
 * that distGraphCounts has told the lengths of */
static napi_value dist_graph_neighbors(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Dist_graph_neighbors";
  napi_value values[5];
  addon_context *context;
  int *lists[4], is_weighted, found[2];
  size_t counts[4];
  communicator_slot *slot = open_call(env, info, call, 5, values, &context);
  if (!slot)
    return NULL;
  for (int i = 0; i < 4; i++) {
    const int *list;
    if (!int32_array_argument(env, values[1 + i], &list, &counts[i]))
      return NULL;
    lists[i] = (int *)(uintptr_t)list;
  }
  if (!check(env, context, call,
             MPI_Dist_graph_neighbors_count(slot->comm, &found[0], &found[1], &is_weighted)) ||
      !succeeded(env, counts[0] == (size_t)found[0] && counts[1] == counts[0] &&
                              counts[2] == (size_t)found[1] && counts[3] == counts[2]
                          ? napi_ok
                          : napi_invalid_arg))
    return NULL;
  check(env, context, call,
        MPI_Dist_graph_neighbors(slot->comm, found[0], lists[0],
                                 is_weighted ? lists[1] : MPI_UNWEIGHTED, found[1], lists[2],
                                 is_weighted ? lists[3] : MPI_UNWEIGHTED));
  return NULL;
}

/** graphCreate(handle, index Int32Array, edges Int32Array, reorder): undefined where it has no
 * node */
static napi_value graph_create(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Graph_create";
  napi_value values[4];
  addon_context *context;
  const int *index, *edges;
  size_t node_count, edge_count;
  int reorder;
  MPI_Comm made;
  communicator_slot *slot = open_call(env, info, call, 4, values, &context);
  if (!slot || !int32_array_argument(env, values[1], &index, &node_count) ||
      !int32_array_argument(env, values[2], &edges, &edge_count) ||
      !int_argument(env, values[3], &reorder))
    return NULL;
  static const int none = 0; /* libraries refuse NULL also where it has no elements */
  if (edge_count == 0)
    edges = &none;
  bool is_sound = node_count == 0 || (size_t)index[node_count - 1] == edge_count;
  if (!succeeded(env, is_sound ? napi_ok : napi_invalid_arg) ||
      !check(env, context, call,
             MPI_Graph_create(slot->comm, (int)node_count, index, edges, reorder, &made)))
    return NULL;
  return communicator_result(env, context, made, false);
}

/** topoTest(handle): place in TOPOLOGIES of topology-calls.ts */
static napi_value topo_test(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Topo_test";
  napi_value values[1];
  addon_context *context;
  int found = MPI_UNDEFINED;
  communicator_slot *slot = open_call(env, info, call, 1, values, &context);
  if (!slot || !check(env, context, call, MPI_Topo_test(slot->comm, &found)))
    return NULL;
  const int kinds[] = {MPI_UNDEFINED, MPI_CART, MPI_GRAPH, MPI_DIST_GRAPH};
  for (int i = 1; i < 4; i++)
    if (found == kinds[i])
      return int_result(env, i);
  return int_result(env, 0);
}

const addon_function topology_functions[] = {
    {"distGraphCreate", dist_graph_create},
    {"distGraphCreateAdjacent", dist_graph_create_adjacent},
    {"distGraphCounts", dist_graph_counts},
    {"distGraphNeighbors", dist_graph_neighbors},
    {"graphCreate", graph_create},
    {"topoTest", topo_test},
    {NULL, NULL}};
