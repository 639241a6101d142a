/* The WebSocket protocol (RFC 6455), server's side, without any I/O: the handshake's answer, heads
 * of frames that are sent, and what the bytes of a client mean. */
#ifndef BINNACLE_BASE_WEBSOCKET_H
#define BINNACLE_BASE_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/base/slice.h"
#include "engine/base/status.h"

#define WEBSOCKET_MAX_HEAD    10 /* bytes before the payload of a frame that is sent */
#define WEBSOCKET_MAX_CONTROL 125

enum websocket_opcode {
    WEBSOCKET_CONTINUATION = 0,
    WEBSOCKET_TEXT = 1,
    WEBSOCKET_BINARY = 2,
    WEBSOCKET_CLOSE = 8,
    WEBSOCKET_PING = 9,
    WEBSOCKET_PONG = 10,
};

enum websocket_close { /* section 7.4.1 */
                       WEBSOCKET_GOING_AWAY = 1001,
                       WEBSOCKET_PROTOCOL_ERROR = 1002,
                       WEBSOCKET_UNSUPPORTED = 1003,
                       WEBSOCKET_NO_CODE = 1005, /* never on the wire: a close frame without one */
                       WEBSOCKET_BAD_TEXT = 1007,
                       WEBSOCKET_POLICY = 1008,
                       WEBSOCKET_TOO_LARGE = 1009,
};

/* Appends Sec-WebSocket-Accept for this Sec-WebSocket-Key; STATUS_INVALID when it (NULL too) is not
 * 16 bytes in base64. */
MUST_USE enum status websocket_accept(const char *key, struct buffer *out);

/* The head of an unfragmented frame with `size` bytes of payload; returns the head's size. */
size_t websocket_head(enum websocket_opcode opcode, size_t size,
                      unsigned char head[WEBSOCKET_MAX_HEAD]);

/* What a client sends, put together from bytes as they come. One thread at a time. */
struct websocket_reader {
    unsigned char head[14];
    size_t n_head;
    uint64_t left;      /* of the frame's payload */
    bool in_payload;    /* the head is whole */
    uint64_t n_payload; /* bytes of it that came: where the mask is */
    int message;        /* opcode of the fragmented message that is under way; 0: none */
    struct buffer data; /* of the message */
    unsigned char control[WEBSOCKET_MAX_CONTROL];
    size_t n_control;
};

struct websocket_event {
    enum {
        WEBSOCKET_MORE,    /* every byte was used */
        WEBSOCKET_MESSAGE, /* a whole text, checked for UTF-8, or a binary one */
        WEBSOCKET_PINGED,
        WEBSOCKET_PONGED,
        WEBSOCKET_CLOSED, /* the client says goodbye, with .code */
        WEBSOCKET_BROKEN, /* the client breaks the rules: to be closed with .code */
    } kind;
    bool is_text;
    int code;
    struct slice payload; /* until the next call */
};

/* Messages larger than `maximum` are refused as soon as that is known. */
void websocket_reader_init(struct websocket_reader *reader, size_t maximum);
void websocket_reader_free(struct websocket_reader *reader);
/* Takes bytes off the front of *bytes up to the next event. After WEBSOCKET_BROKEN and
 * WEBSOCKET_CLOSED it is not to be called again. */
struct websocket_event websocket_read(struct websocket_reader *reader, struct slice *bytes);

#endif
