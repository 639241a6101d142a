/* Windows of trouble in counts that are put in by hand: where it began, whether it goes on, and
 * when it recovered. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/monitor/symptoms.h"

#define CELLS 60
#define EACH  100 /* events of a cell */

struct field_rows {
    uint32_t cells[CELLS + 1][FIELD_COUNTERS];
};

/* Cells of one field and the events, of which `bad` of each hundred have none from `from` to `to`;
 * none comes any more from `silent` on. */
static void fill(struct field_rows *rows, int from, int to, uint32_t bad, int silent)
{
    memset(rows, 0, sizeof *rows);
    for (int cell = 0; cell < silent; cell++) {
        uint32_t missing = cell >= from && cell < to ? bad : 1;
        rows->cells[cell][FIELD_MISSING] = missing;
        rows->cells[cell][FIELD_BINS] = EACH - missing;
    }
}

/* The last cell of a view is the current one. */
static struct slices_view view_of(struct field_rows *rows)
{
    static const struct slice_series series[] = {
        {.kind = SERIES_FIELD, .first = 0, .n = FIELD_COUNTERS, .field = 0, .name = "country"}};
    return (struct slices_view){.series = series,
                                .n_series = 1,
                                .n_counters = FIELD_COUNTERS,
                                .n_cells = CELLS + 1,
                                .rows = rows->cells[0]};
}

static bool look_until(int from, int to, uint32_t bad, int silent, struct symptom *out)
{
    static struct field_rows rows;
    fill(&rows, from, to, bad, silent);
    struct slices_view view = view_of(&rows);
    struct span_sums sums;
    struct symptom found[MAX_SYMPTOMS];
    int n;
    assert_true(span_sums_make(&view, NULL, 0, &sums));
    assert_true(symptoms_find(&sums, NULL, 0, found, &n));
    span_sums_free(&sums);
    for (int i = 0; i < n; i++) {
        if (found[i].kind == SYMPTOM_MISSING) {
            *out = found[i];
            return true;
        }
    }
    return false;
}

static bool look(int from, int to, uint32_t bad, struct symptom *out)
{
    return look_until(from, to, bad, CELLS + 1, out);
}

static void finds_where_trouble_that_goes_on_began(void **state)
{
    struct symptom seen;
    (void)state;
    assert_true(look(40, CELLS + 1, 30, &seen));
    assert_int_equal(seen.from, 40);
    assert_int_equal(seen.to, CELLS);
    assert_false(seen.recovered);
    assert_true(fabs(seen.now - 0.3) < 1e-9 && fabs(seen.base - 0.01) < 1e-9);
}

static void says_when_trouble_recovered(void **state)
{
    struct symptom seen;
    (void)state;
    for (int ago = 2; ago <= SYMPTOM_OVER_CELLS; ago++) {
        assert_true(look(40, CELLS - ago, 30, &seen));
        assert_int_equal(seen.from, 40);
        assert_int_equal(seen.to, CELLS - ago);
        assert_true(seen.recovered);
    }
}

/* One cell may be good by chance. */
static void one_good_cell_is_no_recovery(void **state)
{
    struct symptom seen;
    (void)state;
    assert_true(look(40, CELLS - 1, 30, &seen));
    assert_false(seen.recovered);
}

/* Bug: a window made of trouble and of the time since named it for a quarter of a minute. */
static void trouble_that_recovered_earlier_is_over(void **state)
{
    struct symptom seen;
    (void)state;
    for (int ago = SYMPTOM_OVER_CELLS + 1; ago < 15; ago++)
        assert_false(look(40, CELLS - ago, 90, &seen));
}

static void short_trouble_recovers_as_well(void **state)
{
    struct symptom seen;
    (void)state;
    assert_true(look(CELLS - 6, CELLS - 3, 50, &seen));
    assert_int_equal(seen.to, CELLS - 3);
    assert_true(seen.recovered);
}

static void finds_nothing_where_nothing_is(void **state)
{
    struct symptom seen;
    (void)state;
    assert_false(look(0, 0, 0, &seen));
}

/* Bug: where nothing came any more, none of it was missing. */
static void no_data_is_no_recovery(void **state)
{
    struct symptom seen;
    (void)state;
    for (int ago = 2; ago <= SYMPTOM_OVER_CELLS; ago++) {
        assert_true(look_until(40, CELLS + 1, 30, CELLS - ago, &seen));
        assert_int_equal(seen.from, 40);
        assert_false(seen.recovered);
    }
}

static bool goes_on(int to, int silent)
{
    static struct field_rows rows;
    struct symptom symptom;
    struct span_sums sums;
    assert_true(look(30, CELLS + 1, 30, &symptom));
    fill(&rows, 30, to, 30, silent);
    struct slices_view view = view_of(&rows);
    assert_true(span_sums_make(&view, NULL, 0, &sums));
    bool is = symptom_goes_on(&sums, &symptom, 30);
    span_sums_free(&sums);
    return is;
}

static void what_goes_on_ends_by_data_only(void **state)
{
    (void)state;
    assert_true(goes_on(CELLS + 1, CELLS + 1));
    assert_false(goes_on(CELLS - 10, CELLS + 1));
    assert_true(goes_on(CELLS + 1, CELLS - 10));
}

/* Bug: where many cohorts were refused, the field that came after them found no room. */
static void of_cohorts_the_one_that_stands_out_most_is_kept(void **state)
{
    enum { COHORTS = MAX_SYMPTOMS + 6, STRONGEST = 30, FIELD_AT = COHORTS * SLICE_COUNTERS };
    static uint32_t rows[CELLS + 1][FIELD_AT + FIELD_COUNTERS];
    struct slice_series series[COHORTS + 1];
    struct symptom found[MAX_SYMPTOMS];
    struct span_sums sums;
    int n, n_cohorts = 0, n_missing = 0;
    (void)state;
    for (int i = 0; i < COHORTS; i++)
        series[i] = (struct slice_series){SERIES_SLICE, i * SLICE_COUNTERS, SLICE_COUNTERS, 0, "c"};
    series[COHORTS] = (struct slice_series){SERIES_FIELD, FIELD_AT, FIELD_COUNTERS, 1, "country"};
    for (int cell = 0; cell <= CELLS; cell++) {
        for (int i = 0; i < COHORTS; i++) {
            uint32_t refused = cell < 40 ? 0 : i == STRONGEST ? EACH : EACH / 2;
            rows[cell][series[i].first + SLICE_QUARANTINED] = refused;
            rows[cell][series[i].first + SLICE_DECISION] = EACH - refused;
        }
        rows[cell][FIELD_AT + FIELD_MISSING] = cell < 40 ? 1 : 30;
        rows[cell][FIELD_AT + FIELD_BINS] = cell < 40 ? EACH - 1 : EACH - 30;
    }
    struct slices_view view = {.series = series,
                               .n_series = COHORTS + 1,
                               .n_counters = FIELD_AT + FIELD_COUNTERS,
                               .n_cells = CELLS + 1,
                               .rows = rows[0]};
    assert_true(span_sums_make(&view, NULL, 0, &sums));
    assert_true(symptoms_find(&sums, NULL, 0, found, &n));
    span_sums_free(&sums);
    for (int i = 0; i < n; i++) {
        n_missing += found[i].kind == SYMPTOM_MISSING;
        n_cohorts += found[i].kind == SYMPTOM_COHORT;
        assert_true(found[i].kind != SYMPTOM_COHORT || found[i].series == &series[STRONGEST]);
    }
    assert_int_equal(n_missing, 1);
    assert_int_equal(n_cohorts, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_where_trouble_that_goes_on_began),
        cmocka_unit_test(says_when_trouble_recovered),
        cmocka_unit_test(one_good_cell_is_no_recovery),
        cmocka_unit_test(trouble_that_recovered_earlier_is_over),
        cmocka_unit_test(short_trouble_recovers_as_well),
        cmocka_unit_test(finds_nothing_where_nothing_is),
        cmocka_unit_test(no_data_is_no_recovery),
        cmocka_unit_test(what_goes_on_ends_by_data_only),
        cmocka_unit_test(of_cohorts_the_one_that_stands_out_most_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
