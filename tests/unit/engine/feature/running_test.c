/* Running states against the window added up afresh by expansions: values that are on the grid of
 * fixed-point sums, off it, missing, and far apart, with windows that run empty in between. */
#include <math.h>

#include "tests/unit/engine/feature/fixture.h"

#include "engine/base/clock.h"
#include "engine/feature/exact.h"
#include "tests/unit/random.h"

#define EVENTS 3000

static const char views_yaml[] =
    "windows:\n"
    "  - {name: sum, entity: user, window: 1h, function: sum, value: amount}\n"
    "  - {name: mean, entity: user, window: 1d, function: mean, value: amount}\n"
    "  - {name: std, entity: user, window: 1d, function: std, value: amount}\n"
    "  - {name: ratio, entity: user, window: 1h, function: ratio_to_mean, value: amount}\n"
    "features: [sum, mean, std, ratio]\n";

enum { SUM, MEAN, STD, RATIO, N_FEATURES };

struct row {
    int64_t time_us;
    double amount; /* NaN: missing */
};

static struct row rows[EVENTS];
/* Each kind of value comes for a while; `kind` 6 mixes them. */
static double random_amount(uint64_t kind)
{
    double number = (double)random_below(1000000) - 300000;
    switch (kind) {
    case 0:
        return number / 100;
    case 1:
        return number * 1e-20 / 7;
    case 2:
        return number * 1e20 / 7;
    case 3:
        return number * 123456 / 7;
    case 4:
        return 0;
    case 5:
        return NAN;
    default:
        return random_amount(random_below(6));
    }
}

static void make_rows(void)
{
    int64_t time_us = 0;
    for (int i = 0; i < EVENTS; i++) {
        bool pause = random_below(40) == 0;
        time_us += (int64_t)random_below(20) * US_PER_MIN + (pause ? 2 * US_PER_DAY : 0);
        rows[i] = (struct row){time_us, random_amount((uint64_t)i / 100 % 7)};
    }
}

struct sums {
    double n, parts[EXACT_MAX_PARTS], squares[EXACT_MAX_PARTS];
    int n_parts, n_squares;
};

static void look(int i, int64_t window_us, struct sums *sums)
{
    sums->n = 0;
    sums->n_parts = sums->n_squares = 0;
    for (int j = i; j >= 0 && rows[j].time_us > rows[i].time_us - window_us; j--) {
        double amount = rows[j].amount;
        if (isnan(amount))
            continue;
        sums->n++;
        sums->n_parts = exact_add(sums->parts, sums->n_parts, EXACT_MAX_PARTS, amount);
        sums->n_squares =
            exact_add_square(sums->squares, sums->n_squares, EXACT_MAX_PARTS, amount, 1);
    }
}

static void expect(int i, double out[N_FEATURES])
{
    struct sums hour, day;
    look(i, US_PER_HOUR, &hour);
    look(i, US_PER_DAY, &day);
    double mean = exact_round(hour.parts, hour.n_parts) / hour.n;
    double spread = exact_spread(day.parts, day.n_parts, day.squares, day.n_squares, day.n);
    out[SUM] = hour.n > 0 ? exact_round(hour.parts, hour.n_parts) : NAN;
    out[MEAN] = day.n > 0 ? exact_round(day.parts, day.n_parts) / day.n : NAN;
    out[STD] = day.n > 1 ? sqrt(spread / (day.n * (day.n - 1))) : NAN;
    out[RATIO] = hour.n > 0 && mean != 0 ? rows[i].amount / mean : NAN;
}

static void sums_are_those_of_the_window_whatever_came_before(void **state)
{
    (void)state;
    struct feature_views *views = fixture_views(views_yaml);
    struct feature_scratch *scratch;
    struct feature_store *store = fixture_store(views, NULL, &scratch);
    struct fixture_event event;
    make_rows();
    for (int i = 0; i < EVENTS; i++) {
        float got[N_FEATURES];
        double wanted[N_FEATURES];
        fixture_fill(&event, i, rows[i].time_us, 1, 1, rows[i].amount, -1);
        assert_int_equal(feature_compute(store, scratch, &event.event, NULL, got), STATUS_OK);
        expect(i, wanted);
        for (int f = 0; f < N_FEATURES; f++) {
            float rounded = (float)wanted[f];
            if (!(isnan(wanted[f]) ? isnan(got[f]) : rounded == got[f]))
                fail_msg("event %d, %s: %.9g, wanted %.9g", i,
                         feature_views_schema(views)->names[f], (double)got[f], wanted[f]);
        }
    }
    feature_scratch_destroy(scratch);
    feature_store_destroy(store);
    feature_views_destroy(views);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_those_of_the_window_whatever_came_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
