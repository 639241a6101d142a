/* Windows against a brute-force oracle: for each event all events are looked at again, sums by
 * long-hand exact arithmetic of our own over 64-bit integers, on a random slice of the real data
 * (BINNACLE_DATA, else ../shared/data) and on made-up data, in order and shuffled. */
#include <math.h>
#include <stdlib.h>

#include "tests/unit/engine/feature/fixture.h"

#include "engine/base/clock.h"
#include "engine/base/input.h"
#include "tests/unit/random.h"

#define MAX_EVENTS 6000

static const char views_yaml[] =
    "lateness: 200d\n"
    "windows:\n"
    "  - {name: n1, entity: user, window: 1d, function: count}\n"
    "  - {name: n30, entity: user, window: 30d, function: count}\n"
    "  - {name: sum, entity: user, window: 7d, function: sum, value: amount}\n"
    "  - {name: mean, entity: user, window: 30d, function: mean, value: amount}\n"
    "  - {name: std, entity: user, window: 7d, function: std, value: amount}\n"
    "  - {name: min, entity: user, window: 3d, function: min, value: amount}\n"
    "  - {name: max, entity: user, window: 3d, function: max, value: amount}\n"
    "  - {name: ratio, entity: user, window: 7d, function: ratio_to_mean, value: amount}\n"
    "  - {name: shops, entity: user, window: 7d, function: distinct, value: shop}\n"
    "  - {name: since, entity: user, window: 7d, function: since_last}\n"
    "  - {name: lag, entity: user, window: 7d, function: lag, value: amount}\n"
    "  - {name: shop_n, entity: shop, window: 30d, delay: 7d, function: count}\n"
    "  - {name: shop_frauds, entity: shop, window: 30d, delay: 7d, function: positives}\n"
    "  - {name: shop_risk, entity: shop, window: 7d, delay: 7d, function: rate, empty: 0}\n"
    "  - {name: shop_old_max, entity: shop, window: 2d, delay: 1d, function: max, value: amount}\n"
    "features: [n1, n30, sum, mean, std, min, max, ratio, shops, since, lag, shop_n, shop_frauds,\n"
    "  shop_risk, shop_old_max]\n";

enum {
    N1,
    N30,
    SUM,
    MEAN,
    STD,
    MIN,
    MAX,
    RATIO,
    SHOPS,
    SINCE,
    LAG,
    SHOP_N,
    SHOP_FRAUDS,
    SHOP_RISK,
    SHOP_OLD_MAX,
    N_FEATURES
};

struct row {
    int64_t id, time_us, user, shop, cents; /* amounts are whole cents: exact by integers */
    int label;
};

struct rows {
    struct row rows[MAX_EVENTS];
    size_t n;
};

/* Rows [0, i) came before row i; it sees those of its own time or earlier. */
struct window {
    const struct rows *rows;
    size_t i;
    bool by_shop;
    int64_t window_us, delay_us;
};

struct sums {
    int64_t n, positives, cents, least, greatest, shops;
    double squares; /* of cents; exact under 2^53 */
};

static bool is_in(const struct window *window, size_t j)
{
    const struct row *row = &window->rows->rows[window->i], *other = &window->rows->rows[j];
    int64_t to = row->time_us - window->delay_us;
    bool same = window->by_shop ? row->shop == other->shop : row->user == other->user;
    return same && other->time_us <= to && other->time_us > to - window->window_us;
}

static bool is_new_shop(const struct window *window, size_t j)
{
    for (size_t k = 0; k < j; k++)
        if (is_in(window, k) && window->rows->rows[k].shop == window->rows->rows[j].shop)
            return false;
    return true;
}

static struct sums look(struct window window)
{
    struct sums sums = {.least = INT64_MAX, .greatest = INT64_MIN};
    for (size_t j = 0; j <= window.i; j++) {
        const struct row *row = &window.rows->rows[j];
        if (!is_in(&window, j))
            continue;
        sums.n++;
        sums.positives += row->label == 1;
        sums.cents += row->cents;
        sums.squares += (double)(row->cents * row->cents);
        sums.least = row->cents < sums.least ? row->cents : sums.least;
        sums.greatest = row->cents > sums.greatest ? row->cents : sums.greatest;
        sums.shops += !window.by_shop && is_new_shop(&window, j);
    }
    return sums;
}

/* The newest before row i in (time, arrival) order, of this user, within 7 days; -1: none. */
static long previous(const struct rows *rows, size_t i)
{
    struct window window = {rows, i, false, 7 * US_PER_DAY, 0};
    long best = -1;
    for (size_t j = 0; j < i; j++)
        if (is_in(&window, j) && (best < 0 || rows->rows[j].time_us >= rows->rows[best].time_us))
            best = (long)j;
    return best;
}

static void expect(const struct rows *rows, size_t i, double out[N_FEATURES])
{
    const struct row *row = &rows->rows[i];
    struct sums d1 = look((struct window){rows, i, false, US_PER_DAY, 0});
    struct sums d3 = look((struct window){rows, i, false, 3 * US_PER_DAY, 0});
    struct sums d7 = look((struct window){rows, i, false, 7 * US_PER_DAY, 0});
    struct sums d30 = look((struct window){rows, i, false, 30 * US_PER_DAY, 0});
    struct sums risk = look((struct window){rows, i, true, 7 * US_PER_DAY, 7 * US_PER_DAY});
    struct sums shop = look((struct window){rows, i, true, 30 * US_PER_DAY, 7 * US_PER_DAY});
    struct sums old = look((struct window){rows, i, true, 2 * US_PER_DAY, US_PER_DAY});
    long before = previous(rows, i);
    double n7 = (double)d7.n, cents7 = (double)d7.cents;
    double spread = n7 * d7.squares - cents7 * cents7;
    out[N1] = (double)d1.n;
    out[N30] = (double)d30.n;
    out[SUM] = cents7 / 64;
    out[MEAN] = (double)d30.cents / 64 / (double)d30.n;
    out[STD] = d7.n > 1 ? sqrt(spread / (n7 * (n7 - 1))) / 64 : NAN;
    out[MIN] = (double)d3.least / 64;
    out[MAX] = (double)d3.greatest / 64;
    out[RATIO] = d7.cents ? (double)row->cents / 64 / (cents7 / 64 / n7) : NAN;
    out[SHOPS] = (double)d7.shops;
    out[SINCE] = before < 0 ? NAN : (double)(row->time_us - rows->rows[before].time_us) / 1e6;
    out[LAG] = before < 0 ? NAN : (double)rows->rows[before].cents / 64;
    out[SHOP_N] = (double)shop.n;
    out[SHOP_FRAUDS] = (double)shop.positives;
    out[SHOP_RISK] = risk.n ? (double)risk.positives / (double)risk.n : 0;
    out[SHOP_OLD_MAX] = old.n ? (double)old.greatest / 64 : NAN;
}

static void check(const struct rows *rows)
{
    struct feature_views *views = fixture_views(views_yaml);
    struct feature_scratch *scratch;
    struct feature_store *store = fixture_store(views, NULL, &scratch);
    struct fixture_event event;
    for (size_t i = 0; i < rows->n; i++) {
        const struct row *row = &rows->rows[i];
        float got[N_FEATURES];
        double wanted[N_FEATURES];
        fixture_fill(&event, row->id, row->time_us, row->user, row->shop, (double)row->cents / 64,
                     row->label);
        assert_int_equal(feature_compute(store, scratch, &event.event, NULL, got), STATUS_OK);
        expect(rows, i, wanted);
        for (int f = 0; f < N_FEATURES; f++) {
            bool same = isnan(wanted[f]) ? isnan(got[f]) : (float)wanted[f] == got[f];
            if (!same)
                fail_msg("event %zu, %s: %.9g, wanted %.9g", i,
                         feature_views_schema(views)->names[f], (double)got[f], wanted[f]);
        }
    }
    feature_scratch_destroy(scratch);
    feature_store_destroy(store);
    feature_views_destroy(views);
}

/* Swaps each row with one at most `reach` before it. */
static void shuffle(struct rows *rows, size_t reach)
{
    for (size_t i = 1; i < rows->n; i++) {
        size_t j = i - random_below((i < reach ? i : reach) + 1);
        struct row row = rows->rows[i];
        rows->rows[i] = rows->rows[j];
        rows->rows[j] = row;
    }
}

/* Few entities and coarse times, so that equal times are common. */
static void make_rows(struct rows *rows, size_t n)
{
    int64_t time_us = 0;
    for (rows->n = 0; rows->n < n; rows->n++) {
        time_us += (int64_t)random_below(3) * 2 * US_PER_HOUR;
        rows->rows[rows->n] = (struct row){.id = (int64_t)rows->n,
                                           .time_us = time_us,
                                           .user = (int64_t)random_below(4),
                                           .shop = (int64_t)random_below(6),
                                           .cents = (int64_t)random_below(1000),
                                           .label = (int)random_below(3) - 1};
    }
}

/* Customers and terminals of a random residue: their whole histories. Cents are scaled to 1/64ths
 * of a unit, so that the oracle's integers and the store's doubles are the same numbers. */
static bool read_rows(struct rows *rows)
{
    const char *folder = getenv("BINNACLE_DATA");
    char path[4096];
    struct input *input;
    struct error error;
    struct slice line, cells[16];
    struct buffer scratch;
    uint64_t residue = random_below(10);
    snprintf(path, sizeof path, "%s/fdh_transactions.csv.gz", folder ? folder : "../shared/data");
    if (input_open(path, 4096, &input, &error) != STATUS_OK)
        return false;
    buffer_init(&scratch, 4096);
    rows->n = 0;
    while (rows->n < 3000 && input_line(input, &line, &error) == STATUS_OK) {
        int64_t user, shop, label, id;
        double amount;
        if (csv_split(line, cells, 16, &scratch) != 9 || !integer_parse(cells[0], &id) ||
            !integer_parse(cells[2], &user) || !integer_parse(cells[3], &shop) ||
            !number_parse(cells[4], &amount) || !integer_parse(cells[7], &label))
            continue;
        struct row row = {.id = id, .user = user, .shop = shop % 8, .label = (int)label};
        row.cents = llround(amount * 100);
        if ((uint64_t)user % 997 == residue * 31 && time_parse(cells[1], &row.time_us))
            rows->rows[rows->n++] = row;
    }
    buffer_free(&scratch);
    input_close(input);
    return true;
}

static struct rows rows;

static void equals_brute_force_in_order(void **state)
{
    (void)state;
    make_rows(&rows, 1500);
    check(&rows);
}

static void equals_brute_force_for_late_events(void **state)
{
    (void)state;
    for (size_t reach = 1; reach < 2000; reach *= 10) {
        make_rows(&rows, 800);
        shuffle(&rows, reach);
        check(&rows);
    }
}

static void equals_brute_force_on_the_real_data(void **state)
{
    (void)state;
    if (!read_rows(&rows)) {
        print_message("# no data: set BINNACLE_DATA to the folder of fdh_transactions.csv.gz\n");
        skip();
    }
    assert_true(rows.n > 500);
    check(&rows);
}

static void equals_brute_force_on_the_real_data_shuffled(void **state)
{
    (void)state;
    if (!read_rows(&rows)) {
        print_message("# no data: set BINNACLE_DATA to the folder of fdh_transactions.csv.gz\n");
        skip();
    }
    shuffle(&rows, 50);
    check(&rows);
    shuffle(&rows, rows.n);
    check(&rows);
}

int main(void)
{
    random_state = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 10) * 2654435761u + 1 : 88172645;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_brute_force_in_order),
        cmocka_unit_test(equals_brute_force_for_late_events),
        cmocka_unit_test(equals_brute_force_on_the_real_data),
        cmocka_unit_test(equals_brute_force_on_the_real_data_shuffled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
