/* What tests of WebSockets share: a server that greets, broadcasts and answers, and frames off the
 * wire. */
#ifndef BINNACLE_TESTS_HTTPD_SOCKET_FIXTURE_H
#define BINNACLE_TESTS_HTTPD_SOCKET_FIXTURE_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>

#include "engine/base/clock.h"
#include "tests/unit/engine/base/httpd_fixture.h"

static inline void hello(void *context, const struct http_request *request,
                         struct http_response *response)
{
    (void)context;
    (void)request;
    buffer_append_text(response->body, "\"hello\"");
}

static inline void first_message(void *context, struct http_socket *socket)
{
    (void)context;
    http_socket_send(socket, 1, slice_of("first"));
}

static inline void answer_text(void *context, struct http_socket *socket, struct slice text)
{
    (void)context;
    http_socket_send(socket, 0, text);
}

static const struct http_route routes[] = {
    {.method = "GET", .path = "/hello", .handle = hello},
    {.method = NULL},
};

static const struct http_socket_route socket_routes[] = {
    {.path = "/live", .on_open = first_message, .on_text = answer_text},
    {.path = NULL},
};

#define HANDSHAKE                                                                                  \
    "GET /live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"       \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

/* The payload of the next frame that is no ping; false when the connection ended. */
static inline bool wire_frame(struct wire *wire, char *out, size_t size, int *opcode)
{
    for (;;) {
        const unsigned char *data = (const unsigned char *)wire->data;
        size_t header = 2, length = wire->size >= 2 ? data[1] & 127u : 0;
        if (length == 126)
            header = 4;
        else if (length == 127)
            header = 10;
        if (wire->size >= header) {
            if (header == 4)
                length = (size_t)data[2] << 8 | data[3];
            if (header == 10)
                length =
                    (size_t)data[6] << 24 | (size_t)data[7] << 16 | (size_t)data[8] << 8 | data[9];
            if (wire->size >= header + length) {
                *opcode = data[0] & 15;
                snprintf(out, size, "%.*s", (int)length, wire->data + header);
                wire_drop(wire, header + length);
                if (*opcode != 9) /* a ping only says that this peer was slow */
                    return true;
                continue;
            }
        }
        if (!wire_more(wire))
            return false;
    }
}

#endif
