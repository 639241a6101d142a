/* A growing byte buffer with a maximum, and a bump arena for what lives as long as a batch. */
#ifndef BINNACLE_BASE_BUFFER_H
#define BINNACLE_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "engine/base/slice.h"
#include "engine/base/status.h"

struct buffer {
    char *data; /* always zero-terminated after the first append */
    size_t size;
    size_t capacity;
    size_t maximum;
    bool overflow; /* an append was refused: the maximum or memory ran out; sticky until reset */
};

/* An empty buffer that never holds more than `maximum` bytes. Allocates nothing yet. */
void buffer_init(struct buffer *buffer, size_t maximum);
void buffer_free(struct buffer *buffer);
/* Empties it and keeps the memory for the next use. */
void buffer_reset(struct buffer *buffer);

/* Appends return false, leave the content as it was and set `overflow` when it does not fit.
 * Checking `overflow` once at the end is enough. */
bool buffer_append_growing(struct buffer *buffer, const void *data, size_t size);
/* Where there is room already, an append is a copy, whose size the compiler often knows. */
static inline bool buffer_append(struct buffer *buffer, const void *data, size_t size)
{
    if (size == 0 || buffer->capacity - buffer->size <= size)
        return buffer_append_growing(buffer, data, size);
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
    buffer->data[buffer->size] = '\0';
    return true;
}
bool buffer_append_slice(struct buffer *buffer, struct slice slice);
bool buffer_append_text(struct buffer *buffer, const char *text);
static inline bool buffer_append_char(struct buffer *buffer, char character)
{
    return buffer_append(buffer, &character, 1);
}
bool buffer_printf(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
/* Makes room for `size` more bytes and returns where they go, or NULL; add to .size oneself. */
char *buffer_reserve(struct buffer *buffer, size_t size);

/* The same, without a call where there is room already. */
static inline char *buffer_room(struct buffer *buffer, size_t size)
{
    return buffer->capacity - buffer->size > size ? buffer->data + buffer->size
                                                  : buffer_reserve(buffer, size);
}

static inline struct slice buffer_slice(const struct buffer *buffer)
{
    return slice_make(buffer->data ? buffer->data : "", buffer->size);
}

/* Memory that is given back all at once. Not for sharing between threads. */
struct arena;
/* NULL when out of memory. `maximum` bounds what all allocations between resets may take. */
struct arena *arena_create(size_t maximum);
void arena_destroy(struct arena *arena);
/* 16-byte aligned, uninitialised; NULL when the maximum is reached. */
void *arena_alloc(struct arena *arena, size_t size);
/* Forgets every allocation, keeps the memory: a warm arena allocates nothing. */
void arena_reset(struct arena *arena);

#endif
