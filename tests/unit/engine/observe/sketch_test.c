/* Different values counted, against the number that was put in. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <math.h>

#include "engine/base/hash.h"
#include "engine/observe/sketch.h"

static void put(struct sketch *sketch, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++)
        sketch_add(sketch, hash64(&i, sizeof i, 0));
}

static void counts_within_four_standard_errors(void **state)
{
    static const uint64_t counts[] = {1, 10, 200, 1000, 50000, 1000000};
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct sketch sketch = {{0}};
        put(&sketch, 0, counts[i]);
        put(&sketch, 0, counts[i] / 2); /* again: nothing new */
        assert_true(fabs(sketch_count(&sketch) / (double)counts[i] - 1) < 4 * 0.065);
    }
}

static void merging_is_as_if_counted_together(void **state)
{
    struct sketch a = {{0}}, b = {{0}}, both = {{0}};
    (void)state;
    put(&a, 0, 3000);
    put(&b, 2000, 6000);
    put(&both, 0, 6000);
    sketch_merge(&a, &b);
    assert_memory_equal(&a, &both, sizeof a);
}

static void nothing_is_none(void **state)
{
    struct sketch sketch = {{0}};
    (void)state;
    assert_true(sketch_count(&sketch) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_within_four_standard_errors),
        cmocka_unit_test(merging_is_as_if_counted_together),
        cmocka_unit_test(nothing_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
