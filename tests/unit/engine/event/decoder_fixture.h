/* What tests of the decoder share: a schema with a field of every type, and an event decoded by it.
 */
#ifndef BINNACLE_TESTS_DECODER_FIXTURE_H
#define BINNACLE_TESTS_DECODER_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/event/decoder.h"
#include "tests/unit/random.h"

enum { ID, AMOUNT, COUNT, OK_FLAG, TS, NOTE, FIELDS };

static const struct field fields[FIELDS] = {
    [ID] = {"id", FIELD_STRING, true, false, false},
    [AMOUNT] = {"amount", FIELD_FLOAT, true, false, false},
    [COUNT] = {"count", FIELD_INT, false, true, false},
    [OK_FLAG] = {"ok", FIELD_BOOL, false, false, false},
    [TS] = {"ts", FIELD_TIMESTAMP, true, false, false},
    [NOTE] = {"note", FIELD_STRING, false, true, true},
};
static const struct schema schema = {"t", "1", fields, FIELDS, ID, TS, COUNT, NOTE};

struct fixture {
    struct decoder *decoder, *strict;
    struct arena *arena;
    struct buffer out;
    struct event event;
};

static inline int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){0};
    assert_int_equal(decoder_create(&schema, true, &fixture.decoder, NULL), STATUS_OK);
    assert_int_equal(decoder_create(&schema, false, &fixture.strict, NULL), STATUS_OK);
    fixture.arena = arena_create(1 << 20);
    assert_non_null(fixture.arena);
    buffer_init(&fixture.out, 1 << 20);
    *state = &fixture;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *fixture = *state;
    decoder_destroy(fixture->decoder);
    decoder_destroy(fixture->strict);
    arena_destroy(fixture->arena);
    buffer_free(&fixture->out);
    return 0;
}

static inline struct event *decode(struct fixture *fixture, struct slice raw)
{
    arena_reset(fixture->arena);
    fixture->event = (struct event){0};
    decoder_json(fixture->decoder, raw, fixture->arena, &fixture->event);
    return &fixture->event;
}

static inline struct event *decode_text(struct fixture *fixture, const char *raw)
{
    return decode(fixture, slice_of(raw));
}

static inline void expect_violation(const struct event *event, const char *what,
                                    enum violation_code code, int field)
{
    for (int i = 0; i < event->n_violations; i++)
        if (event->violations[i].code == code && event->violations[i].field == field)
            return;
    fail_msg("%s: expected %s of field %d, got %d violations, first %s", what, violation_name(code),
             field, event->n_violations,
             event->n_violations ? violation_name(event->violations[0].code) : "none");
}

#define TS_TEXT "\"ts\":\"2026-01-02T03:04:05Z\""

static inline struct event *decode_csv(struct fixture *fixture, const char *header,
                                       const char *record)
{
    struct error error = {0};
    if (decoder_csv_header(fixture->decoder, slice_of(header), &error) != STATUS_OK)
        fail_msg("%s", error.message);
    arena_reset(fixture->arena);
    fixture->event = (struct event){0};
    decoder_csv(fixture->decoder, slice_of(record), fixture->arena, &fixture->event);
    return &fixture->event;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
