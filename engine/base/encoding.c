/* Hexadecimal and base64 (RFC 4648). Any thread. */
#include "engine/base/encoding.h"

#include <stdint.h>

char *hex_encode(const void *data, size_t size, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * size] = '\0';
    return out;
}

static int hex_digit(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    if (character >= 'A' && character <= 'F')
        return character - 'A' + 10;
    return -1;
}

bool hex_decode(struct slice text, void *out, size_t size)
{
    uint8_t *bytes = out;
    if (text.size / 2 != size || text.size % 2 != 0)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(text.data[2 * i]);
        int low = hex_digit(text.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool base64_encode(struct slice data, struct buffer *out)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *bytes = (const uint8_t *)data.data;
    size_t size = (data.size + 2) / 3 * 4;
    char *text = buffer_reserve(out, size);
    if (!text)
        return false;
    for (size_t i = 0; i < data.size; i += 3) {
        size_t left = data.size - i;
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= left > 2 ? bytes[i + 2] : 0;
        *text++ = alphabet[group >> 18];
        *text++ = alphabet[group >> 12 & 63];
        *text++ = left > 1 ? alphabet[group >> 6 & 63] : '=';
        *text++ = left > 2 ? alphabet[group & 63] : '=';
    }
    *text = '\0';
    out->size += size;
    return true;
}

static int base64_digit(char character)
{
    if (character >= 'A' && character <= 'Z')
        return character - 'A';
    if (character >= 'a' && character <= 'z')
        return character - 'a' + 26;
    if (character >= '0' && character <= '9')
        return character - '0' + 52;
    return character == '+' ? 62 : character == '/' ? 63 : -1;
}

/* Four characters, the last `padding` of them '='. False when the bits that padding cuts off are
 * not zero: one value has one text. */
static bool decode_group(const char *text, size_t padding, char *out)
{
    uint32_t group = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = i < 4 - padding ? base64_digit(text[i]) : text[i] == '=' ? 0 : -1;
        if (digit < 0)
            return false;
        group = group << 6 | (uint32_t)digit;
    }
    char bytes[] = {(char)(group >> 16 & 255), (char)(group >> 8 & 255), (char)(group & 255)};
    memcpy(out, bytes, 3 - padding);
    return padding == 0 || (group & ((UINT32_C(1) << (8 * padding)) - 1)) == 0;
}

bool base64_decode(struct slice text, struct buffer *out)
{
    if (text.size % 4 != 0)
        return false;
    size_t padding = 0;
    while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=')
        padding++;
    size_t size = text.size / 4 * 3 - padding;
    char *bytes = buffer_reserve(out, size);
    if (!bytes)
        return false;
    for (size_t i = 0; i < text.size; i += 4)
        if (!decode_group(text.data + i, i + 4 == text.size ? padding : 0, bytes + i / 4 * 3))
            return false;
    out->size += size;
    out->data[out->size] = '\0';
    return true;
}
