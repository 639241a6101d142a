/* RFC 6455 as bytes: no sockets, no threads, no clock.
 *
 * The reader is fed with whatever arrived and says what became whole by it. Masks are taken off
 * while copying. A frame's length is judged when it is announced, so that nobody makes us keep more
 * than a message may have. */
#include "engine/base/websocket.h"

#include <string.h>

#include "engine/base/crypto.h"
#include "engine/base/encoding.h"
#include "engine/base/utf8.h"

#define KEY_BYTES ((size_t)16)

/* ---- the handshake and what is sent ---- */

enum status websocket_accept(const char *key, struct buffer *out)
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* section 1.3 */
    struct buffer decoded;
    buffer_init(&decoded, 2 * KEY_BYTES);
    bool usable = key && base64_decode(slice_of(key), &decoded) && decoded.size == KEY_BYTES;
    buffer_free(&decoded);
    if (!usable)
        return STATUS_INVALID;
    uint8_t digest[SHA1_SIZE];
    enum status status = crypto_sha1(slice_of(key), slice_of(guid), digest);
    if (status == STATUS_OK && !base64_encode(slice_make(digest, sizeof digest), out))
        status = STATUS_MEMORY;
    return status;
}

size_t websocket_head(enum websocket_opcode opcode, size_t size,
                      unsigned char head[WEBSOCKET_MAX_HEAD])
{
    size_t n_length = size < 126 ? 0 : size <= UINT16_MAX ? 2 : 8;
    head[0] = (unsigned char)(0x80 | opcode);
    head[1] = (unsigned char)(n_length == 0 ? size : n_length == 2 ? 126 : 127);
    for (size_t i = 0; i < n_length; i++)
        head[2 + i] = (unsigned char)((uint64_t)size >> (8 * (n_length - 1 - i)));
    return 2 + n_length;
}

/* ---- what comes in ---- */

void websocket_reader_init(struct websocket_reader *reader, size_t maximum)
{
    memset(reader, 0, sizeof *reader);
    buffer_init(&reader->data, maximum);
}

void websocket_reader_free(struct websocket_reader *reader)
{
    buffer_free(&reader->data);
}

static struct websocket_event broken(int code)
{
    return (struct websocket_event){.kind = WEBSOCKET_BROKEN, .code = code};
}

static bool is_control(int opcode)
{
    return opcode >= WEBSOCKET_CLOSE;
}

static int frame_opcode(const struct websocket_reader *reader)
{
    return reader->head[0] & 15;
}

static bool frame_is_final(const struct websocket_reader *reader)
{
    return reader->head[0] & 0x80;
}

/* How long the head is, once its first two bytes are there. A mask always belongs to it. */
static size_t head_size(const struct websocket_reader *reader)
{
    int length = reader->head[1] & 127;
    return 2 + 4 + (length == 126 ? 2u : length == 127 ? 8u : 0u);
}

/* Sections 5.2 to 5.5: what can be said of the first two bytes. */
static bool opening_is_legal(const struct websocket_reader *reader)
{
    int opcode = frame_opcode(reader), length = reader->head[1] & 127;
    bool reserved_bits = reader->head[0] & 0x70, masked = reader->head[1] & 0x80;
    if (reserved_bits || !masked)
        return false;
    if (is_control(opcode))
        return opcode <= WEBSOCKET_PONG && frame_is_final(reader) &&
               length <= WEBSOCKET_MAX_CONTROL;
    bool continues = opcode == WEBSOCKET_CONTINUATION;
    return opcode <= WEBSOCKET_BINARY && continues == (reader->message != 0);
}

/* The payload's length from a whole head; false when it is not written in its shortest form. */
static bool read_length(const struct websocket_reader *reader, uint64_t *length)
{
    *length = reader->head[1] & 127;
    if (*length < 126)
        return true;
    size_t n = *length == 126 ? 2 : 8;
    *length = 0;
    for (size_t i = 0; i < n; i++)
        *length = *length << 8 | reader->head[2 + i];
    return n == 2 ? *length >= 126 : *length > UINT16_MAX && *length >> 63 == 0;
}

/* 0: go on; else the code to close with. */
static int begin_payload(struct websocket_reader *reader)
{
    if (!read_length(reader, &reader->left))
        return WEBSOCKET_PROTOCOL_ERROR;
    reader->in_payload = true;
    reader->n_payload = 0;
    if (is_control(frame_opcode(reader))) {
        reader->n_control = 0;
        return 0;
    }
    if (reader->left > reader->data.maximum - reader->data.size)
        return WEBSOCKET_TOO_LARGE;
    if (frame_opcode(reader) != WEBSOCKET_CONTINUATION)
        reader->message = frame_opcode(reader);
    return 0;
}

/* Moves bytes of the head; false while it is not whole. */
static bool take_head(struct websocket_reader *reader, struct slice *bytes, int *code)
{
    for (;;) {
        size_t wanted = reader->n_head < 2 ? 2 : head_size(reader);
        if (reader->n_head == wanted && wanted > 2) {
            *code = begin_payload(reader);
            return true;
        }
        if (bytes->size == 0)
            return false;
        reader->head[reader->n_head++] = (unsigned char)bytes->data[0];
        bytes->data++;
        bytes->size--;
        if (reader->n_head == 2 && !opening_is_legal(reader)) {
            *code = WEBSOCKET_PROTOCOL_ERROR;
            return true;
        }
    }
}

/* Copies payload without its mask. False: no memory. */
static bool take_payload(struct websocket_reader *reader, struct slice *bytes)
{
    size_t size = bytes->size < reader->left ? bytes->size : (size_t)reader->left;
    unsigned char *place = reader->control + reader->n_control;
    bool control = is_control(frame_opcode(reader));
    if (!control && !(place = (unsigned char *)buffer_reserve(&reader->data, size)))
        return false;
    const unsigned char *mask = reader->head + reader->n_head - 4;
    for (size_t i = 0; i < size; i++)
        place[i] = (unsigned char)bytes->data[i] ^ mask[(reader->n_payload + i) & 3];
    if (control)
        reader->n_control += size;
    else
        reader->data.size += size;
    reader->n_payload += size;
    reader->left -= size;
    bytes->data += size;
    bytes->size -= size;
    return true;
}

/* Codes that may be on the wire: section 7.4 and the registry that it opened. */
static bool is_wire_code(int code)
{
    return (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) ||
           (code >= 3000 && code <= 4999);
}

static struct websocket_event end_close(const struct websocket_reader *reader)
{
    int code = WEBSOCKET_NO_CODE;
    if (reader->n_control == 1)
        return broken(WEBSOCKET_PROTOCOL_ERROR);
    if (reader->n_control >= 2) {
        code = reader->control[0] << 8 | reader->control[1];
        if (!is_wire_code(code))
            return broken(WEBSOCKET_PROTOCOL_ERROR);
        if (!utf8_is_valid(slice_make(reader->control + 2, reader->n_control - 2)))
            return broken(WEBSOCKET_BAD_TEXT);
    }
    return (struct websocket_event){.kind = WEBSOCKET_CLOSED, .code = code};
}

static struct websocket_event end_control(const struct websocket_reader *reader, int opcode)
{
    if (opcode == WEBSOCKET_CLOSE)
        return end_close(reader);
    return (struct websocket_event){.kind = opcode == WEBSOCKET_PING ? WEBSOCKET_PINGED
                                                                     : WEBSOCKET_PONGED,
                                    .payload = slice_make(reader->control, reader->n_control)};
}

static struct websocket_event end_message(struct websocket_reader *reader)
{
    struct slice payload = buffer_slice(&reader->data);
    bool is_text = reader->message == WEBSOCKET_TEXT;
    reader->message = 0;
    reader->data.size = 0; /* the bytes stay until the next call */
    if (is_text && !utf8_is_valid(payload))
        return broken(WEBSOCKET_BAD_TEXT);
    return (struct websocket_event){
        .kind = WEBSOCKET_MESSAGE, .is_text = is_text, .payload = payload};
}

struct websocket_event websocket_read(struct websocket_reader *reader, struct slice *bytes)
{
    for (;;) {
        int code = 0;
        if (!reader->in_payload && !take_head(reader, bytes, &code))
            return (struct websocket_event){.kind = WEBSOCKET_MORE};
        if (code)
            return broken(code);
        if (reader->left && !take_payload(reader, bytes))
            return broken(WEBSOCKET_TOO_LARGE);
        if (reader->left)
            return (struct websocket_event){.kind = WEBSOCKET_MORE};
        reader->in_payload = false;
        reader->n_head = 0;
        if (is_control(frame_opcode(reader)))
            return end_control(reader, frame_opcode(reader));
        if (frame_is_final(reader))
            return end_message(reader);
    }
}
