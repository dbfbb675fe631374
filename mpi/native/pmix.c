/**
 * PMIx client: who this process is in its job, and a key-value exchange, without MPI.
 *
 * Plain functions over strings, numbers and bytes; the public API is in TypeScript. A failed call
 * throws an Error whose `code` is PMIx's name for it ("PMIX_ERR_TIMEOUT") and whose `call` is the
 * function that failed.
 *
 * Threads: main thread only.
 */
#define _GNU_SOURCE
#include "napi-args.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <pmix.h>
#include <stdlib.h>
#include <string.h>

static pmix_proc_t self;
static bool active = false;

static bool hidden = false;

/**
 * Stands before libpmix's function of this name, for libraries that are loaded after this addon.
 *
 * Open MPI 5 leaves its own PMIx_Init out if PMIx is initialized already, and then does not know
 * who it is ("local rank: Not found", 5.0.7). PMIx_Init may be called by several and is counted, so
 * Open MPI is told to go ahead while `hidden` is set; everybody else gets libpmix's own answer.
 */
int PMIx_Initialized(void) {
  static int (*original)(void);
  if (hidden)
    return 0;
  if (!original) {
    void *library = dlopen("libpmix.so.2", RTLD_LAZY | RTLD_NOLOAD);
    *(void **)&original = library ? dlsym(library, "PMIx_Initialized") : NULL;
  }
  return original ? original() : active;
}

/** Copies the path of a library that is Open MPI's component for PMIx to `data`, of PATH_MAX bytes. */
static int find_component(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  bool found = strstr(info->dlpi_name, "/mca_pmix_") && strlen(info->dlpi_name) < PATH_MAX;
  if (found)
    strcpy(data, info->dlpi_name);
  return found;
}

/**
 * Keeps Open MPI's component for PMIx mapped until the process ends.
 *
 * The component leaves its event handlers with PMIx, and MPI_Finalize unmaps it. That is well if its
 * PMIx_Finalize is the last; else PMIx's thread would run into the hole.
 */
static void keep_component(void) {
  char path[PATH_MAX];
  if (dl_iterate_phdr(find_component, path))
    dlopen(path, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

/** hide(hidden): whether PMIx_Initialized denies that PMIx is initialized. */
static napi_value hide(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value value;
  if (succeeded(env, napi_get_cb_info(env, info, &count, &value, NULL, NULL)))
    succeeded(env, napi_get_value_bool(env, value, &hidden));
  if (!hidden)
    keep_component();
  return NULL;
}

static void throw_status(napi_env env, const char *call, const char *code, const char *text) {
  napi_value error;
  if (napi_create_error(env, string_result(env, code), string_result(env, text), &error) != napi_ok)
    return;
  napi_set_named_property(env, error, "call", string_result(env, call));
  napi_throw(env, error);
}

typedef struct {
  pmix_status_t status;
  const char *name;
} status_row;

#define ROW(name)                                                                                  \
  { name, #name }

/** PMIx_Error_string says "TIMEOUT" or "PMIX_ERR_TIMEOUT", depending on the version. */
static const char *name_of_status(pmix_status_t status) {
  static const status_row rows[] = {ROW(PMIX_ERR_TIMEOUT),      ROW(PMIX_ERR_NOT_FOUND),
                                    ROW(PMIX_ERR_UNREACH),      ROW(PMIX_ERR_INIT),
                                    ROW(PMIX_ERR_BAD_PARAM),    ROW(PMIX_ERR_NOT_SUPPORTED),
                                    ROW(PMIX_ERR_NOMEM),        ROW(PMIX_ERR_NO_PERMISSIONS),
                                    ROW(PMIX_ERR_INVALID_CRED), ROW(PMIX_ERR_DUPLICATE_KEY)};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
    if (rows[i].status == status)
      return rows[i].name;
  return "PMIX_ERROR";
}

/** The choke point: every PMIx call goes through here. */
static bool check(napi_env env, const char *call, pmix_status_t status) {
  if (status == PMIX_SUCCESS)
    return true;
  throw_status(env, call, name_of_status(status), PMIx_Error_string(status));
  return false;
}

static bool require_active(napi_env env, const char *call) {
  if (!active)
    throw_status(env, call, "PMIX_ERR_INIT", "PMIx is not initialized");
  return active;
}

/** A key that fits PMIx's fixed-size field. */
static bool key_argument(napi_env env, const char *call, napi_value value, pmix_key_t key) {
  size_t length = 0;
  if (!succeeded(env, napi_get_value_string_utf8(env, value, NULL, 0, &length)))
    return false;
  if (length == 0 || length > PMIX_MAX_KEYLEN) {
    throw_status(env, call, "PMIX_ERR_BAD_PARAM", "the key is empty or too long");
    return false;
  }
  return succeeded(env, napi_get_value_string_utf8(env, value, key, PMIX_MAX_KEYLEN + 1, &length));
}

/** init(): [namespace, rank] */
static napi_value init(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result = NULL;
  if (!active) {
    if (!check(env, "PMIx_Init", PMIx_Init(&self, NULL, 0)))
      return NULL;
    active = true;
    keep_component();
  }
  napi_create_array_with_length(env, 2, &result);
  napi_set_element(env, result, 0, string_result(env, self.nspace));
  napi_set_element(env, result, 1, double_result(env, self.rank));
  return result;
}

static napi_value finalize(napi_env env, napi_callback_info info) {
  (void)info;
  if (active) {
    active = false;
    check(env, "PMIx_Finalize", PMIx_Finalize(NULL, 0));
  }
  return NULL;
}

/** A value that PMIx returned, as number, string or a copy of its bytes. */
static napi_value value_result(napi_env env, const pmix_value_t *value) {
  napi_value result = NULL;
  void *data = NULL;
  switch (value->type) {
  case PMIX_UINT16:
    return double_result(env, value->data.uint16);
  case PMIX_UINT32:
    return double_result(env, value->data.uint32);
  case PMIX_INT:
    return double_result(env, value->data.integer);
  case PMIX_PROC_RANK:
    return double_result(env, value->data.rank);
  case PMIX_STRING:
    return string_result(env, value->data.string ? value->data.string : "");
  case PMIX_BYTE_OBJECT:
    if (!succeeded(env, napi_create_arraybuffer(env, value->data.bo.size, &data, &result)))
      return NULL;
    if (value->data.bo.size > 0)
      memcpy(data, value->data.bo.bytes, value->data.bo.size);
    return result;
  default:
    throw_status(env, "PMIx_Get", "PMIX_ERR_TYPE_MISMATCH", "the value is of an unexpected type");
    return NULL;
  }
}

static bool is_absent(pmix_status_t status) {
  return status == PMIX_ERR_NOT_FOUND || status == PMIX_ERR_PROC_ENTRY_NOT_FOUND;
}

/**
 * get(key, rank | undefined, timeoutSeconds): the value, or undefined where there is none.
 * Without a rank, asks for a property of the job.
 */
static napi_value get(napi_env env, napi_callback_info info) {
  napi_value values[3], result = NULL;
  pmix_key_t key;
  pmix_proc_t proc;
  pmix_info_t options[1];
  pmix_value_t *value = NULL;
  void *context;
  int rank = 0, timeout;
  if (!arguments(env, info, 3, values, &context) || !require_active(env, "PMIx_Get") ||
      !key_argument(env, "PMIx_Get", values[0], key) || !int_argument(env, values[2], &timeout))
    return NULL;
  bool of_job = type_of(env, values[1]) == napi_undefined;
  if (!of_job && !int_argument(env, values[1], &rank))
    return NULL;
  PMIX_LOAD_PROCID(&proc, self.nspace, of_job ? PMIX_RANK_WILDCARD : (pmix_rank_t)rank);
  PMIX_INFO_LOAD(&options[0], PMIX_TIMEOUT, &timeout, PMIX_INT);
  pmix_status_t status = PMIx_Get(&proc, key, options, timeout > 0 ? 1 : 0, &value);
  if (is_absent(status)) {
    napi_get_undefined(env, &result);
    return result;
  }
  if (!check(env, "PMIx_Get", status))
    return NULL;
  result = value_result(env, value);
  PMIX_VALUE_RELEASE(value);
  return result;
}

/** put(key, Uint8Array): stages bytes (copied) for all processes of the job. */
static napi_value put(napi_env env, napi_callback_info info) {
  napi_value values[2];
  napi_typedarray_type type;
  pmix_key_t key;
  pmix_value_t value;
  void *context, *data = NULL;
  size_t size = 0;
  if (!arguments(env, info, 2, values, &context) || !require_active(env, "PMIx_Put") ||
      !key_argument(env, "PMIx_Put", values[0], key) ||
      !succeeded(env, napi_get_typedarray_info(env, values[1], &type, &size, &data, NULL, NULL)))
    return NULL;
  if (type != napi_uint8_array) {
    succeeded(env, napi_invalid_arg);
    return NULL;
  }
  value.type = PMIX_BYTE_OBJECT;
  value.data.bo.bytes = data;
  value.data.bo.size = size;
  check(env, "PMIx_Put", PMIx_Put(PMIX_GLOBAL, key, &value));
  return NULL;
}

/** Who sees what is published; the index is that of PUBLISH_RANGES in pmix.ts. DO NOT REORDER. */
static const pmix_data_range_t ranges[] = {PMIX_RANGE_NAMESPACE, PMIX_RANGE_SESSION,
                                           PMIX_RANGE_GLOBAL};

static bool range_argument(napi_env env, napi_value value, pmix_data_range_t *range) {
  int index = 0;
  if (!int_argument(env, value, &index))
    return false;
  *range = ranges[index >= 0 && index < 3 ? index : 1];
  return true;
}

/** publish(key, Uint8Array, range): bytes under a name, until this process ends or unpublishes. */
static napi_value publish(napi_env env, napi_callback_info info) {
  static const char call[] = "PMIx_Publish";
  napi_value values[3];
  napi_typedarray_type type;
  pmix_key_t key;
  pmix_byte_object_t bytes;
  pmix_info_t options[3];
  pmix_data_range_t range;
  pmix_persistence_t persistence = PMIX_PERSIST_PROC;
  void *context, *data = NULL;
  if (!arguments(env, info, 3, values, &context) || !require_active(env, call) ||
      !key_argument(env, call, values[0], key) ||
      !succeeded(env,
                 napi_get_typedarray_info(env, values[1], &type, &bytes.size, &data, NULL, NULL)) ||
      !range_argument(env, values[2], &range))
    return NULL;
  if (type != napi_uint8_array) {
    succeeded(env, napi_invalid_arg);
    return NULL;
  }
  bytes.bytes = data;
  PMIX_INFO_LOAD(&options[0], key, &bytes, PMIX_BYTE_OBJECT);
  PMIX_INFO_LOAD(&options[1], PMIX_RANGE, &range, PMIX_DATA_RANGE);
  PMIX_INFO_LOAD(&options[2], PMIX_PERSISTENCE, &persistence, PMIX_PERSIST);
  pmix_status_t status = PMIx_Publish(options, 3);
  for (int i = 0; i < 3; i++)
    PMIX_INFO_DESTRUCT(&options[i]);
  check(env, call, status);
  return NULL;
}

/** lookup(key, range): [bytes, namespace, rank] of who published it, or undefined. */
static napi_value lookup(napi_env env, napi_callback_info info) {
  static const char call[] = "PMIx_Lookup";
  napi_value values[2], result = NULL;
  pmix_key_t key;
  pmix_data_range_t range;
  pmix_info_t options[1];
  pmix_pdata_t found;
  void *context;
  if (!arguments(env, info, 2, values, &context) || !require_active(env, call) ||
      !key_argument(env, call, values[0], key) || !range_argument(env, values[1], &range))
    return NULL;
  PMIX_PDATA_CONSTRUCT(&found);
  PMIX_LOAD_KEY(found.key, key);
  PMIX_INFO_LOAD(&options[0], PMIX_RANGE, &range, PMIX_DATA_RANGE);
  pmix_status_t status = PMIx_Lookup(&found, 1, options, 1);
  PMIX_INFO_DESTRUCT(&options[0]);
  if (is_absent(status) || (status == PMIX_SUCCESS && found.value.type == PMIX_UNDEF)) {
    napi_get_undefined(env, &result);
  } else if (check(env, call, status)) {
    napi_value value = value_result(env, &found.value);
    if (value && succeeded(env, napi_create_array_with_length(env, 3, &result))) {
      napi_set_element(env, result, 0, value);
      napi_set_element(env, result, 1, string_result(env, found.proc.nspace));
      napi_set_element(env, result, 2, double_result(env, found.proc.rank));
    }
  }
  PMIX_PDATA_DESTRUCT(&found);
  return result;
}

/** unpublish(key, range): what this process has published under it. */
static napi_value unpublish(napi_env env, napi_callback_info info) {
  static const char call[] = "PMIx_Unpublish";
  napi_value values[2];
  pmix_key_t key;
  pmix_data_range_t range;
  pmix_info_t options[1];
  void *context;
  if (!arguments(env, info, 2, values, &context) || !require_active(env, call) ||
      !key_argument(env, call, values[0], key) || !range_argument(env, values[1], &range))
    return NULL;
  char *keys[] = {key, NULL};
  PMIX_INFO_LOAD(&options[0], PMIX_RANGE, &range, PMIX_DATA_RANGE);
  pmix_status_t status = PMIx_Unpublish(keys, options, 1);
  PMIX_INFO_DESTRUCT(&options[0]);
  if (!is_absent(status))
    check(env, call, status);
  return NULL;
}

static napi_value commit(napi_env env, napi_callback_info info) {
  (void)info;
  if (require_active(env, "PMIx_Commit"))
    check(env, "PMIx_Commit", PMIx_Commit());
  return NULL;
}

/**
 * fence(collect, ranks Int32Array | undefined): waits for these processes of the job, or for all;
 * with `collect`, exchanges what they put.
 */
static napi_value fence(napi_env env, napi_callback_info info) {
  napi_value values[2];
  pmix_info_t options[1];
  pmix_proc_t all;
  pmix_proc_t *procs = &all;
  const int *ranks = NULL;
  size_t count = 0;
  void *context;
  bool collect;
  if (!arguments(env, info, 2, values, &context) || !require_active(env, "PMIx_Fence") ||
      !succeeded(env, napi_get_value_bool(env, values[0], &collect)))
    return NULL;
  PMIX_LOAD_PROCID(&all, self.nspace, PMIX_RANK_WILDCARD);
  if (type_of(env, values[1]) != napi_undefined) {
    if (!int32_array_argument(env, values[1], &ranks, &count))
      return NULL;
    procs = calloc(count + 1, sizeof(pmix_proc_t));
    if (!procs) {
      throw_status(env, "PMIx_Fence", "PMIX_ERR_NOMEM", "no memory for the ranks");
      return NULL;
    }
    for (size_t i = 0; i < count; i++)
      PMIX_LOAD_PROCID(&procs[i], self.nspace, (pmix_rank_t)ranks[i]);
  }
  PMIX_INFO_LOAD(&options[0], PMIX_COLLECT_DATA, &collect, PMIX_BOOL);
  pmix_status_t status = PMIx_Fence(procs, ranks ? count : 1, options, 1);
  if (procs != &all)
    free(procs);
  check(env, "PMIx_Fence", status);
  return NULL;
}

/** abort(status, message): ends all processes of the job. */
static napi_value abort_job(napi_env env, napi_callback_info info) {
  napi_value values[2];
  char message[512];
  size_t length;
  void *context;
  int status;
  if (!arguments(env, info, 2, values, &context) || !require_active(env, "PMIx_Abort") ||
      !int_argument(env, values[0], &status) ||
      !succeeded(env, napi_get_value_string_utf8(env, values[1], message, sizeof message, &length)))
    return NULL;
  check(env, "PMIx_Abort", PMIx_Abort(status, message, NULL, 0));
  return NULL;
}

static napi_value version(napi_env env, napi_callback_info info) {
  (void)info;
  return string_result(env, PMIx_Get_version());
}

NAPI_MODULE_INIT() {
  const struct {
    const char *name;
    napi_callback call;
  } functions[] = {{"init", init},       {"finalize", finalize}, {"get", get},
                   {"put", put},         {"commit", commit},     {"fence", fence},
                   {"abort", abort_job}, {"version", version},   {"hide", hide},
                   {"publish", publish}, {"lookup", lookup},     {"unpublish", unpublish}};
  for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
    napi_value function;
    if (!succeeded(env, napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH,
                                             functions[i].call, NULL, &function)) ||
        !succeeded(env, napi_set_named_property(env, exports, functions[i].name, function)))
      return NULL;
  }
  return exports;
}
