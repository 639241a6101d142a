/* Well-formed UTF-8 by RFC 3629, section 4 (the ABNF of UTF8-octets). Any thread. */
#include "engine/base/utf8.h"

#include <stdint.h>

/* Per first byte of a longer sequence: its length and the range of its second byte. */
static const struct form {
    unsigned char first_low, first_high, length, second_low, second_high;
} forms[] = {
    {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf}, {0xe1, 0xec, 3, 0x80, 0xbf},
    {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf}, {0xf0, 0xf0, 4, 0x90, 0xbf},
    {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

static bool between(unsigned char byte, unsigned char low, unsigned char high)
{
    return byte >= low && byte <= high;
}

size_t utf8_length(struct slice text)
{
    if (text.size == 0)
        return 0;
    const unsigned char *bytes = (const unsigned char *)text.data;
    if (bytes[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const struct form *form = &forms[i];
        if (!between(bytes[0], form->first_low, form->first_high))
            continue;
        if (text.size < form->length || !between(bytes[1], form->second_low, form->second_high))
            return 0;
        for (size_t j = 2; j < form->length; j++)
            if (!between(bytes[j], 0x80, 0xbf))
                return 0;
        return form->length;
    }
    return 0;
}

size_t utf8_fitting(struct slice text, size_t room)
{
    size_t size = text.size < room ? text.size : room;
    while (size > 0 && size < text.size && between((unsigned char)text.data[size], 0x80, 0xbf))
        size--;
    return size;
}

bool utf8_is_valid(struct slice text)
{
    size_t at = 0;
    while (at < text.size) {
        uint64_t word;
        while (text.size - at >= sizeof word) {
            memcpy(&word, text.data + at, sizeof word);
            if (word & UINT64_C(0x8080808080808080))
                break;
            at += sizeof word;
        }
        if (at == text.size)
            break;
        size_t length = utf8_length(slice_make(text.data + at, text.size - at));
        if (length == 0)
            return false;
        at += length;
    }
    return true;
}

static bool is_unsafe_code(unsigned code)
{
    static const struct {
        unsigned first, last;
    } ranges[] = {{0, 0x1f},        {0x7f, 0x9f},     {0x61c, 0x61c},
                  {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    }
    return false;
}

size_t utf8_unsafe(struct slice text, unsigned *code)
{
    const unsigned char *at = (const unsigned char *)text.data;
    if (text.size == 0 || (at[0] >= 0x20 && at[0] < 0x7f))
        return 0;
    size_t length = utf8_length(text);
    unsigned number = at[0];
    if (length == 2)
        number = (at[0] & 0x1fu) << 6 | (at[1] & 0x3fu);
    else if (length == 3)
        number = (at[0] & 0x0fu) << 12 | (at[1] & 0x3fu) << 6 | (at[2] & 0x3fu);
    if (length == 0 || length > 3 || !is_unsafe_code(number))
        return 0;
    if (code)
        *code = number;
    return length;
}
