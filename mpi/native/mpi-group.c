/**
 * Groups of processes, communicators made of them, intercommunicators, attributes of the library.
 */
#include "mpi-addon.h"

#include <stdlib.h>

/** The arguments of a function whose first one is a communicator. */
static communicator_slot *open_call(napi_env env, napi_callback_info info, const char *call,
                                    size_t count, napi_value *values, addon_context **context) {
  if (!arguments(env, info, count, values, (void **)context))
    return NULL;
  return communicator_argument(env, *context, call, values[0]);
}

/**
 * Adds a group's processes to those that are known: the members of MPI_COMM_WORLD first, then
 * those that were spawned or connected, in the order in which they were met. A place among them is
 * a number of a process that stays the same.
 */
static bool meet(napi_env env, addon_context *context, const char *call, MPI_Group group) {
  MPI_Group all;
  if (!context->has_everyone &&
      !check(env, context, call, MPI_Comm_group(MPI_COMM_WORLD, &context->everyone)))
    return false;
  context->has_everyone = true;
  if (!check(env, context, call, MPI_Group_union(context->everyone, group, &all)))
    return false;
  MPI_Group_free(&context->everyone);
  context->everyone = all;
  return true;
}

/** Writes the numbers of a group's processes. */
static void number_members(napi_env env, addon_context *context, const char *call, MPI_Group group,
                           int size, int *numbers) {
  int *ranks = malloc(sizeof(int) * ((size_t)size + 1));
  if (!ranks) {
    throw_usage_error(env, context, call, "MPI_ERR_NO_MEM", "no memory for a group");
    return;
  }
  for (int i = 0; i < size; i++)
    ranks[i] = i;
  bool is_known = context->has_everyone || meet(env, context, call, group);
  if (is_known &&
      check(env, context, call,
            MPI_Group_translate_ranks(group, size, ranks, context->everyone, numbers))) {
    bool has_strangers = false;
    for (int i = 0; i < size; i++)
      has_strangers = has_strangers || numbers[i] == MPI_UNDEFINED;
    if (has_strangers && meet(env, context, call, group))
      check(env, context, call,
            MPI_Group_translate_ranks(group, size, ranks, context->everyone, numbers));
  }
  free(ranks);
}

void free_everyone(addon_context *context) {
  if (context->has_everyone)
    MPI_Group_free(&context->everyone);
  context->has_everyone = false;
}

/** commWorldRanks(handle, Int32Array, remote 0 | 1): each member's number: see meet */
static napi_value comm_world_ranks(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Comm_group";
  napi_value values[3];
  addon_context *context;
  const int *into;
  size_t count;
  int remote, size = 0;
  MPI_Group group;
  communicator_slot *slot = open_call(env, info, call, 3, values, &context);
  if (!slot || !int32_array_argument(env, values[1], &into, &count) ||
      !int_argument(env, values[2], &remote))
    return NULL;
  int code =
      remote ? MPI_Comm_remote_group(slot->comm, &group) : MPI_Comm_group(slot->comm, &group);
  if (!check(env, context, call, code))
    return NULL;
  MPI_Group_size(group, &size);
  if ((size_t)size == count)
    number_members(env, context, call, group, size, (int *)(uintptr_t)into);
  else
    throw_usage_error(env, context, call, "MPI_ERR_ARG", "the array does not fit the group");
  MPI_Group_free(&group);
  return NULL;
}

/** Members of a communicator, by their ranks in it, as a group. */
static bool group_of_ranks(napi_env env, addon_context *context, const char *call, MPI_Comm comm,
                           napi_value list, MPI_Group *group) {
  const int *ranks;
  size_t count;
  MPI_Group whole;
  if (!int32_array_argument(env, list, &ranks, &count) ||
      !check(env, context, call, MPI_Comm_group(comm, &whole)))
    return false;
  bool made = check(env, context, call, MPI_Group_incl(whole, (int)count, ranks, group));
  MPI_Group_free(&whole);
  return made;
}

/** commCreate(handle, ranks Int32Array): collective over the communicator */
static napi_value comm_create(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Comm_create";
  napi_value values[2];
  addon_context *context;
  MPI_Group group;
  MPI_Comm made;
  communicator_slot *slot = open_call(env, info, call, 2, values, &context);
  if (!slot || !group_of_ranks(env, context, call, slot->comm, values[1], &group))
    return NULL;
  int code = MPI_Comm_create(slot->comm, group, &made);
  MPI_Group_free(&group);
  return check(env, context, call, code) ? communicator_result(env, context, made, false) : NULL;
}

/** commCreateGroup(handle, ranks Int32Array, tag): collective over the group */
static napi_value comm_create_group(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Comm_create_group";
  napi_value values[3];
  addon_context *context;
  MPI_Group group;
  MPI_Comm made;
  int tag;
  communicator_slot *slot = open_call(env, info, call, 3, values, &context);
  if (!slot || !int_argument(env, values[2], &tag) ||
      !group_of_ranks(env, context, call, slot->comm, values[1], &group))
    return NULL;
  int code = MPI_Comm_create_group(slot->comm, group, tag, &made);
  MPI_Group_free(&group);
  return check(env, context, call, code) ? communicator_result(env, context, made, false) : NULL;
}

/** commCompare(handle, handle): 0 identical, 1 congruent, 2 similar, 3 unequal */
static napi_value comm_compare(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Comm_compare";
  napi_value values[2];
  addon_context *context;
  int result;
  communicator_slot *slot = open_call(env, info, call, 2, values, &context);
  communicator_slot *other = slot ? communicator_argument(env, context, call, values[1]) : NULL;
  if (!other || !check(env, context, call, MPI_Comm_compare(slot->comm, other->comm, &result)))
    return NULL;
  const int results[] = {MPI_IDENT, MPI_CONGRUENT, MPI_SIMILAR};
  for (int i = 0; i < 3; i++)
    if (result == results[i])
      return int_result(env, i);
  return int_result(env, 3);
}

/** commSetName(handle, name) */
static napi_value comm_set_name(napi_env env, napi_callback_info info) {
  napi_value values[2];
  addon_context *context;
  char name[MPI_MAX_OBJECT_NAME];
  communicator_slot *slot = open_call(env, info, "MPI_Comm_set_name", 2, values, &context);
  if (slot && succeeded(env, napi_get_value_string_utf8(env, values[1], name, sizeof name, NULL)))
    check(env, context, "MPI_Comm_set_name", MPI_Comm_set_name(slot->comm, name));
  return NULL;
}

/** cartSub(handle, remain Int32Array of 0 | 1) */
static napi_value cart_sub(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Cart_sub";
  napi_value values[2];
  addon_context *context;
  const int *remain;
  size_t count;
  int dims = 0;
  MPI_Comm made;
  communicator_slot *slot = open_call(env, info, call, 2, values, &context);
  if (!slot || !int32_array_argument(env, values[1], &remain, &count) ||
      !check(env, context, call, MPI_Cartdim_get(slot->comm, &dims)))
    return NULL;
  if ((size_t)dims != count) {
    throw_usage_error(env, context, call, "MPI_ERR_DIMS", "the grid has other dimensions");
    return NULL;
  }
  return check(env, context, call, MPI_Cart_sub(slot->comm, remain, &made))
             ? communicator_result(env, context, made, false)
             : NULL;
}

/** intercommCreate(local, localLeader, peer, remoteLeader, tag) */
static napi_value intercomm_create(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Intercomm_create";
  napi_value values[5];
  addon_context *context;
  int local_leader, remote_leader, tag;
  MPI_Comm made;
  communicator_slot *slot = open_call(env, info, call, 5, values, &context);
  communicator_slot *peer = slot ? communicator_argument(env, context, call, values[2]) : NULL;
  if (!peer || !int_argument(env, values[1], &local_leader) ||
      !int_argument(env, values[3], &remote_leader) || !int_argument(env, values[4], &tag))
    return NULL;
  int code = MPI_Intercomm_create(slot->comm, local_leader, peer->comm, remote_leader, tag, &made);
  return check(env, context, call, code) ? communicator_result(env, context, made, false) : NULL;
}

/** intercommMerge(handle, high 0 | 1) */
static napi_value intercomm_merge(napi_env env, napi_callback_info info) {
  napi_value values[2];
  addon_context *context;
  int high;
  MPI_Comm made;
  communicator_slot *slot = open_call(env, info, "MPI_Intercomm_merge", 2, values, &context);
  if (!slot || !int_argument(env, values[1], &high) ||
      !check(env, context, "MPI_Intercomm_merge", MPI_Intercomm_merge(slot->comm, high, &made)))
    return NULL;
  return communicator_result(env, context, made, false);
}

/** remoteSize(handle): of an intercommunicator */
static napi_value comm_remote_size(napi_env env, napi_callback_info info) {
  napi_value values[1];
  addon_context *context;
  int size = 0;
  communicator_slot *slot = open_call(env, info, "MPI_Comm_remote_size", 1, values, &context);
  if (!slot ||
      !check(env, context, "MPI_Comm_remote_size", MPI_Comm_remote_size(slot->comm, &size)))
    return NULL;
  return int_result(env, size);
}

/** commAttribute(handle, index in PREDEFINED_ATTRIBUTES of attributes.ts): a number, or undefined
 */
static napi_value comm_attribute(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Comm_get_attr";
  const int keys[] = {MPI_TAG_UB, MPI_UNIVERSE_SIZE, MPI_APPNUM, MPI_WTIME_IS_GLOBAL,
                      MPI_LASTUSEDCODE};
  napi_value values[2];
  addon_context *context;
  int index, found = 0, *value = NULL;
  communicator_slot *slot = open_call(env, info, call, 2, values, &context);
  if (!slot || !int_argument(env, values[1], &index))
    return NULL;
  if (index < 0 || index >= (int)(sizeof(keys) / sizeof(keys[0])) ||
      !check(env, context, call, MPI_Comm_get_attr(slot->comm, keys[index], &value, &found)))
    return NULL;
  return found ? int_result(env, *value) : NULL;
}

const addon_function group_functions[] = {{"commWorldRanks", comm_world_ranks},
                                          {"commCreate", comm_create},
                                          {"commCreateGroup", comm_create_group},
                                          {"commCompare", comm_compare},
                                          {"commSetName", comm_set_name},
                                          {"cartSub", cart_sub},
                                          {"intercommCreate", intercomm_create},
                                          {"intercommMerge", intercomm_merge},
                                          {"remoteSize", comm_remote_size},
                                          {"commAttribute", comm_attribute},
                                          {NULL, NULL}};
