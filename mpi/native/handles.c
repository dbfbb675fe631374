#include "handles.h"

#include <stdlib.h>

#define INDEX_BITS 24
#define KIND_BITS 4
#define INDEX_MASK ((1u << INDEX_BITS) - 1)
#define KIND_MASK ((1u << KIND_BITS) - 1)
#define GENERATION_MASK ((1u << 24) - 1)
#define SLOT_COUNT_FIRST 64

static bool table_grow(handle_table *table) {
  uint32_t capacity = table->capacity ? table->capacity * 2 : SLOT_COUNT_FIRST;
  if (capacity > INDEX_MASK)
    return false;
  handle_slot *slots = realloc(table->slots, capacity * sizeof(handle_slot));
  if (!slots)
    return false;
  table->slots = slots;
  table->capacity = capacity;
  return true;
}

handle_slot *handle_allocate(handle_table *table, handle_kind kind, int64_t *handle) {
  uint32_t index;
  if (table->first_free) {
    index = table->first_free - 1;
    table->first_free = table->slots[index].next_free;
  } else {
    if (table->count == table->capacity && !table_grow(table))
      return NULL;
    index = table->count++;
    table->slots[index].generation = 1;
  }
  handle_slot *slot = &table->slots[index];
  slot->kind = kind;
  slot->next_free = 0;
  *handle = ((int64_t)slot->generation << (INDEX_BITS + KIND_BITS)) |
            ((int64_t)kind << INDEX_BITS) | (int64_t)index;
  return slot;
}

handle_slot *handle_find(const handle_table *table, handle_kind kind, int64_t handle) {
  if (handle <= 0)
    return NULL;
  uint32_t index = (uint32_t)(handle & INDEX_MASK);
  uint32_t claimed = (uint32_t)(handle >> INDEX_BITS) & KIND_MASK;
  if (index >= table->count || claimed != (uint32_t)kind)
    return NULL;
  handle_slot *slot = &table->slots[index];
  if (slot->kind != kind || slot->generation != (uint64_t)(handle >> (INDEX_BITS + KIND_BITS)))
    return NULL;
  return slot;
}

void handle_release(handle_table *table, handle_slot *slot) {
  slot->kind = HANDLE_NONE;
  slot->generation = (slot->generation + 1) & GENERATION_MASK;
  if (slot->generation == 0)
    slot->generation = 1;
  slot->next_free = table->first_free;
  table->first_free = (uint32_t)(slot - table->slots) + 1;
}

void handle_table_destroy(handle_table *table) {
  free(table->slots);
  *table = (handle_table){0};
}
