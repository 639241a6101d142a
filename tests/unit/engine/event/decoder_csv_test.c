/* CSV records under their header. */
#include "tests/unit/engine/event/decoder_fixture.h"

static void reads_csv_by_its_header(void **state)
{
    struct event *event = decode_csv(*state, "x,ts,id,amount,ok,count,note\r",
                                     "?,2018-04-01 00:00:31,596,57.16,TRUE,,\"a \"\"b\"\", c\"\r");
    assert_int_equal(event->n_violations, 0);
    assert_true(slice_is(event->values[ID].string, "596"));
    assert_true(event->values[AMOUNT].number == 57.16);
    assert_true(event->values[OK_FLAG].boolean);
    assert_int_equal(event->values[COUNT].type, VALUE_NULL);
    assert_int_equal(event->time_us, INT64_C(1522540831000000));
    assert_true(slice_is(event->values[NOTE].string, "a \"b\", c"));
}

static void names_what_is_wrong_with_each_cell(void **state)
{
    static const struct {
        const char *record;
        enum violation_code code;
        int field;
    } cases[] = {
        {"a,x,1,true,1,n", VIOLATION_TYPE, AMOUNT},
        {"a,,1,true,1,n", VIOLATION_NULL, AMOUNT},
        {",1,1,true,1,n", VIOLATION_NULL, ID},
        {"a,nan,1,true,1,n", VIOLATION_NOT_FINITE, AMOUNT},
        {"a,1e999,1,true,1,n", VIOLATION_NOT_FINITE, AMOUNT},
        {"a,0x10,1,true,1,n", VIOLATION_TYPE, AMOUNT},
        {"a,1,1.5,true,1,n", VIOLATION_TYPE, COUNT},
        {"a,1,9007199254740993,true,1,n", VIOLATION_RANGE, COUNT},
        {"a,1,1,yes,1,n", VIOLATION_TYPE, OK_FLAG},
        {"a,1,1,true,soon,n", VIOLATION_TIMESTAMP, TS},
        {"a,1,1,true,1,\xff", VIOLATION_NOT_UTF8, NOTE},
        {"a,1,1,true,1", VIOLATION_NOT_JSON, -1},
        {"a,1,1,true,1,n,7", VIOLATION_NOT_JSON, -1},
        {"a,1,1,true,1,\"n", VIOLATION_NOT_JSON, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct event *event = decode_csv(*state, "id,amount,count,ok,ts,note", cases[i].record);
        expect_violation(event, cases[i].record, cases[i].code, cases[i].field);
        assert_int_equal(event->n_violations, 1);
    }
}

static void refuses_a_csv_header_without_a_required_column(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    assert_int_equal(decoder_csv_header(fixture->decoder, slice_of("id,amuont,ts"), &error),
                     STATUS_INVALID);
    assert_non_null(strstr(error.message, "\"amount\""));
    assert_non_null(strstr(error.message, "\"amuont\""));
    assert_int_equal(decoder_csv_header(fixture->decoder, slice_of("id,amount,ts,id"), &error),
                     STATUS_INVALID);
    assert_non_null(strstr(error.message, "twice"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_csv_by_its_header),
        TEST(names_what_is_wrong_with_each_cell),
        TEST(refuses_a_csv_header_without_a_required_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
