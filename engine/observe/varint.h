/* Integers of as many bytes as they need: seven bits a byte, lowest first, the top bit saying that
 * more follow (LEB128); signed ones zigzagged. For files of counts, most of which are zero; texts
 * and other bytes may stand between them. */
#ifndef BINNACLE_OBSERVE_VARINT_H
#define BINNACLE_OBSERVE_VARINT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "engine/base/buffer.h"
#include "engine/base/slice.h"

static inline void varint_put(struct buffer *out, uint64_t value)
{
    char bytes[10];
    size_t n = 0;
    do {
        bytes[n] = (char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
        n++;
    } while (value > 0);
    buffer_append(out, bytes, n);
}

static inline void varint_put_signed(struct buffer *out, int64_t value)
{
    varint_put(out, ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0));
}

/* Takes one from the front of *bytes; false when there is no whole one. */
static inline bool varint_take(struct slice *bytes, uint64_t *value)
{
    *value = 0;
    if (bytes->size > 0 && !(bytes->data[0] & 0x80)) { /* most are small */
        *value = (unsigned char)bytes->data[0];
        *bytes = slice_make(bytes->data + 1, bytes->size - 1);
        return true;
    }
    for (unsigned i = 0; i < 10 && i < bytes->size; i++) {
        unsigned char byte = (unsigned char)bytes->data[i];
        *value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80)) {
            *bytes = slice_make(bytes->data + i + 1, bytes->size - i - 1);
            return true;
        }
    }
    return false;
}

static inline bool varint_take_signed(struct slice *bytes, int64_t *value)
{
    uint64_t raw;
    if (!varint_take(bytes, &raw))
        return false;
    *value = (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
    return true;
}

/* So many bytes from the front, as buffer_append() put them. */
static inline bool varint_take_bytes(struct slice *bytes, void *out, size_t size)
{
    if (size > bytes->size)
        return false;
    if (size > 0)
        memcpy(out, bytes->data, size);
    *bytes = slice_make(bytes->data + size, bytes->size - size);
    return true;
}

static inline void varint_put_text(struct buffer *out, const char *text)
{
    varint_put(out, strlen(text));
    buffer_append_text(out, text);
}

/* False also for a text that does not fit with its ending zero. */
static inline bool varint_take_text(struct slice *bytes, char *out, size_t room)
{
    uint64_t size;
    if (!varint_take(bytes, &size) || size >= room || !varint_take_bytes(bytes, out, size))
        return false;
    out[size] = '\0';
    return true;
}

#endif
