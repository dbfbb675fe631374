/**
 * Datatypes: made from what TypeScript knows of them, when a message first uses them.
 */
#include "mpi-addon.h"

#include <stdlib.h>

/** Named types in the order of BASIC_NAMES in basic-types.ts. DO NOT REORDER without that file. */
static MPI_Datatype named_type(int index) {
  const MPI_Datatype types[] = {MPI_BYTE,
                                MPI_PACKED,
                                MPI_CHAR,
                                MPI_SIGNED_CHAR,
                                MPI_UNSIGNED_CHAR,
                                MPI_WCHAR,
                                MPI_SHORT,
                                MPI_UNSIGNED_SHORT,
                                MPI_INT,
                                MPI_UNSIGNED,
                                MPI_LONG,
                                MPI_UNSIGNED_LONG,
                                MPI_LONG_LONG,
                                MPI_UNSIGNED_LONG_LONG,
                                MPI_INT8_T,
                                MPI_INT16_T,
                                MPI_INT32_T,
                                MPI_INT64_T,
                                MPI_UINT8_T,
                                MPI_UINT16_T,
                                MPI_UINT32_T,
                                MPI_UINT64_T,
                                MPI_FLOAT,
                                MPI_DOUBLE,
                                MPI_C_BOOL,
                                MPI_C_FLOAT_COMPLEX,
                                MPI_C_DOUBLE_COMPLEX,
                                MPI_AINT,
                                MPI_OFFSET,
                                MPI_COUNT,
                                MPI_FLOAT_INT,
                                MPI_DOUBLE_INT,
                                MPI_LONG_INT,
                                MPI_2INT,
                                MPI_SHORT_INT};
  const int count = sizeof(types) / sizeof(types[0]);
  return index >= 0 && index < count ? types[index] : MPI_DATATYPE_NULL;
}

static napi_value datatype_result(napi_env env, addon_context *context, MPI_Datatype type,
                                  bool predefined) {
  int64_t handle;
  handle_slot *slot = handle_allocate(&context->handles, HANDLE_DATATYPE, &handle);
  if (slot) {
    slot->as.datatype = (datatype_slot){type, predefined};
    return double_result(env, (double)handle);
  }
  if (!predefined)
    MPI_Type_free(&type);
  throw_usage_error(env, context, "MPI_Type_commit", "MPI_ERR_NO_MEM", "no memory for a handle");
  return NULL;
}

/** datatypeNamed(index) */
static napi_value datatype_named(napi_env env, napi_callback_info info) {
  napi_value values[1];
  addon_context *context;
  int index;
  if (!arguments(env, info, 1, values, (void **)&context) || !int_argument(env, values[0], &index))
    return NULL;
  MPI_Datatype type = named_type(index);
  if (type == MPI_DATATYPE_NULL) {
    throw_usage_error(env, context, "MPI_Type_commit", "MPI_ERR_TYPE", "no such named type");
    return NULL;
  }
  return datatype_result(env, context, type, true);
}

/** What a constructor is given; lists end where their arrays do. */
typedef struct {
  const int *integers;
  size_t integer_count;
  MPI_Aint *addresses;
  size_t address_count;
  MPI_Datatype *types;
  size_t type_count;
} constructor_arguments;

/** Constructors in the order of COMBINERS in contents.ts. DO NOT REORDER without that file. */
enum {
  COMBINER_NAMED,
  COMBINER_DUP,
  COMBINER_CONTIGUOUS,
  COMBINER_VECTOR,
  COMBINER_HVECTOR,
  COMBINER_INDEXED,
  COMBINER_HINDEXED,
  COMBINER_INDEXED_BLOCK,
  COMBINER_HINDEXED_BLOCK,
  COMBINER_STRUCT,
  COMBINER_SUBARRAY,
  COMBINER_DARRAY,
  COMBINER_RESIZED
};

/** Numbers of orders and distributions: CONTENT_CODES in contents.ts. */
static int library_code(int code) {
  const int codes[] = {MPI_ORDER_C, MPI_ORDER_FORTRAN, MPI_DISTRIBUTE_BLOCK, MPI_DISTRIBUTE_CYCLIC,
                       MPI_DISTRIBUTE_NONE};
  return code >= 0 && code < 5 ? codes[code] : -1;
}

static int make_darray(const constructor_arguments *a, MPI_Datatype *made) {
  const int *in = a->integers;
  int dims = in[2];
  int *lists = malloc(sizeof(int) * 2 * (size_t)dims);
  if (!lists)
    return MPI_ERR_NO_MEM;
  int *distributions = lists, *blocks = lists + dims;
  for (int i = 0; i < dims; i++) {
    distributions[i] = library_code(in[3 + dims + i]);
    int block = in[3 + 2 * dims + i];
    blocks[i] = block == -1 ? MPI_DISTRIBUTE_DFLT_DARG : block;
  }
  int code =
      MPI_Type_create_darray(in[0], in[1], dims, in + 3, distributions, blocks, in + 3 + 3 * dims,
                             library_code(in[3 + 4 * dims]), a->types[0], made);
  free(lists);
  return code;
}

/** Whether the lists are as long as the constructor reads them; TypeScript made them. */
static bool is_sound(int combiner, const constructor_arguments *a) {
  size_t n = a->integer_count > 0 && a->integers[0] >= 0 ? (size_t)a->integers[0] : 0;
  size_t integers[] = {0, 0, 1, 3, 2, 1 + 2 * n, 1 + n, 2 + n, 2, 1 + n, 0, 0, 0};
  size_t addresses[] = {0, 0, 0, 0, 1, 0, n, 0, n, n, 0, 0, 2};
  size_t dims = combiner == COMBINER_DARRAY && a->integer_count > 2 ? (size_t)a->integers[2] : n;
  integers[COMBINER_SUBARRAY] = 2 + 3 * n;
  integers[COMBINER_DARRAY] = 4 + 4 * dims;
  size_t types = combiner == COMBINER_STRUCT ? n : 1;
  return combiner > COMBINER_NAMED && combiner <= COMBINER_RESIZED &&
         a->integer_count == integers[combiner] && a->address_count == addresses[combiner] &&
         a->type_count == types;
}

static int make_type(int combiner, const constructor_arguments *a, MPI_Datatype *made) {
  const int *in = a->integers;
  MPI_Datatype old = a->type_count > 0 ? a->types[0] : MPI_BYTE;
  switch (combiner) {
  case COMBINER_DUP:
    return MPI_Type_dup(old, made);
  case COMBINER_CONTIGUOUS:
    return MPI_Type_contiguous(in[0], old, made);
  case COMBINER_VECTOR:
    return MPI_Type_vector(in[0], in[1], in[2], old, made);
  case COMBINER_HVECTOR:
    return MPI_Type_create_hvector(in[0], in[1], a->addresses[0], old, made);
  case COMBINER_INDEXED:
    return MPI_Type_indexed(in[0], in + 1, in + 1 + in[0], old, made);
  case COMBINER_HINDEXED:
    return MPI_Type_create_hindexed(in[0], in + 1, a->addresses, old, made);
  case COMBINER_INDEXED_BLOCK:
    return MPI_Type_create_indexed_block(in[0], in[1], in + 2, old, made);
  case COMBINER_HINDEXED_BLOCK:
    return MPI_Type_create_hindexed_block(in[0], in[1], a->addresses, old, made);
  case COMBINER_STRUCT:
    return MPI_Type_create_struct(in[0], in + 1, a->addresses, a->types, made);
  case COMBINER_SUBARRAY:
    return MPI_Type_create_subarray(in[0], in + 1, in + 1 + in[0], in + 1 + 2 * in[0],
                                    library_code(in[1 + 3 * in[0]]), old, made);
  case COMBINER_DARRAY:
    return make_darray(a, made);
  default:
    return MPI_Type_create_resized(old, a->addresses[0], a->addresses[1], made);
  }
}

/** Reads numbers as addresses, or as handles of types; the result is to be freed. */
static double *numbers_argument(napi_env env, napi_value value, size_t *count) {
  napi_typedarray_type type;
  void *data = NULL;
  napi_status status = napi_get_typedarray_info(env, value, &type, count, &data, NULL, NULL);
  if (status == napi_ok && type != napi_float64_array)
    status = napi_invalid_arg;
  return succeeded(env, status) ? data : NULL;
}

static bool find_types(napi_env env, addon_context *context, const double *handles,
                       constructor_arguments *a) {
  for (size_t i = 0; i < a->type_count; i++) {
    handle_slot *slot = handle_find(&context->handles, HANDLE_DATATYPE, (int64_t)handles[i]);
    if (!slot) {
      throw_usage_error(env, context, "MPI_Type_commit", "MPI_ERR_TYPE",
                        "an inner type has been freed or is none");
      return false;
    }
    a->types[i] = slot->as.datatype.type;
  }
  return true;
}

static napi_value create_checked(napi_env env, addon_context *context, int combiner,
                                 const constructor_arguments *a) {
  MPI_Datatype made = MPI_DATATYPE_NULL;
  if (!is_sound(combiner, a)) {
    throw_usage_error(env, context, "MPI_Type_commit", "MPI_ERR_ARG",
                      "the lists do not fit the constructor");
    return NULL;
  }
  if (!check(env, context, "MPI_Type_commit", make_type(combiner, a, &made)) ||
      !check(env, context, "MPI_Type_commit", MPI_Type_commit(&made)))
    return NULL;
  return datatype_result(env, context, made, false);
}

/** datatypeCreate(combiner, integers Int32Array, addresses Float64Array, types Float64Array) */
static napi_value datatype_create(napi_env env, napi_callback_info info) {
  napi_value values[4], result = NULL;
  addon_context *context;
  int combiner;
  constructor_arguments a = {0};
  if (!arguments(env, info, 4, values, (void **)&context) ||
      !int_argument(env, values[0], &combiner) ||
      !int32_array_argument(env, values[1], &a.integers, &a.integer_count))
    return NULL;
  const double *addresses = numbers_argument(env, values[2], &a.address_count);
  const double *handles = numbers_argument(env, values[3], &a.type_count);
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) != napi_ok || pending)
    return NULL;
  a.addresses = malloc(sizeof(MPI_Aint) * (a.address_count + 1));
  a.types = malloc(sizeof(MPI_Datatype) * (a.type_count + 1));
  if (a.addresses && a.types) {
    for (size_t i = 0; i < a.address_count; i++)
      a.addresses[i] = (MPI_Aint)addresses[i];
    if (find_types(env, context, handles, &a))
      result = create_checked(env, context, combiner, &a);
  } else {
    throw_usage_error(env, context, "MPI_Type_commit", "MPI_ERR_NO_MEM", "no memory for a type");
  }
  free(a.addresses);
  free(a.types);
  return result;
}

/** datatypeMeasures(handle, Float64Array of 5): size, lower bound, extent, true lower bound, true
 * extent */
static napi_value datatype_measures(napi_env env, napi_callback_info info) {
  static const char call[] = "MPI_Type_get_extent";
  napi_value values[2];
  addon_context *context;
  MPI_Aint lower, extent, true_lower, true_extent;
  MPI_Count size;
  size_t count = 0;
  if (!arguments(env, info, 2, values, (void **)&context))
    return NULL;
  handle_slot *slot =
      object_argument(env, context, call, values[0], HANDLE_DATATYPE, "MPI_ERR_TYPE");
  double *measures = slot ? numbers_argument(env, values[1], &count) : NULL;
  if (!measures || count < 5)
    return NULL;
  MPI_Datatype type = slot->as.datatype.type;
  if (!check(env, context, call, MPI_Type_size_x(type, &size)) ||
      !check(env, context, call, MPI_Type_get_extent(type, &lower, &extent)) ||
      !check(env, context, call, MPI_Type_get_true_extent(type, &true_lower, &true_extent)))
    return NULL;
  const double found[] = {(double)size, (double)lower, (double)extent, (double)true_lower,
                          (double)true_extent};
  for (int i = 0; i < 5; i++)
    measures[i] = found[i];
  return NULL;
}

/** datatypeFree(handle): messages under way keep what they need of it. */
static napi_value datatype_free(napi_env env, napi_callback_info info) {
  napi_value values[1];
  addon_context *context;
  if (!arguments(env, info, 1, values, (void **)&context))
    return NULL;
  handle_slot *slot =
      object_argument(env, context, "MPI_Type_free", values[0], HANDLE_DATATYPE, "MPI_ERR_TYPE");
  if (!slot)
    return NULL;
  datatype_slot datatype = slot->as.datatype;
  handle_release(&context->handles, slot);
  if (!datatype.predefined)
    check(env, context, "MPI_Type_free", MPI_Type_free(&datatype.type));
  return NULL;
}

void free_datatypes(addon_context *context) {
  for (uint32_t i = 0; i < context->handles.count; i++) {
    handle_slot *slot = &context->handles.slots[i];
    if (slot->kind != HANDLE_DATATYPE)
      continue;
    if (!slot->as.datatype.predefined)
      MPI_Type_free(&slot->as.datatype.type);
    handle_release(&context->handles, slot);
  }
}

const addon_function datatype_functions[] = {{"datatypeNamed", datatype_named},
                                             {"datatypeCreate", datatype_create},
                                             {"datatypeMeasures", datatype_measures},
                                             {"datatypeFree", datatype_free},
                                             {NULL, NULL}};
