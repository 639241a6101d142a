/* The traceparent header of W3C Trace Context (https://www.w3.org/TR/trace-context-1/): version,
 * trace id, parent id and flags as lower-case hex with dashes between. Any thread. */
#include "engine/base/trace.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/crypto.h"
#include "engine/base/encoding.h"

#define HEADER_SIZE 55 /* of version 00; later versions may add "-..." */

static bool is_zero(const uint8_t *bytes, size_t size)
{
    uint8_t any = 0;
    for (size_t i = 0; i < size; i++)
        any |= bytes[i];
    return any == 0;
}

static bool read_hex(struct slice header, size_t at, uint8_t *out, size_t size)
{
    struct slice digits = slice_make(header.data + at, 2 * size);
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.data[i] >= 'A' && digits.data[i] <= 'F')
            return false;
    }
    return hex_decode(digits, out, size);
}

bool trace_parse(struct slice header, struct trace *trace)
{
    uint8_t version;
    header = slice_trim(header);
    if (header.size < HEADER_SIZE || header.data[2] != '-' || header.data[35] != '-' ||
        header.data[52] != '-')
        return false;
    if (!read_hex(header, 0, &version, 1) || version == 0xff)
        return false;
    bool longer = header.size > HEADER_SIZE;
    if (longer && (version == 0 || header.data[HEADER_SIZE] != '-'))
        return false;
    struct trace read = {.adopted = true};
    if (!read_hex(header, 3, read.id, sizeof read.id) ||
        !read_hex(header, 36, read.span, sizeof read.span) || !read_hex(header, 53, &read.flags, 1))
        return false;
    if (is_zero(read.id, sizeof read.id) || is_zero(read.span, sizeof read.span))
        return false;
    *trace = read;
    return true;
}

enum status trace_begin(const char *header, struct trace *trace)
{
    uint8_t random[sizeof trace->id + sizeof trace->span];
    enum status status = crypto_random(random, sizeof random);
    if (status != STATUS_OK)
        return status;
    if (!header || !trace_parse(slice_of(header), trace)) {
        *trace = (struct trace){.flags = 1};
        memcpy(trace->id, random, sizeof trace->id);
    }
    memcpy(trace->span, random + sizeof trace->id, sizeof trace->span);
    return STATUS_OK;
}

char *trace_format(const struct trace *trace, char out[TRACE_TEXT_SIZE])
{
    char id[33], span[17];
    snprintf(out, TRACE_TEXT_SIZE, "00-%s-%s-%02x", hex_encode(trace->id, sizeof trace->id, id),
             hex_encode(trace->span, sizeof trace->span, span), trace->flags & 1u);
    return out;
}
