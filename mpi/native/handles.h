/**
 * Handle table: numbers that JavaScript holds in place of the library's objects.
 *
 * A handle packs the slot's index, the kind of thing in it, and the slot's generation, which grows
 * each time the slot is freed:
 *
 *     bits 0-23 index | bits 24-27 kind | bits 28-51 generation      (a safe integer)
 *
 * So a freed, foreign or invented handle is found and refused; it is never followed.
 *
 * A slot's address is good until the next handle_allocate, which may move the table.
 *
 * One table per JavaScript environment (main thread or worker); used by that thread only.
 */
#ifndef HANDLES_H
#define HANDLES_H

#include <mpi.h>
#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
  HANDLE_NONE = 0,
  HANDLE_COMMUNICATOR = 1,
  HANDLE_REQUEST = 2,
  HANDLE_DATATYPE = 3,
  HANDLE_MESSAGE = 4,
  HANDLE_WINDOW = 5,
  HANDLE_FILE = 8
} handle_kind;

typedef struct {
  MPI_Comm comm;
  int size;
  int remote_size; /* of an intercommunicator; 0 of others */
  bool predefined;
} communicator_slot;

typedef struct {
  MPI_Request request;
  napi_ref buffer; /* keeps the memory alive until the operation completes */
  bool receives;
  bool persistent; /* lives on when it has completed, until it is freed */
  bool collective; /* or one-sided: cannot be cancelled or freed */
  bool of_file;    /* its status counts what was read or written */
  MPI_Comm *made;  /* where the library puts the communicator that it makes; NULL of others */
} request_slot;

typedef struct {
  MPI_Datatype type;
  bool predefined;
} datatype_slot;

typedef struct {
  MPI_Win win;
  napi_ref kept; /* array of the buffers that it exposes, and of those that lie in its memory */
  void *base;    /* memory of the library; NULL if the caller's is used */
  size_t size;   /* of that memory, in bytes */
} window_slot;

typedef struct {
  handle_kind kind;
  uint32_t generation;
  uint32_t next_free; /* index + 1; 0 ends the list */
  union {
    communicator_slot communicator;
    request_slot request;
    datatype_slot datatype;
    MPI_Message message;
    MPI_File file;
    window_slot window;
  } as;
} handle_slot;

typedef struct {
  handle_slot *slots;
  uint32_t count;
  uint32_t capacity;
  uint32_t first_free; /* index + 1; 0 means none */
} handle_table;

/** Takes a slot; returns NULL when memory is exhausted. `*handle` is what JavaScript will hold. */
handle_slot *handle_allocate(handle_table *table, handle_kind kind, int64_t *handle);

/** Finds the slot of a live handle of this kind; NULL for any other number. */
handle_slot *handle_find(const handle_table *table, handle_kind kind, int64_t handle);

/** Gives a slot back; its handle is refused from now on. */
void handle_release(handle_table *table, handle_slot *slot);

void handle_table_destroy(handle_table *table);

#endif
