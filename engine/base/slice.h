/* A view of bytes owned by somebody else. Not terminated by a zero; may hold zeros. */
#ifndef BINNACLE_BASE_SLICE_H
#define BINNACLE_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *data; /* may be NULL when size is 0 */
    size_t size;
};

#define SLICE_FORMAT      "%.*s"
#define SLICE_ARGS(slice) (int)(slice).size, (slice).data ? (slice).data : ""

static inline struct slice slice_of(const char *text)
{
    return (struct slice){text, text ? strlen(text) : 0};
}

static inline struct slice slice_make(const void *data, size_t size)
{
    return (struct slice){data, size};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool slice_is(struct slice slice, const char *text)
{
    return slice_equal(slice, slice_of(text));
}

/* The first eight bytes, the first one lowest; what is not there is zero. */
static inline uint64_t slice_head(struct slice slice)
{
    const unsigned char *at = (const unsigned char *)slice.data;
    uint64_t head = 0;
    uint32_t first, last;
    if (slice.size >= sizeof head) {
        memcpy(&head, at, sizeof head);
    } else if (slice.size >= sizeof first) {
        memcpy(&first, at, sizeof first);
        memcpy(&last, at + slice.size - sizeof last, sizeof last);
        head = first | (uint64_t)last << (8 * (slice.size - sizeof last));
    } else if (slice.size > 0) { /* the one in the middle may be the first or the last */
        size_t middle = slice.size / 2, end = slice.size - 1;
        head = at[0] | (uint64_t)at[middle] << (8 * middle) | (uint64_t)at[end] << (8 * end);
    }
    return head;
}

/* Orders by bytes, the shorter one first where one begins the other. <0, 0, >0. */
int slice_compare(struct slice a, struct slice b);

/* Without the white space (space, tab, CR, LF) at both ends. */
struct slice slice_trim(struct slice slice);

#endif
