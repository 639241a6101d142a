/* Buckets of tokens by caller, against a bucket that is simply counted. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/rate.h"

#define SECOND INT64_C(1000000000)

static void a_quota_comes_at_once_and_comes_back_steadily(void **unused)
{
    (void)unused;
    struct rate *rate = rate_create(5, 10);
    struct rate_state state;
    int64_t now = 1000 * SECOND;
    for (int i = 4; i >= 0; i--) {
        assert_true(rate_take(rate, slice_of("a"), now, &state));
        assert_int_equal(state.remaining, i);
    }
    assert_int_equal(state.quota, 5);
    assert_int_equal(state.window_s, 10);
    assert_int_equal(state.full_s, 10);
    assert_false(rate_take(rate, slice_of("a"), now, &state));
    assert_int_equal(state.remaining, 0);
    assert_int_equal(state.wait_s, 2);
    assert_true(rate_take(rate, slice_of("b"), now, &state)); /* another caller's own */
    assert_int_equal(state.remaining, 4);
    assert_int_equal(state.wait_s, 0);
    assert_false(rate_take(rate, slice_of("a"), now + 2 * SECOND - 1, &state));
    assert_true(rate_take(rate, slice_of("a"), now + 2 * SECOND, &state));
    assert_false(rate_take(rate, slice_of("a"), now + 2 * SECOND, &state));
    assert_true(rate_take(rate, slice_of("a"), now + 100 * SECOND, &state));
    assert_int_equal(state.remaining, 4); /* rests give no more than the quota */
    rate_destroy(rate);
}

/* Tokens counted as such: one comes back every `every` ns, at most `quota` are held. */
struct counted {
    int64_t tokens_ns, last;
};

static bool take_counted(struct counted *own, int64_t quota, int64_t every, int64_t now)
{
    own->tokens_ns += now - own->last;
    own->last = now;
    if (own->tokens_ns > quota * every)
        own->tokens_ns = quota * every;
    if (own->tokens_ns < every)
        return false;
    own->tokens_ns -= every;
    return true;
}

static void any_sequence_is_as_a_counted_bucket_says(void **unused)
{
    (void)unused;
    enum { CALLERS = 3, STEPS = 100000, QUOTA = 20, WINDOW = 4 };
    struct rate *rate = rate_create(QUOTA, WINDOW);
    int64_t every = WINDOW * SECOND / QUOTA, now = 50 * SECOND;
    struct counted counted[CALLERS];
    for (int i = 0; i < CALLERS; i++)
        counted[i] = (struct counted){QUOTA * every, now};
    unsigned seed = 7, refused = 0;
    for (int i = 0; i < STEPS; i++) {
        struct rate_state state;
        char name[8];
        int who = rand_r(&seed) % CALLERS;
        now += rand_r(&seed) % (2 * every / CALLERS);
        snprintf(name, sizeof name, "%d", who);
        bool wanted = take_counted(&counted[who], QUOTA, every, now);
        assert_int_equal(rate_take(rate, slice_of(name), now, &state), wanted);
        assert_int_equal(state.remaining, counted[who].tokens_ns / every);
        refused += !wanted;
    }
    assert_in_range(refused, 1, STEPS / 2);
    rate_destroy(rate);
}

/* Whoever asks too much stays known while very many others ask once. */
static void a_flood_of_callers_does_not_free_one_that_asks_too_much(void **unused)
{
    (void)unused;
    struct rate *rate = rate_create(10, 10);
    struct rate_state state;
    char name[16];
    while (rate_take(rate, slice_of("greedy"), SECOND, &state)) {
    }
    for (int i = 0; i < 100000; i++) {
        snprintf(name, sizeof name, "c%d", i);
        assert_true(rate_take(rate, slice_of(name), SECOND, &state));
    }
    assert_false(rate_take(rate, slice_of("greedy"), SECOND, &state));
    rate_destroy(rate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quota_comes_at_once_and_comes_back_steadily),
        cmocka_unit_test(any_sequence_is_as_a_counted_bucket_says),
        cmocka_unit_test(a_flood_of_callers_does_not_free_one_that_asks_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
