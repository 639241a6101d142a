/* Answers that are tagged and packed, and callers that ask too often, as they are on the wire. */
#include "tests/unit/engine/base/httpd_fixture.h"

#include <zlib.h>

static void tell(void *context, const struct http_request *request, struct http_response *response)
{
    (void)context;
    char size[16];
    (void)http_query(request, "size", size, sizeof size);
    for (int i = 0; i < atoi(size); i++)
        buffer_append_char(response->body, (char)('a' + i % 7));
}

static void refuse(void *context, const struct http_request *request,
                   struct http_response *response)
{
    (void)context;
    (void)request;
    http_problem(response, 404, "Not found", "%0*d", 2000, 0);
}

static const struct http_route routes[] = {
    {.method = "GET", .path = "/tell", .handle = tell, .closes = true},
    {.method = "GET", .path = "/none", .handle = refuse, .closes = true},
    {.method = "GET", .path = "/plain", .handle = tell},
    {.method = NULL},
};

static struct httpd *start(int rate)
{
    struct httpd_options options = {.listen = "127.0.0.1:0", .workers = 2, .rate = rate};
    struct httpd *httpd = NULL;
    struct error error = {0};
    if (httpd_start(&options, routes, NULL, NULL, &httpd, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return httpd;
}

static struct answer get(struct httpd *httpd, const char *path, const char *headers)
{
    char request[512];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", path,
             headers);
    return ask(httpd, request);
}

static void header_of(const struct answer *answer, const char *name, char *out, size_t size)
{
    char line[64];
    snprintf(line, sizeof line, "\r\n%s: ", name);
    const char *at = strcasestr(answer->head, line);
    snprintf(out, size, "%.*s", at ? (int)strcspn(at + strlen(line), "\r") : 0,
             at ? at + strlen(line) : "");
}

static void who_has_an_answer_is_not_sent_it_again(void **unused)
{
    (void)unused;
    struct httpd *httpd = start(0);
    char tag[64], other[64], headers[128];
    struct answer first = get(httpd, "/tell?size=50", "");
    assert_int_equal(first.status, 200);
    header_of(&first, "ETag", tag, sizeof tag);
    assert_int_equal(strncmp(tag, "W/\"", 3), 0);
    snprintf(headers, sizeof headers, "If-None-Match: \"x\", %s\r\n", tag);
    struct answer again = get(httpd, "/tell?size=50", headers);
    assert_int_equal(again.status, 304);
    assert_null(strcasestr(again.head, "Content-Length"));
    header_of(&again, "ETag", other, sizeof other);
    assert_string_equal(tag, other);
    struct answer changed = get(httpd, "/tell?size=51", headers);
    assert_int_equal(changed.status, 200);
    assert_int_equal(strlen(changed.body), 51);
    struct answer plain = get(httpd, "/plain?size=50", "");
    assert_null(strcasestr(plain.head, "ETag"));
    httpd_stop(httpd);
}

/* The whole answer's body, inflated. */
static size_t inflated(struct httpd *httpd, const char *request, char *out, size_t size)
{
    struct wire wire;
    wire_open(&wire, httpd, 0);
    wire_send(&wire, request);
    while (wire_more(&wire)) {
    }
    char *body = strstr(wire.data, "\r\n\r\n") + 4;
    z_stream stream = {.next_in = (Bytef *)body,
                       .avail_in = (uInt)(wire.size - (size_t)(body - wire.data)),
                       .next_out = (Bytef *)out,
                       .avail_out = (uInt)size};
    assert_non_null(strcasestr(wire.data, "\r\nContent-Encoding: gzip\r\n"));
    assert_true(stream.avail_in < 1000);
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.avail_in, 0);
    inflateEnd(&stream);
    wire_close(&wire);
    return stream.total_out;
}

static void large_answers_are_packed_for_who_can_unpack_them(void **unused)
{
    (void)unused;
    enum { SIZE = 100000 };
    struct httpd *httpd = start(0);
    char *text = calloc(1, SIZE + 1);
    size_t size = inflated(httpd,
                           "GET /tell?size=100000 HTTP/1.1\r\nHost: localhost\r\n"
                           "Accept-Encoding: br, gzip;q=0.5\r\n\r\n",
                           text, SIZE);
    assert_int_equal(size, SIZE);
    for (int i = 0; i < SIZE; i++)
        assert_int_equal(text[i], 'a' + i % 7);
    free(text);
    static const struct {
        const char *path, *accept;
    } plain[] = {{"/tell?size=2000", ""},
                 {"/tell?size=2000", "Accept-Encoding: gzip;q=0\r\n"},
                 {"/tell?size=200", "Accept-Encoding: gzip\r\n"},
                 {"/plain?size=2000", "Accept-Encoding: gzip\r\n"},
                 {"/none", "Accept-Encoding: gzip\r\n"}};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        struct answer answer = get(httpd, plain[i].path, plain[i].accept);
        assert_null(strcasestr(answer.head, "Content-Encoding"));
    }
    httpd_stop(httpd);
}

static void who_asks_too_often_is_told_when_to_come_back(void **unused)
{
    (void)unused;
    struct httpd *httpd = start(1);
    char text[128];
    struct answer answer = get(httpd, "/tell?size=5", "");
    header_of(&answer, "RateLimit-Policy", text, sizeof text);
    assert_string_equal(text, "\"caller\";q=10;w=10");
    header_of(&answer, "RateLimit", text, sizeof text);
    assert_string_equal(text, "\"caller\";r=9;t=1");
    for (int i = 0; i < 100 && answer.status == 200; i++)
        answer = get(httpd, "/tell?size=5", "");
    assert_int_equal(answer.status, 429);
    header_of(&answer, "Content-Type", text, sizeof text);
    assert_string_equal(text, "application/problem+json");
    header_of(&answer, "Retry-After", text, sizeof text);
    assert_string_equal(text, "1");
    header_of(&answer, "RateLimit-Remaining", text, sizeof text);
    assert_string_equal(text, "0");
    /* What is not asked by screens is not counted. */
    assert_int_equal(get(httpd, "/plain?size=5", "").status, 200);
    httpd_stop(httpd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_an_answer_is_not_sent_it_again),
        cmocka_unit_test(large_answers_are_packed_for_who_can_unpack_them),
        cmocka_unit_test(who_asks_too_often_is_told_when_to_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
