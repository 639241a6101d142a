/* Requests out of any bytes: however a network cuts them into pieces, the same requests come out,
 * or the same refusals. The first byte chooses the pieces that are compared with the whole. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/httpd_loop_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_REQUESTS = 8, MAX_BODY = 300 };

static void nothing(void *context, const struct http_request *request,
                    struct http_response *response)
{
    (void)context;
    (void)request;
    (void)response;
}

static const struct http_route routes[] = {
    {.method = "GET", .path = "/", .handle = nothing},
    {.method = "GET", .path = "/a", .handle = nothing},
    {.method = "POST", .path = "/a", .handle = nothing, .max_body = MAX_BODY},
    {.method = NULL},
};

struct world {
    struct httpd httpd;
    struct http_loop loop;
    struct connection connection;
};

static struct world *world_create(void)
{
    struct world *world = calloc(1, sizeof *world);
    struct connection *connection = &world->connection;
    world->httpd.magic = HTTPD_MAGIC;
    world->httpd.routes = routes;
    world->httpd.max_body = MAX_BODY;
    snprintf(world->httpd.listen_host, sizeof world->httpd.listen_host, "10.0.0.1");
    world->loop.httpd = &world->httpd;
    world->loop.in = malloc(LOOP_READ_BYTES);
    connection->loop = &world->loop;
    connection->fd = -1;
    buffer_init(&connection->head, 4 * HTTPD_MAX_HEADERS);
    buffer_init(&connection->body, MAX_BODY + 1);
    buffer_init(&connection->rest, LOOP_READ_BYTES + 1);
    buffer_init(&connection->answer_body, HTTPD_MAX_RESPONSE);
    buffer_init(&connection->answer_headers, HTTPD_MAX_HEADERS);
    buffer_init(&connection->unsent, HTTPD_MAX_RESPONSE);
    http_parser_init(&connection->parser, HTTP_REQUEST);
    connection->parser.data = connection;
    connection_forget_request(connection);
    return world;
}

static void world_destroy(struct world *world)
{
    struct connection *connection = &world->connection;
    struct buffer *buffers[] = {&connection->head,           &connection->body,
                                &connection->rest,           &connection->answer_body,
                                &connection->answer_headers, &connection->unsent};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        buffer_free(buffers[i]);
    free(world->loop.in);
    free(world);
}

static void describe(const struct connection *connection, struct buffer *out)
{
    const struct http_request *request = &connection->exchange.request;
    if (connection->settled) {
        buffer_printf(out, "refused %d\n", connection->exchange.response.status);
        return;
    }
    if (!connection->complete || !connection->route || request->body.size > MAX_BODY)
        abort();
    buffer_printf(out, "%s %s?%s %zu:", request->method, request->path, request->query,
                  request->body.size);
    buffer_append(out, request->body.data, request->body.size);
    for (int i = 0; i < connection->n_fields; i++)
        buffer_printf(out, "\n%s: %s", connection->head.data + connection->fields[i].name,
                      connection->head.data + connection->fields[i].value);
    buffer_append_char(out, '\n');
}

/* Everything that comes of the bytes, in pieces of `step`. */
static void read_all(const uint8_t *data, size_t size, size_t step, struct buffer *out)
{
    struct world *world = world_create();
    struct connection *connection = &world->connection;
    int n_requests = 0;
    bool open = true;
    for (size_t at = 0, n; open && at < size; at += n) {
        n = size - at < step ? size - at : step;
        memcpy(world->loop.in, data + at, n);
        bool ready = connection_parse(connection, n);
        while (ready && open) {
            describe(connection, out);
            open = connection->keeps && !connection->close_after && ++n_requests < MAX_REQUESTS;
            size_t left = connection->rest.size;
            memcpy(world->loop.in, connection->rest.data ? connection->rest.data : "", left);
            buffer_reset(&connection->rest);
            connection_forget_request(connection);
            ready = left > 0 && open && connection_parse(connection, left);
        }
    }
    if (world->loop.body_bytes != connection->body.size)
        abort();
    world_destroy(world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > LOOP_READ_BYTES)
        return 0;
    struct buffer whole, pieces;
    buffer_init(&whole, 1u << 20);
    buffer_init(&pieces, 1u << 20);
    read_all(data + 1, size - 1, size, &whole);
    read_all(data + 1, size - 1, 1 + data[0] % 31, &pieces);
    if (!slice_equal(buffer_slice(&whole), buffer_slice(&pieces))) {
        (void)fprintf(stderr, "whole:\n%.*s\npieces of %d:\n%.*s\n", (int)whole.size, whole.data,
                      1 + data[0] % 31, (int)pieces.size, pieces.data);
        abort();
    }
    buffer_free(&whole);
    buffer_free(&pieces);
    return 0;
}
