/* View files: what is understood, every kind of mistake with its place, and what needs no state. */
#include <float.h>
#include <math.h>

#include "tests/unit/engine/feature/fixture.h"

#include "engine/base/clock.h"
#include "engine/contract/contract.h"
#include "engine/feature/rounding_priv.h"

static const struct {
    const char *yaml, *message;
} mistakes[] = {
    {"windos: []\nfeatures: [amount]\n", "v.yaml:1:1: unknown key \"windos\""},
    {"windows: []\n", "features"},
    {"features: []\n", "v.yaml:1:11: expected a list of feature names"},
    {"features: [amont]\n", "v.yaml:1:12: there is no feature \"amont\"; did you mean \"amount\"?"},
    {"features: [user]\n", "field \"user\" is no number"},
    {"features: [label]\n", "not known when an event is scored"},
    {"features: [amount, amount]\n", "v.yaml:1:20: feature \"amount\" is listed twice"},
    {"windows:\n  - {name: n, entity: usr, window: 1d, function: count}\nfeatures: [n]\n",
     "v.yaml:2:23: there is no field \"usr\"; did you mean \"user\"?"},
    {"windows:\n  - {name: n, entity: user, window: 1d, function: cuont}\nfeatures: [n]\n",
     "v.yaml:2:51: there is no function \"cuont\"; did you mean \"count\"?"},
    {"windows:\n  - {name: n, entity: user, windw: 1d, function: count}\nfeatures: [n]\n",
     "v.yaml:2:29: unknown key \"windw\""},
    {"windows:\n  - {name: n, entity: user, window: soon, function: count}\nfeatures: [n]\n",
     "v.yaml:2:37: "},
    {"windows:\n  - {name: n, entity: user, window: 0s, function: count}\nfeatures: [n]\n",
     "v.yaml:2:37: "},
    {"windows:\n  - {name: n, entity: user, window: 1d, function: sum}\nfeatures: [n]\n",
     "v.yaml:2:5: sum needs a \"value\""},
    {"windows:\n  - {name: n, entity: user, window: 1d, function: count, value: amount}\n"
     "features: [n]\n",
     "count takes no value"},
    {"windows:\n  - {name: n, entity: user, window: 1d, function: sum, value: amuont}\n"
     "features: [n]\n",
     "unknown name \"amuont\"; did you mean \"amount\"?"},
    {"windows:\n  - {name: n, entity: user, window: 1d, function: sum, value: user}\n"
     "features: [n]\n",
     "gives a string; expected a number or a bool"},
    {"windows:\n  - {name: n, entity: user, window: 1d, function: sum, value: label}\n"
     "features: [n]\n",
     "unknown name \"label\""},
    {"windows:\n  - {name: n, entity: user, window: 1d, function: rate}\nfeatures: [n]\n",
     "rate needs a \"delay\""},
    {"windows:\n  - {name: n, entity: user, window: 1d, delay: 1h, function: since_last}\n"
     "features: [n]\n",
     "since_last takes no delay"},
    {"windows:\n  - {name: n, entity: user, window: 1d, function: count, ddof: 0}\n"
     "features: [n]\n",
     "count takes no ddof"},
    {"windows:\n  - {name: amount, entity: user, window: 1d, function: count}\n"
     "features: [amount]\n",
     "\"amount\" is already a field"},
    {"windows:\n  - {name: 'a b', entity: user, window: 1d, function: count}\n"
     "features: [amount]\n",
     "v.yaml:2:12: a feature's name is"},
    {"windows:\n  - {name: n, entity: at, window: 1d, function: count}\nfeatures: [n]\n",
     "\"at\" tells no entities apart"},
    {"windows: 3\nfeatures: [amount]\n", "v.yaml:1:10: expected a list"},
    {"calendar:\n  - {name: h, function: huor}\nfeatures: [h]\n",
     "there is no calendar function \"huor\"; did you mean \"hour\"?"},
    {"calendar:\n  - {name: h, function: hour, field: amount}\nfeatures: [h]\n",
     "field \"amount\" is no timestamp"},
    {"calendar:\n  - {name: h, function: hour}\n  - {name: h, function: night}\n"
     "features: [h]\n",
     "v.yaml:3:12: there are two features \"h\""},
    {"one_hot:\n  - {field: user, values: []}\nfeatures: [amount]\n", "expected a list of values"},
    {"one_hot:\n  - {field: amount, values: [x]}\nfeatures: [amount]\n", "v.yaml:2:30: "},
    {"transforms:\n  - {name: t, expression: 'amount +'}\nfeatures: [t]\n", "v.yaml:2:27: "},
    {"scale:\n  - {feature: amonut, method: robust}\nfeatures: [amount]\n",
     "did you mean \"amount\"?"},
    {"scale:\n  - {feature: amount, method: robst}\nfeatures: [amount]\n",
     "did you mean \"robust\"?"},
};

static void says_where_and_what_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct feature_views *views;
        struct error error = {0};
        assert_int_equal(feature_views_load_text("v.yaml", slice_of(mistakes[i].yaml),
                                                 &fixture_schema, &views, &error),
                         STATUS_INVALID);
        if (!strstr(error.message, mistakes[i].message) || strncmp(error.message, "v.yaml", 6) != 0)
            fail_msg("wanted: %s\ngot:    %s", mistakes[i].message, error.message);
    }
}

static void both_examples_fit_their_contracts(void **state)
{
    (void)state;
    static const struct {
        const char *folder, *first, *last;
        size_t n;
    } cases[] = {
        {"card-fraud", "TX_AMOUNT", "TERMINAL_ID_RISK_30DAY_WINDOW", 15},
        {"transactions", "transaction_amount", "country_BR", 27},
    };
    for (size_t i = 0; i < 2; i++) {
        char path[200];
        struct contract *contract;
        struct feature_views *views;
        struct error error;
        snprintf(path, sizeof path, "packaging/examples/%s/contract.yaml", cases[i].folder);
        assert_int_equal(contract_load(path, &contract, &error), STATUS_OK);
        snprintf(path, sizeof path, "packaging/examples/%s/features.yaml", cases[i].folder);
        if (feature_views_load(path, contract_schema(contract), &views, &error) != STATUS_OK)
            fail_msg("%s", error.message);
        const struct feature_schema *schema = feature_views_schema(views);
        assert_int_equal(schema->n_features, cases[i].n);
        assert_string_equal(schema->names[0], cases[i].first);
        assert_string_equal(schema->names[schema->n_features - 1], cases[i].last);
        feature_views_destroy(views);
        contract_destroy(contract);
    }
}

static void calendar_one_hot_and_transforms(void **state)
{
    (void)state;
    static const struct {
        const char *time;
        const char *shop;
        double amount;
        float wanted[8];
    } cases[] = {
        /* hour, weekday, weekend, night, shop_a, shop_b, big, per */
        {"2018-04-01T00:00:31Z", "a", 2, {0, 6, 1, 1, 1, 0, 0, 2}},
        {"2018-04-02T06:59:59Z", "b", 200, {6, 0, 0, 1, 0, 1, 1, 200}},
        {"2018-04-06T07:00:00Z", "c", 4, {7, 4, 0, 0, 0, 0, 0, 4}},
        {"1969-12-31T23:59:59Z", NULL, (double)NAN, {23, 2, 0, 0, NAN, NAN, NAN, NAN}},
    };
    struct feature_views *views =
        fixture_views("windows:\n"
                      "  - {name: n, entity: user, window: 1h, function: count}\n"
                      "calendar:\n"
                      "  - {name: hour, function: hour}\n"
                      "  - {name: weekday, function: weekday, field: at}\n"
                      "  - {name: weekend, function: weekend}\n"
                      "  - {name: night, function: night}\n"
                      "one_hot:\n  - {field: shop, values: [a, b]}\n"
                      "transforms:\n"
                      "  - {name: big, expression: amount > 100}\n"
                      "  - {name: per, expression: amount / n}\n"
                      "features: [hour, weekday, weekend, night, shop_a, shop_b, big, per]\n");
    struct feature_scratch *scratch;
    struct feature_store *store = fixture_store(views, NULL, &scratch);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture_event event;
        float out[8];
        int64_t time_us;
        assert_true(time_parse(slice_of(cases[i].time), &time_us));
        fixture_fill(&event, (int64_t)i, time_us, (int64_t)i, 1, cases[i].amount, -1);
        event.values[F_SHOP] = cases[i].shop ? value_string(slice_of(cases[i].shop)) : value_null();
        assert_int_equal(feature_compute(store, scratch, &event.event, NULL, out), STATUS_OK);
        for (int f = 0; f < 8; f++) {
            float wanted = cases[i].wanted[f];
            if (isnan(wanted) ? !isnan(out[f]) : out[f] != wanted)
                fail_msg("%s %s: %g", cases[i].time, feature_views_schema(views)->names[f],
                         (double)out[f]);
        }
    }
    feature_scratch_destroy(scratch);
    feature_store_destroy(store);
    feature_views_destroy(views);
}

/* The contract numbers the words of an enumeration; up to 64 of them are known by that. */
static void numbered_words_give_what_their_texts_give(void **state)
{
    (void)state;
    struct feature_views *views = fixture_views(
        "windows:\n"
        "  - {name: shops, entity: user, window: 1h, function: distinct, value: shop}\n"
        "one_hot:\n  - {field: shop, values: ['0', '7', '70', longer-than-eight]}\n"
        "features: [shops, shop_0, shop_7, shop_70, shop_longer-than-eight]\n");
    struct feature_scratch *scratch[2];
    struct feature_store *stores[2];
    for (int i = 0; i < 2; i++)
        stores[i] = fixture_store(views, NULL, &scratch[i]);
    for (int i = 0; i < 500; i++) {
        float out[2][5];
        for (int numbered = 0; numbered < 2; numbered++) {
            struct fixture_event event;
            fixture_fill(&event, i, US_PER_MIN * i, i % 3, i * 7 % 80, 1, -1);
            if (i % 9 == 0)
                event.values[F_SHOP] = value_string(slice_of("longer-than-eight"));
            if (numbered)
                event.values[F_SHOP].word = i % 9 ? (uint32_t)(i * 7 % 80) + 2 : 1;
            assert_int_equal(feature_compute(stores[numbered], scratch[numbered], &event.event,
                                             NULL, out[numbered]),
                             STATUS_OK);
        }
        assert_memory_equal(out[0], out[1], sizeof out[0]);
        assert_true(out[0][4] == (float)(i % 9 == 0));
    }
    for (int i = 0; i < 2; i++) {
        feature_scratch_destroy(scratch[i]);
        feature_store_destroy(stores[i]);
    }
    feature_views_destroy(views);
}

/* Of rows of any length: what is rounded at a time and what is left over. */
static void rounds_rows_as_number_by_number(void **state)
{
    (void)state;
    static const double odd[] = {NAN,    INFINITY, -INFINITY, 0.1,      -0.1, 1e300, -1e300,
                                 1e-320, 0x1p128,  3.5e38,    16777217, -0.0, 1e-46};
    double numbers[40];
    float out[41];
    for (size_t n = 0; n <= 40; n++) {
        for (size_t i = 0; i < n; i++)
            numbers[i] = odd[(i * 5 + n) % (sizeof odd / sizeof *odd)];
        out[n] = 77;
        round_floats(numbers, out, n);
        for (size_t i = 0; i < n; i++) {
            float wanted = (float)numbers[i];
            wanted = wanted > FLT_MAX ? FLT_MAX : wanted < -FLT_MAX ? -FLT_MAX : wanted;
            assert_true(isnan(wanted) ? isnan(out[i])
                                      : memcmp(&wanted, &out[i], sizeof wanted) == 0);
        }
        assert_true(out[n] == 77);
    }
}

static void knows_how_far_back_a_feature_looks(void **state)
{
    (void)state;
    static const struct {
        int64_t reach_us;
        bool calendar;
    } wanted[] = {
        {0, false},              /* amount */
        {7 * US_PER_DAY, false}, /* week */
        {8 * US_PER_DAY, false}, /* late: its delay too */
        {0, true},               /* h */
        {0, false},              /* big: of the event alone */
        {8 * US_PER_DAY, false}, /* both */
        {8 * US_PER_DAY, true},  /* more: through another transform */
    };
    struct feature_views *views =
        fixture_views("windows:\n"
                      "  - {name: week, entity: user, window: 7d, function: count}\n"
                      "  - {name: late, entity: user, window: 7d, delay: 1d, function: count}\n"
                      "calendar:\n  - {name: h, function: hour}\n"
                      "transforms:\n"
                      "  - {name: big, expression: 'amount > 10'}\n"
                      "  - {name: both, expression: 'week + late'}\n"
                      "  - {name: more, expression: 'both * h'}\n"
                      "features: [amount, week, late, h, big, both, more]\n");
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        assert_int_equal(feature_views_reach_us(views, i), wanted[i].reach_us);
        assert_int_equal(feature_views_is_calendar(views, i), wanted[i].calendar);
    }
    feature_views_destroy(views);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_where_and_what_is_wrong),
        cmocka_unit_test(both_examples_fit_their_contracts),
        cmocka_unit_test(calendar_one_hot_and_transforms),
        cmocka_unit_test(numbered_words_give_what_their_texts_give),
        cmocka_unit_test(rounds_rows_as_number_by_number),
        cmocka_unit_test(knows_how_far_back_a_feature_looks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
