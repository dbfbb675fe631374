/* The calls on real files that storage.node exports beside its own. */
#ifndef DAOS_REAL_FILES_H
#define DAOS_REAL_FILES_H

#include "napi-args.h"

/* Longest path that a call takes, with its zero byte: PATH_MAX of Linux. */
enum { PATH_BYTES_MAX = 4096 };

/* Adds the calls to the exports; false if that failed. */
bool export_real_files(napi_env env, napi_value exports);

#endif
