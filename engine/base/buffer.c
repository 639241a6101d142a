/* The growing byte buffer and the bump arena. Both double as they grow, so that the cost of an
 * append or an allocation is constant on average; both stop at the maximum they were made with.
 * Each belongs to one thread at a time. */
#include "engine/base/buffer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_FIRST_CAPACITY 256

void buffer_init(struct buffer *buffer, size_t maximum)
{
    *buffer = (struct buffer){.maximum = maximum};
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){.maximum = buffer->maximum};
}

void buffer_reset(struct buffer *buffer)
{
    buffer->size = 0;
    buffer->overflow = false;
    if (buffer->data)
        buffer->data[0] = '\0';
}

/* Room for `size` more bytes and the terminating zero. */
static bool make_room(struct buffer *buffer, size_t size)
{
    if (size > buffer->maximum || buffer->size > buffer->maximum - size)
        return false;
    size_t needed = buffer->size + size + 1;
    if (needed <= buffer->capacity)
        return true;
    size_t capacity = buffer->capacity ? buffer->capacity : BUFFER_FIRST_CAPACITY;
    while (capacity < needed)
        capacity = capacity > SIZE_MAX / 2 ? needed : 2 * capacity;
    if (capacity - 1 > buffer->maximum)
        capacity = buffer->maximum + 1;
    char *data = realloc(buffer->data, capacity);
    if (!data)
        return false;
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

char *buffer_reserve(struct buffer *buffer, size_t size)
{
    if (!make_room(buffer, size)) {
        buffer->overflow = true;
        return NULL;
    }
    buffer->data[buffer->size] = '\0';
    return buffer->data + buffer->size;
}

bool buffer_append_growing(struct buffer *buffer, const void *data, size_t size)
{
    char *place = buffer_reserve(buffer, size);
    if (!place)
        return false;
    if (size > 0)
        memcpy(place, data, size);
    buffer->size += size;
    buffer->data[buffer->size] = '\0';
    return true;
}

bool buffer_append_slice(struct buffer *buffer, struct slice slice)
{
    return buffer_append(buffer, slice.data, slice.size);
}

bool buffer_append_text(struct buffer *buffer, const char *text)
{
    return buffer_append(buffer, text, strlen(text));
}

bool buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    char *place = length < 0 ? NULL : buffer_reserve(buffer, (size_t)length);
    if (place) {
        vsnprintf(place, (size_t)length + 1, format, again);
        buffer->size += (size_t)length;
    }
    va_end(again);
    va_end(args);
    if (!place)
        buffer->overflow = true;
    return place != NULL;
}

#define ARENA_ALIGNMENT   16
#define ARENA_FIRST_CHUNK 4096
#define ARENA_LARGE_CHUNK ((size_t)1 << 20)

/* Bytes follow the header, which is a multiple of the alignment. */
struct chunk {
    struct chunk *older;
    size_t capacity;
    size_t used;
    size_t padding;
};

static_assert(sizeof(struct chunk) % ARENA_ALIGNMENT == 0, "allocations follow the header");

struct arena {
    struct chunk *newest;
    size_t used; /* by all allocations since the last reset */
    size_t maximum;
};

struct arena *arena_create(size_t maximum)
{
    struct arena *arena = calloc(1, sizeof *arena);
    if (arena)
        arena->maximum = maximum;
    return arena;
}

static void free_chunks(struct chunk *chunk)
{
    while (chunk) {
        struct chunk *older = chunk->older;
        free(chunk);
        chunk = older;
    }
}

void arena_destroy(struct arena *arena)
{
    if (!arena)
        return;
    free_chunks(arena->newest);
    free(arena);
}

static struct chunk *chunk_create(size_t capacity)
{
    struct chunk *chunk = malloc(sizeof *chunk + capacity);
    if (chunk)
        *chunk = (struct chunk){.capacity = capacity};
    return chunk;
}

static bool add_chunk(struct arena *arena, size_t size)
{
    size_t capacity = arena->newest ? 2 * arena->newest->capacity : ARENA_FIRST_CHUNK;
    if (capacity > ARENA_LARGE_CHUNK)
        capacity = ARENA_LARGE_CHUNK;
    if (capacity < size)
        capacity = size;
    struct chunk *chunk = chunk_create(capacity);
    if (!chunk)
        return false;
    chunk->older = arena->newest;
    arena->newest = chunk;
    return true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > arena->maximum)
        return NULL;
    size =
        size == 0 ? ARENA_ALIGNMENT : (size + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
    if (size > arena->maximum || arena->used > arena->maximum - size)
        return NULL;
    struct chunk *chunk = arena->newest;
    if (!chunk || chunk->capacity - chunk->used < size) {
        if (!add_chunk(arena, size))
            return NULL;
        chunk = arena->newest;
    }
    void *memory = (char *)(chunk + 1) + chunk->used;
    chunk->used += size;
    arena->used += size;
    return memory;
}

void arena_reset(struct arena *arena)
{
    arena->used = 0;
    struct chunk *newest = arena->newest;
    if (!newest)
        return;
    if (newest->older) {
        /* One chunk as large as all of them: the next batch of this size allocates nothing. */
        size_t capacity = 0;
        for (struct chunk *chunk = newest; chunk; chunk = chunk->older)
            capacity += chunk->capacity;
        free_chunks(newest->older);
        newest->older = NULL;
        struct chunk *joined = chunk_create(capacity);
        if (joined) {
            free(newest);
            arena->newest = newest = joined;
        }
    }
    newest->used = 0;
}
