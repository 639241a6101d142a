/* Which of several shadows is judged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/clock.h"
#include "engine/observe/observe.h"

#define T0 (INT64_C(1533081600) * US_PER_S) /* 2018-08-01T00:00:00Z */

static const char *const feature_names[] = {"amount"};
static const struct feature_schema features = {feature_names, 1};
static const struct observe_arm champion = {VARIANT_CHAMPION, "m", "1", 1};
static const struct observe_arm a = {VARIANT_SHADOW, "a", "1", 1};
static const struct observe_arm b = {VARIANT_SHADOW, "b", "1", 1};
static const struct observe_arm c = {VARIANT_SHADOW, "c", "1", 1};

static struct observe *create(void)
{
    struct observe_options options;
    struct observe *observe;
    struct error error;
    observe_options_init(&options);
    options.features = &features;
    assert_int_equal(observe_create(&options, &observe, &error), STATUS_OK);
    return observe;
}

static void split(struct observe *observe, struct observe_arm first, struct observe_arm second)
{
    const struct observe_arm arms[] = {champion, first, second};
    observe_set_arms(observe, arms, 3);
}

/* Each of the three scores an event; returns whose scores the sample
 * has: 0: nobody's. */
static char judged(struct observe *observe, int64_t at_us)
{
    static struct observed_value values[OBSERVE_SAMPLE];
    const struct shadow_score scores[] = {{"c", "1", 0.3f}, {"b", "1", 0.2f}, {"a", "1", 0.1f}};
    float row[] = {1};
    const struct observed_shadow seen = {at_us, at_us, 0.5f, row};
    for (size_t i = 0; i < 3; i++)
        observe_shadow(observe, 0, &seen, &scores[i]);
    size_t n = observe_values(observe, 0, VARIANT_SHADOW, values);
    for (size_t i = 1; i < n; i++)
        assert_true(values[i].value == values[0].value);
    return n == 0 ? 0 : values[0].value < 0.15 ? 'a' : values[0].value < 0.25 ? 'b' : 'c';
}

/* Bug: it was the one that had been configured earliest. */
static void the_first_shadow_of_the_split_is_judged(void **state)
{
    (void)state;
    struct observe *observe = create();
    observe_set_arms(observe, &champion, 1);
    assert_int_equal(judged(observe, T0), 0);
    split(observe, a, b);
    assert_int_equal(judged(observe, T0 + 1), 'a');
    split(observe, c, a);
    assert_int_equal(judged(observe, T0 + 2), 'c');
    split(observe, b, a);
    assert_int_equal(judged(observe, T0 + 3), 'b');
    observe_set_arms(observe, &champion, 1);
    assert_int_equal(judged(observe, T0 + 4), 0);
    observe_destroy(observe);
}

/* There its arm has another place, and what the split says now decides, not what it said. */
static void after_a_restart_it_is_the_first_of_the_split_of_now(void **state)
{
    char path[] = "/tmp/binnacle-arms-XXXXXX";
    struct observe *before = create();
    struct error error;
    uint64_t mark;
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0);
    close(fd);
    split(before, a, b);
    split(before, c, a);
    assert_int_equal(judged(before, T0), 'c');
    struct buffer encoded;
    observe_encode(before, 0, &encoded);
    assert_int_equal(observe_write(&encoded, path, &error), STATUS_OK);
    buffer_free(&encoded);
    const struct observe_arm firsts[] = {c, b};
    for (size_t i = 0; i < 2; i++) {
        static struct observed_value values[OBSERVE_SAMPLE];
        struct observe *after = create();
        split(after, firsts[i], a);
        assert_int_equal(observe_load(after, path, &mark, &error), STATUS_OK);
        assert_int_equal(observe_values(after, 0, VARIANT_SHADOW, values), i == 0 ? 1 : 0);
        assert_int_equal(judged(after, T0 + 1), firsts[i].model[0]);
        observe_destroy(after);
    }
    observe_destroy(before);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_shadow_of_the_split_is_judged),
        cmocka_unit_test(after_a_restart_it_is_the_first_of_the_split_of_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
