/* Length-prefixed little-endian fields: what leaves and queued entries are made of. */
#ifndef BINNACLE_RECORD_CODEC_PRIV_H
#define BINNACLE_RECORD_CODEC_PRIV_H

#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/base/slice.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "leaf bytes and feature blobs are little-endian and written as they lie in memory");

/* A failed append shows in out->overflow, which the caller checks once at the end. */
static inline void put_bytes(struct buffer *out, const void *data, size_t size)
{
    buffer_append(out, data, size);
}

static inline void put_u8(struct buffer *out, uint8_t number)
{
    put_bytes(out, &number, sizeof number);
}

static inline void put_u32(struct buffer *out, uint32_t number)
{
    put_bytes(out, &number, sizeof number);
}

static inline void put_i32(struct buffer *out, int32_t number)
{
    put_bytes(out, &number, sizeof number);
}

static inline void put_i64(struct buffer *out, int64_t number)
{
    put_bytes(out, &number, sizeof number);
}

/* Every NaN is the same NaN: the one that a database NULL reads back as. */
static inline float float_canonical(float number)
{
    return number != number ? __builtin_nanf("") : number;
}

static inline void put_float(struct buffer *out, float number)
{
    float canonical = float_canonical(number);
    put_bytes(out, &canonical, sizeof canonical);
}

static inline void put_text(struct buffer *out, struct slice text)
{
    put_u32(out, (uint32_t)text.size);
    put_bytes(out, text.data ? text.data : "", text.size);
}

/* The same where room has been made already: they return the place after. */
static inline char *write_bytes(char *at, const void *data, size_t size)
{
    if (size > 0)
        memcpy(at, data, size);
    return at + size;
}

static inline char *write_u8(char *at, uint8_t number)
{
    return write_bytes(at, &number, sizeof number);
}

static inline char *write_u32(char *at, uint32_t number)
{
    return write_bytes(at, &number, sizeof number);
}

static inline char *write_i32(char *at, int32_t number)
{
    return write_bytes(at, &number, sizeof number);
}

static inline char *write_i64(char *at, int64_t number)
{
    return write_bytes(at, &number, sizeof number);
}

static inline char *write_float(char *at, float number)
{
    float canonical = float_canonical(number);
    return write_bytes(at, &canonical, sizeof canonical);
}

/* As if nothing else lay there, so that compilers do several at a time. */
static inline char *write_floats(char *restrict at, const float *restrict numbers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        (void)write_float(at + i * sizeof *numbers, numbers[i]);
    return at + n * sizeof *numbers;
}

static inline char *write_text(char *at, struct slice text)
{
    return write_bytes(write_u32(at, (uint32_t)text.size), text.data, text.size);
}

/* Reading: `bad` is sticky and everything after it reads as zero. */
struct cursor {
    const char *at, *end;
    bool bad;
};

static inline struct cursor cursor_of(struct slice bytes)
{
    const char *data = bytes.data ? bytes.data : "";
    return (struct cursor){data, data + bytes.size, false};
}

static inline const char *get_bytes(struct cursor *cursor, size_t size)
{
    if (cursor->bad || (size_t)(cursor->end - cursor->at) < size) {
        cursor->bad = true;
        return NULL;
    }
    const char *data = cursor->at;
    cursor->at += size;
    return data;
}

static inline void get_into(struct cursor *cursor, void *out, size_t size)
{
    const char *data = get_bytes(cursor, size);
    if (data)
        memcpy(out, data, size);
    else
        memset(out, 0, size);
}

static inline uint8_t get_u8(struct cursor *cursor)
{
    uint8_t number;
    get_into(cursor, &number, sizeof number);
    return number;
}

static inline uint32_t get_u32(struct cursor *cursor)
{
    uint32_t number;
    get_into(cursor, &number, sizeof number);
    return number;
}

static inline int32_t get_i32(struct cursor *cursor)
{
    int32_t number;
    get_into(cursor, &number, sizeof number);
    return number;
}

static inline int64_t get_i64(struct cursor *cursor)
{
    int64_t number;
    get_into(cursor, &number, sizeof number);
    return number;
}

static inline float get_float(struct cursor *cursor)
{
    float number;
    get_into(cursor, &number, sizeof number);
    return number;
}

static inline struct slice get_text(struct cursor *cursor)
{
    size_t size = get_u32(cursor);
    const char *data = get_bytes(cursor, size);
    return data ? slice_make(data, size) : slice_make(NULL, 0);
}

#endif
