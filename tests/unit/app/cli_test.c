/* The command line is parsed by its table: spelling, kinds, ranges, help. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "app/cli.h"
#include "app/commands.h"

static int report_arguments(const struct cli_args *args)
{
    assert_string_equal(cli_text(args, "config"), "dir");
    assert_int_equal(cli_int(args, "limit"), 7);
    assert_true(cli_flag(args, "json"));
    assert_false(cli_has(args, "rate"));
    assert_true(cli_number(args, "rate") == 2.5);
    assert_int_equal(cli_n_arguments(args), 2);
    assert_string_equal(cli_argument(args, 0), "-");
    assert_string_equal(cli_argument(args, 1), "--odd");
    return EXIT_FINDING;
}

static int need_folder(const struct cli_args *args)
{
    return cli_need(args, "config");
}

static const struct cli_option options[] = {
    {"config", OPTION_TEXT, "DIR", "folder", NULL, 0, 0},
    {"limit", OPTION_INT, "N", "rows", "5", 1, 10},
    {"rate", OPTION_NUMBER, "N", "per second", "2.5", 0, 0},
    {"since", OPTION_TIME, "T", "from then", NULL, 0, 0},
    {"json", OPTION_FLAG, NULL, "as JSON", NULL, 0, 0},
    {NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0},
};

static const struct cli_command table[] = {
    {"list some", "[A...]", "Lists", NULL, NULL, options, 0, 2, report_arguments},
    {"list other", "", "Needs a folder", NULL, NULL, options, 0, 0, need_folder},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, NULL},
};

static int run(const char *const *words)
{
    char copies[16][64];
    char *argv[16];
    int argc = 0;
    for (; words[argc]; argc++) {
        snprintf(copies[argc], sizeof copies[argc], "%s", words[argc]);
        argv[argc] = copies[argc];
    }
    return cli_main(table, argc, argv);
}

#define RUN(...) run((const char *const[]){"binnacle", __VA_ARGS__, NULL})

static void an_option_that_is_needed_is_asked_for(void **state)
{
    (void)state;
    assert_int_equal(RUN("list", "other"), EXIT_FAILED);
    assert_int_equal(RUN("list", "other", "--config", "dir"), EXIT_DONE);
}

static void hands_checked_options_and_arguments_to_the_command(void **state)
{
    (void)state;
    assert_int_equal(
        RUN("list", "some", "--config", "dir", "--limit=7", "-", "--json", "--", "--odd"),
        EXIT_FINDING);
}

static void refuses_what_the_table_does_not_have(void **state)
{
    (void)state;
    assert_int_equal(RUN("lost"), EXIT_FAILED);
    assert_int_equal(RUN("list", "some", "--limits", "7"), EXIT_FAILED);
    assert_int_equal(RUN("list", "some", "--limit"), EXIT_FAILED);
    assert_int_equal(RUN("list", "some", "--limit", "11"), EXIT_FAILED);
    assert_int_equal(RUN("list", "some", "--limit", "7x"), EXIT_FAILED);
    assert_int_equal(RUN("list", "some", "--rate", "nan"), EXIT_FAILED);
    assert_int_equal(RUN("list", "some", "--rate", "inf"), EXIT_FAILED);
    assert_int_equal(RUN("list", "some", "--since", "yesterday"), EXIT_FAILED);
    assert_int_equal(RUN("list", "some", "--json=1"), EXIT_FAILED);
    assert_int_equal(RUN("list", "some", "-x"), EXIT_FAILED);
    assert_int_equal(RUN("list", "some", "a", "b", "c"), EXIT_FAILED);
}

static void answers_help_on_commands_and_families_and_nothing_else(void **state)
{
    (void)state;
    assert_int_equal(RUN("help"), EXIT_DONE);
    assert_int_equal(RUN("help", "list"), EXIT_DONE);
    assert_int_equal(RUN("list", "--help"), EXIT_DONE);
    assert_int_equal(RUN("help", "list", "some"), EXIT_DONE);
    assert_int_equal(RUN("help", "lost"), EXIT_FAILED);
    assert_int_equal(RUN("help", "list", "same"), EXIT_FAILED);
    assert_int_equal(RUN("list"), EXIT_FAILED);
    assert_int_equal(RUN("list", "same"), EXIT_FAILED);
}

static void answers_help_without_running(void **state)
{
    (void)state;
    assert_int_equal(RUN("list", "some", "--help"), EXIT_DONE);
    assert_int_equal(RUN("list", "--help"), EXIT_DONE);
    assert_int_equal(RUN("--help"), EXIT_DONE);
}

static void every_command_of_the_product_is_complete(void **state)
{
    (void)state;
    for (const struct cli_command *command = commands; command->name; command++) {
        assert_non_null(command->run);
        assert_non_null(command->summary);
        for (const struct cli_option *option = command->options; option->name; option++) {
            assert_non_null(option->help);
            assert_true(option->kind == OPTION_FLAG || option->value != NULL);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_option_that_is_needed_is_asked_for),
        cmocka_unit_test(hands_checked_options_and_arguments_to_the_command),
        cmocka_unit_test(refuses_what_the_table_does_not_have),
        cmocka_unit_test(answers_help_without_running),
        cmocka_unit_test(answers_help_on_commands_and_families_and_nothing_else),
        cmocka_unit_test(every_command_of_the_product_is_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
