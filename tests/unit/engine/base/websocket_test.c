/* RFC 6455 as bytes. Frames are written by the test's own few lines. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "engine/base/websocket.h"

#define MAXIMUM ((size_t)70000)

struct wire {
    char bytes[1 << 18];
    size_t size;
};

/* A frame as a client sends it: `first` is the byte with FIN and opcode. */
static void put_frame(struct wire *wire, int first, const void *payload, size_t size)
{
    static const unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d}; /* of section 5.7 */
    unsigned char *out = (unsigned char *)wire->bytes + wire->size;
    *out++ = (unsigned char)first;
    if (size < 126) {
        *out++ = (unsigned char)(0x80 | size);
    } else if (size < 65536) {
        *out++ = 0x80 | 126;
        *out++ = (unsigned char)(size >> 8);
        *out++ = (unsigned char)size;
    } else {
        *out++ = 0x80 | 127;
        for (int i = 7; i >= 0; i--)
            *out++ = (unsigned char)((uint64_t)size >> (8 * i));
    }
    memcpy(out, mask, 4);
    out += 4;
    for (size_t i = 0; i < size; i++)
        *out++ = ((const unsigned char *)payload)[i] ^ mask[i & 3];
    wire->size = (size_t)((char *)out - wire->bytes);
}

/* The first event of these bytes, given `step` at a time; its payload as text. */
static struct websocket_event read_all(struct wire *wire, size_t step, char **payload)
{
    struct websocket_reader reader;
    websocket_reader_init(&reader, MAXIMUM);
    struct websocket_event event = {.kind = WEBSOCKET_MORE};
    for (size_t at = 0; at < wire->size && event.kind == WEBSOCKET_MORE; at += step) {
        size_t size = wire->size - at < step ? wire->size - at : step;
        struct slice bytes = slice_make(wire->bytes + at, size);
        event = websocket_read(&reader, &bytes);
    }
    if (payload) {
        *payload = calloc(1, event.payload.size + 1);
        if (event.payload.size)
            memcpy(*payload, event.payload.data, event.payload.size);
    }
    websocket_reader_free(&reader);
    return event;
}

static void expect_broken(struct wire *wire, int code)
{
    for (size_t step = 1; step <= wire->size; step += wire->size) {
        struct websocket_event event = read_all(wire, step, NULL);
        assert_int_equal(event.kind, WEBSOCKET_BROKEN);
        assert_int_equal(event.code, code);
        event = read_all(wire, wire->size, NULL);
        assert_int_equal(event.code, code);
    }
}

static void expect_broken_frame(int first, const void *payload, size_t size, int code)
{
    struct wire *wire = calloc(1, sizeof *wire);
    put_frame(wire, first, payload, size);
    expect_broken(wire, code);
    free(wire);
}

static void expect_broken_bytes(const char *bytes, size_t size, int code)
{
    struct wire *wire = calloc(1, sizeof *wire);
    memcpy(wire->bytes, bytes, size);
    wire->size = size;
    expect_broken(wire, code);
    free(wire);
}

static void answers_the_key_of_the_standard(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 100);
    assert_int_equal(websocket_accept("dGhlIHNhbXBsZSBub25jZQ==", &out), STATUS_OK);
    assert_string_equal(out.data, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="); /* section 1.3 */
    static const char *const bad[] = {NULL,
                                      "",
                                      "dGhl",
                                      "not base64 at all!!!",
                                      "dGhlIHNhbXBsZSBub24=",
                                      "dGhlIHNhbXBsZSBub25jZQ==dGhlIHNhbXBsZSBub25jZQ=="};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(websocket_accept(bad[i], &out), STATUS_INVALID);
    buffer_free(&out);
}

static void writes_each_length_in_its_shortest_form(void **state)
{
    (void)state;
    static const struct {
        size_t size, head;
        const char *bytes;
    } cases[] = {
        {0, 2, "\x81\x00"},
        {125, 2, "\x81\x7d"},
        {126, 4, "\x81\x7e\x00\x7e"},
        {65535, 4, "\x81\x7e\xff\xff"},
        {65536, 10, "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned char head[WEBSOCKET_MAX_HEAD];
        assert_int_equal(websocket_head(WEBSOCKET_TEXT, cases[i].size, head), cases[i].head);
        assert_memory_equal(head, cases[i].bytes, cases[i].head);
    }
}

static void puts_messages_together_however_the_bytes_come(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 125, 126, 65535, 65536};
    char *text = malloc(65537);
    memset(text, 'x', 65537);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct wire *wire = calloc(1, sizeof *wire);
        put_frame(wire, 0x81, text, sizes[i]);
        for (size_t step = 1; step < 1000; step += 331) {
            char *payload;
            struct websocket_event event = read_all(wire, step, &payload);
            assert_int_equal(event.kind, WEBSOCKET_MESSAGE);
            assert_true(event.is_text);
            assert_int_equal(strlen(payload), sizes[i]);
            assert_memory_equal(payload, text, sizes[i]);
            free(payload);
        }
        free(wire);
    }
    free(text);
}

static void joins_fragments_with_a_ping_between_them(void **state)
{
    (void)state;
    struct wire *wire = calloc(1, sizeof *wire);
    put_frame(wire, 0x01, "a\xc3", 2); /* the character is split, too */
    put_frame(wire, 0x89, "p", 1);
    put_frame(wire, 0x00, "", 0);
    put_frame(wire, 0x80, "\xa4z", 2);
    put_frame(wire, 0x82, "\xff", 1);
    struct websocket_reader reader;
    websocket_reader_init(&reader, MAXIMUM);
    struct slice bytes = slice_make(wire->bytes, wire->size);
    struct websocket_event event = websocket_read(&reader, &bytes);
    assert_int_equal(event.kind, WEBSOCKET_PINGED);
    assert_true(slice_is(event.payload, "p"));
    event = websocket_read(&reader, &bytes);
    assert_int_equal(event.kind, WEBSOCKET_MESSAGE);
    assert_true(slice_is(event.payload, "a\xc3\xa4z"));
    event = websocket_read(&reader, &bytes);
    assert_int_equal(event.kind, WEBSOCKET_MESSAGE);
    assert_false(event.is_text);
    assert_int_equal(websocket_read(&reader, &bytes).kind, WEBSOCKET_MORE);
    websocket_reader_free(&reader);
    free(wire);
}

static void refuses_text_that_is_not_utf_8(void **state)
{
    (void)state;
    expect_broken_frame(0x81, "\xff", 1, 1007);
    expect_broken_frame(0x81, "\xc3", 1, 1007);         /* cut */
    expect_broken_frame(0x81, "\xed\xa0\x80", 3, 1007); /* a surrogate */
}

static void refuses_frames_that_break_the_rules(void **state)
{
    (void)state;
    char long_ping[126] = {0};
    for (int opcode = 3; opcode <= 15; opcode++) {
        if (opcode < 8 || opcode > 10)
            expect_broken_frame(0x80 | opcode, "x", 1, 1002);
    }
    expect_broken_frame(0x89, long_ping, sizeof long_ping, 1002);
    expect_broken_frame(0x09, "x", 1, 1002); /* a ping in fragments */
    expect_broken_frame(0x80, "x", 1, 1002); /* continues nothing */
    expect_broken_frame(0xc1, "x", 1, 1002); /* reserved bits */
    expect_broken_frame(0xa1, "x", 1, 1002);
    expect_broken_frame(0x91, "x", 1, 1002);
    expect_broken_bytes("\x81\x01x", 3, 1002);                             /* no mask */
    expect_broken_bytes("\x81\xfe\x00\x05\0\0\0\0", 8, 1002);              /* 5 in two bytes */
    expect_broken_bytes("\x81\xff\0\0\0\0\0\0\xff\xff\0\0\0\0", 14, 1002); /* 65535 in eight */
    struct wire *wire = calloc(1, sizeof *wire);
    put_frame(wire, 0x01, "a", 1);
    put_frame(wire, 0x81, "b", 1); /* a new message within another */
    expect_broken(wire, 1002);
    free(wire);
}

static void refuses_what_is_too_large_when_it_is_announced(void **state)
{
    (void)state;
    expect_broken_bytes("\x81\xff\0\0\0\0\x40\0\0\0\0\0\0\0", 14, 1009);
    expect_broken_bytes("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 14, 1009);
    expect_broken_bytes("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 14, 1002);
    /* Two fragments that are too large together. */
    struct wire *wire = calloc(1, sizeof *wire);
    char *half = calloc(1, 40000);
    put_frame(wire, 0x02, half, 40000);
    put_frame(wire, 0x80, half, 40000);
    expect_broken(wire, 1009);
    free(half);
    free(wire);
}

static void reads_how_a_client_says_goodbye(void **state)
{
    (void)state;
    static const int good[] = {1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4999};
    static const int bad[] = {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535};
    struct wire *wire = calloc(1, sizeof *wire);
    put_frame(wire, 0x88, "", 0);
    struct websocket_event event = read_all(wire, 1, NULL);
    assert_int_equal(event.kind, WEBSOCKET_CLOSED);
    assert_int_equal(event.code, WEBSOCKET_NO_CODE);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char payload[] = {(char)(good[i] >> 8), (char)good[i], 'b', 'y', 'e'};
        wire->size = 0;
        put_frame(wire, 0x88, payload, sizeof payload);
        event = read_all(wire, wire->size, NULL);
        assert_int_equal(event.kind, WEBSOCKET_CLOSED);
        assert_int_equal(event.code, good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char payload[] = {(char)(bad[i] >> 8), (char)bad[i]};
        expect_broken_frame(0x88, payload, sizeof payload, 1002);
    }
    expect_broken_frame(0x88, "\x03", 1, 1002);
    expect_broken_frame(0x88, "\x03\xe8\xff", 3, 1007);
    free(wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_the_key_of_the_standard),
        cmocka_unit_test(writes_each_length_in_its_shortest_form),
        cmocka_unit_test(puts_messages_together_however_the_bytes_come),
        cmocka_unit_test(joins_fragments_with_a_ping_between_them),
        cmocka_unit_test(refuses_text_that_is_not_utf_8),
        cmocka_unit_test(refuses_frames_that_break_the_rules),
        cmocka_unit_test(refuses_what_is_too_large_when_it_is_announced),
        cmocka_unit_test(reads_how_a_client_says_goodbye),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
