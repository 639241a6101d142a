/* Puts requests together from the bytes of a connection, and refuses those that shall not be served
 * as soon as that is known: before a body is read that nobody wants.
 *
 * The grammar is libhttp-parser's, which wants exactly one statement of a body's length (RFC 9112,
 * 6.3). Runs on the loop's thread. */
#include <limits.h>
#include <string.h>
#include <strings.h>

#include "engine/base/httpd_loop_priv.h"

static struct connection *connection_of(http_parser *parser)
{
    return parser->data;
}

void connection_settle(struct connection *connection, int status, const char *title,
                       const char *detail)
{
    buffer_reset(connection->exchange.response.headers);
    http_problem(&connection->exchange.response, status, title, "%s", detail);
    connection->settled = true;
    connection->close_after = true;
}

/* ---- the head ---- */

/* A refusal from within the parser; it is not asked to go on. */
static int stop_parsing(http_parser *parser)
{
    http_parser_pause(parser, 1);
    return 0;
}

static int refuse(http_parser *parser, int status, const char *title, const char *detail)
{
    connection_settle(connection_of(parser), status, title, detail);
    return stop_parsing(parser);
}

static int append_head(http_parser *parser, const char *at, size_t size)
{
    struct connection *connection = connection_of(parser);
    if (buffer_append(&connection->head, at, size))
        return 0;
    return refuse(parser, 431, "Request head too large", "the target and headers are too long");
}

static int on_target(http_parser *parser, const char *at, size_t size)
{
    return append_head(parser, at, size);
}

static int on_name(http_parser *parser, const char *at, size_t size)
{
    struct connection *connection = connection_of(parser);
    if (connection->head_done)
        return 0; /* a trailer: nothing here asks for one */
    if (connection->part != PART_NAME) {
        if (connection->n_fields == LOOP_MAX_FIELDS)
            return refuse(parser, 431, "Request head too large", "there are too many headers");
        buffer_append_char(&connection->head, '\0');
        connection->fields[connection->n_fields++].name = connection->head.size;
        connection->part = PART_NAME;
    }
    return append_head(parser, at, size);
}

static int on_value(http_parser *parser, const char *at, size_t size)
{
    struct connection *connection = connection_of(parser);
    if (connection->head_done)
        return 0;
    if (connection->part != PART_VALUE) {
        buffer_append_char(&connection->head, '\0');
        connection->fields[connection->n_fields - 1].value = connection->head.size;
        connection->part = PART_VALUE;
    }
    return append_head(parser, at, size);
}

static const char *field_value(const void *pointer, const char *name)
{
    const struct connection *connection = pointer;
    for (int i = 0; i < connection->n_fields; i++) {
        if (strcasecmp(connection->head.data + connection->fields[i].name, name) == 0)
            return connection->head.data + connection->fields[i].value;
    }
    return NULL;
}

/* Path and query of the target, decoded and ended behind what is in `head` already. */
static bool read_target(struct connection *connection)
{
    struct buffer *head = &connection->head;
    struct http_parser_url url;
    size_t size = strlen(head->data);
    http_parser_url_init(&url);
    if (http_parser_parse_url(head->data, size, 0, &url) != 0 || !(url.field_set & (1u << UF_PATH)))
        return false;
    buffer_append_char(head, '\0');
    size_t path = head->size;
    char *place = buffer_reserve(head, 2 * size + 2);
    if (!place)
        return false;
    int length = httpd_decode_path(head->data + url.field_data[UF_PATH].off,
                                   url.field_data[UF_PATH].len, place);
    if (length < 0)
        return false;
    head->size += (size_t)length + 1;
    connection->query = head->size;
    if (url.field_set & (1u << UF_QUERY))
        buffer_append(head, head->data + url.field_data[UF_QUERY].off,
                      url.field_data[UF_QUERY].len);
    buffer_append_char(head, '\0');
    struct http_request *request = &connection->exchange.request;
    request->path = head->data + path;
    request->query = head->data + connection->query;
    return true;
}

/* ---- who is let in ---- */

/* The grammar refuses most of two lengths by itself. */
static const char *find_contradiction(const struct connection *connection)
{
    struct httpd_heads heads = {0};
    for (int i = 0; i < connection->n_fields; i++)
        httpd_count_head(&heads, connection->head.data + connection->fields[i].name);
    return httpd_contradiction(&heads);
}

static bool has_body(const http_parser *parser)
{
    return (parser->flags & F_CHUNKED) ||
           (parser->content_length > 0 && parser->content_length != ULLONG_MAX);
}

/* Finds the route. True: the request may go on; else it is settled, and read no further if it has a
 * body. */
static bool admit(struct connection *connection)
{
    struct httpd *httpd = connection->loop->httpd;
    const http_parser *parser = &connection->parser;
    struct http_request *request = &connection->exchange.request;
    struct http_response *response = &connection->exchange.response;
    struct httpd_allowed allowed;
    connection->settled = true;
    connection->close_after = has_body(parser);
    if (atomic_load(&httpd->draining)) {
        httpd_refuse_draining(response);
        return false;
    }
    connection->route = httpd_find_route(httpd, request->method, request->path, &allowed);
    if (!connection->route) {
        httpd_refuse_method(request, &allowed, response);
        return false;
    }
    connection->close_after = true;
    if (!httpd_is_welcome(httpd, request, connection->route, response))
        return false;
    if (has_body(parser) && !(parser->flags & F_CHUNKED) &&
        parser->content_length > connection->route->max_body) {
        httpd_refuse_large(connection->route, response);
        return false;
    }
    connection->settled = connection->close_after = false;
    return true;
}

static void say_continue(const struct connection *connection)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const char *expect = field_value(connection, "Expect");
    if (expect && strcasecmp(expect, "100-continue") == 0)
        (void)send(connection->fd, line, sizeof line - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static int on_head(http_parser *parser)
{
    struct connection *connection = connection_of(parser);
    buffer_append_char(&connection->head, '\0');
    connection->head_done = true;
    parser->upgrade = 0; /* there is nothing else to speak: the request is answered as it is */
    connection->keeps = http_should_keep_alive(parser);
    if (parser->http_major != 1)
        return refuse(parser, 505, "Version not supported", "this server speaks HTTP/1.1");
    if (connection->head.overflow || !read_target(connection))
        return refuse(parser, 400, "Not understood", "the target is no path");
    const char *contradiction = find_contradiction(connection);
    if (contradiction)
        return refuse(parser, 400, "Not understood", contradiction);
    struct http_request *request = &connection->exchange.request;
    request->method = http_method_str((enum http_method)parser->method);
    if (admit(connection)) {
        if (has_body(parser))
            say_continue(connection);
        return 0;
    }
    return connection->close_after ? stop_parsing(parser) : 0;
}

/* ---- the body ---- */

static int on_body(http_parser *parser, const char *at, size_t size)
{
    struct connection *connection = connection_of(parser);
    struct http_loop *loop = connection->loop;
    if (connection->settled)
        return 0;
    if (connection->body.size + size > connection->route->max_body) {
        connection->settled = connection->close_after = true;
        httpd_refuse_large(connection->route, &connection->exchange.response);
        return stop_parsing(parser);
    }
    if (loop->body_bytes + size > LOOP_MAX_BODIES || !buffer_append(&connection->body, at, size)) {
        refuse(parser, 503, "Overloaded", "too much is being sent at once; send it again later");
        buffer_append_text(connection->exchange.response.headers, "Retry-After: 1\r\n");
        return 0;
    }
    loop->body_bytes += size;
    return 0;
}

static int on_end(http_parser *parser)
{
    struct connection *connection = connection_of(parser);
    connection->exchange.request.body = buffer_slice(&connection->body);
    connection->complete = true;
    return stop_parsing(parser);
}

bool connection_parse(struct connection *connection, size_t size)
{
    static const http_parser_settings settings = {
        .on_url = on_target,
        .on_header_field = on_name,
        .on_header_value = on_value,
        .on_headers_complete = on_head,
        .on_body = on_body,
        .on_message_complete = on_end,
    };
    http_parser *parser = &connection->parser;
    const char *in = connection->loop->in;
    size_t parsed = http_parser_execute(parser, &settings, in, size);
    enum http_errno problem = HTTP_PARSER_ERRNO(parser);
    if (problem == HPE_PAUSED) {
        http_parser_pause(parser, 0);
        if (parsed < size && !connection->close_after)
            buffer_append(&connection->rest, in + parsed, size - parsed);
    } else if (problem != HPE_OK) {
        connection_settle(connection, 400, "Not understood", http_errno_description(problem));
    }
    return connection->complete || connection->settled;
}

static void reuse(struct buffer *buffer)
{
    if (buffer->capacity > LOOP_READ_BYTES)
        buffer_free(buffer);
    buffer_reset(buffer);
}

void connection_forget_request(struct connection *connection)
{
    connection->loop->body_bytes -= connection->body.size;
    reuse(&connection->head);
    reuse(&connection->body);
    reuse(&connection->answer_body);
    reuse(&connection->answer_headers);
    connection->n_fields = 0;
    connection->part = PART_TARGET;
    connection->head_done = connection->complete = connection->settled = false;
    connection->close_after = false;
    connection->route = NULL;
    connection->exchange = (struct http_exchange){
        .request = {.method = "",
                    .path = "",
                    .query = "",
                    .remote = connection->remote,
                    .connection = connection,
                    .header = field_value},
        .response = {.status = 200,
                     .content_type = "application/json",
                     .body = &connection->answer_body,
                     .headers = &connection->answer_headers},
    };
}
