/**
 * What the two parts of files share: opening and describing them, and accesses to them.
 *
 * Files are the library's own (ROMIO in MPICH; OMPIO or ROMIO in Open MPI). Modes, offsets and
 * views have been checked in TypeScript.
 */
#ifndef MPI_FILE_H
#define MPI_FILE_H

#include "mpi-addon.h"

/** A call that is being made. */
typedef struct {
  napi_env env;
  addon_context *context;
  const char *name;
  MPI_File file; /* a copy: taking a request's slot may move the table */
} file_call;

/** Reads the arguments of a function whose first one is a file. */
bool open_file_call(napi_env env, napi_callback_info info, const char *name, size_t count,
                    napi_value *values, file_call *call);

/** Reads an offset or a size, in bytes or in elementary types. */
static inline bool offset_argument(napi_env env, napi_value value, MPI_Offset *offset) {
  int64_t number = 0;
  bool read = succeeded(env, napi_get_value_int64(env, value, &number));
  *offset = (MPI_Offset)number;
  return read;
}

#endif
