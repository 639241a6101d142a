/* Functions out of libraries of the system, and what is said when there are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "engine/base/shared_library.h"

struct functions {
    double (*cosine)(double);
    double (*root)(double);
};

static void fills_a_table_with_functions_that_can_be_called(void **state)
{
    (void)state;
    static const struct shared_function names[] = {{"cos", offsetof(struct functions, cosine)},
                                                   {"sqrt", offsetof(struct functions, root)}};
    struct functions found = {0};
    struct error error;
    assert_int_equal(shared_library_load("libm.so.6", names, 2, &found, &error), STATUS_OK);
    assert_true(found.root(9) == 3);
    assert_true(found.cosine(0) == 1);
}

static void names_a_library_that_is_not_installed(void **state)
{
    (void)state;
    struct error error;
    assert_int_equal(shared_library_load("libnowhere.so.7", NULL, 0, NULL, &error),
                     STATUS_UNSUPPORTED);
    assert_non_null(strstr(error.message, "libnowhere.so.7"));
}

static void names_a_function_that_is_not_in_the_library(void **state)
{
    (void)state;
    static const struct shared_function names[] = {{"no_such_function", 0}};
    struct functions found = {0};
    struct error error;
    assert_int_equal(shared_library_load("libm.so.6", names, 1, &found, &error),
                     STATUS_UNSUPPORTED);
    assert_non_null(strstr(error.message, "no_such_function"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_a_table_with_functions_that_can_be_called),
        cmocka_unit_test(names_a_library_that_is_not_installed),
        cmocka_unit_test(names_a_function_that_is_not_in_the_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
