/* The list of changes: kept across openings, bounded, in order, and by what it tells a changed file
 * from a known one. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/utf8.h"
#include "engine/record/changes.h"

static struct changes *open_list(const char *path)
{
    struct changes *changes;
    struct error error;
    assert_int_equal(changes_open(path, NULL, &changes, &error), STATUS_OK);
    return changes;
}

static size_t read_list(struct changes *changes, int64_t from_us, int64_t to_us, size_t most,
                        struct change **list)
{
    size_t n;
    struct error error;
    assert_int_equal(changes_read(changes, from_us, to_us, most, list, &n, &error), STATUS_OK);
    return n;
}

static void put(struct changes *changes, int64_t at_us, const char *what)
{
    struct change change = {.at_us = at_us, .kind = CHANGE_SPLIT, .who = "ann", .reason = "ramp"};
    snprintf(change.what, sizeof change.what, "%s", what);
    changes_add(changes, &change);
}

/* It is for people, not for proof: a service starts without it. */
static void a_damaged_file_is_done_without(void **state)
{
    (void)state;
    char folder[] = "/tmp/changes-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/" CHANGES_NAME, folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        fputs("not a database ", file);
    fclose(file);
    struct changes *changes = open_list(path);
    put(changes, 10, "canary 5 %");
    struct change *list;
    assert_int_equal(read_list(changes, INT64_MIN, INT64_MAX, 10, &list), 1);
    free(list);
    changes_close(changes);
    unlink(path);
    rmdir(folder);
}

static void outlives_a_restart(void **state)
{
    (void)state;
    char folder[] = "/tmp/changes-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/" CHANGES_NAME, folder);
    struct changes *changes = open_list(path);
    put(changes, 10, "canary 5 %");
    changes_close(changes);
    changes = open_list(path);
    put(changes, 20, "canary 10 %");
    struct change *list;
    assert_int_equal(read_list(changes, INT64_MIN, INT64_MAX, 10, &list), 2);
    assert_string_equal(list[0].what, "canary 5 %");
    assert_int_equal(list[0].kind, CHANGE_SPLIT);
    assert_string_equal(list[0].who, "ann");
    assert_string_equal(list[0].reason, "ramp");
    assert_string_equal(list[1].what, "canary 10 %");
    free(list);
    changes_close(changes);
    unlink(path);
    rmdir(folder);
}

static void gives_the_newest_of_a_range_oldest_first(void **state)
{
    (void)state;
    struct changes *changes = open_list(NULL);
    struct change *list;
    for (int i = 0; i < 10; i++) {
        char what[8];
        snprintf(what, sizeof what, "%d", i);
        put(changes, i, what);
    }
    assert_int_equal(read_list(changes, 2, 8, 3, &list), 3);
    assert_string_equal(list[0].what, "5");
    assert_string_equal(list[2].what, "7");
    free(list);
    assert_int_equal(read_list(changes, 20, 30, 3, &list), 0);
    free(list);
    changes_close(changes);
}

static void keeps_no_more_than_its_bound(void **state)
{
    (void)state;
    struct changes *changes = open_list(NULL);
    struct change *list;
    for (int i = 0; i < CHANGES_KEPT + 600; i++)
        put(changes, i, "x");
    size_t n = read_list(changes, INT64_MIN, INT64_MAX, CHANGES_KEPT + 600, &list);
    assert_in_range(n, CHANGES_KEPT, CHANGES_KEPT + 256);
    assert_int_equal(list[n - 1].at_us, CHANGES_KEPT + 599);
    free(list);
    changes_close(changes);
}

static void lists_a_part_when_it_is_another_than_before(void **state)
{
    (void)state;
    struct changes *changes = open_list(NULL);
    struct change *list;
    struct change_part part = {
        .kind = CHANGE_RULES, .name = "rules.yaml", .digest = "aaaaaaaaaaaaaaaa"};
    changes_compare(changes, 1, "", &part);
    changes_compare(changes, 2, "", &part);
    assert_int_equal(read_list(changes, INT64_MIN, INT64_MAX, 9, &list), 0);
    free(list);
    part.digest = "bbbbbbbbbbbbbbbb";
    changes_compare(changes, 3, "eve", &part);
    assert_int_equal(read_list(changes, INT64_MIN, INT64_MAX, 9, &list), 1);
    assert_int_equal(list[0].kind, CHANGE_RULES);
    assert_string_equal(list[0].what, "rules.yaml: SHA-256 bbbbbbbbbbbb, before aaaaaaaaaaaa");
    assert_string_equal(list[0].who, "eve");
    free(list);
    struct change_part champion = {.kind = CHANGE_MODEL, .name = "champion", .words = "fraud 1"};
    changes_compare(changes, 4, "", &champion);
    champion.words = "fraud 2";
    changes_compare(changes, 5, "", &champion);
    assert_int_equal(read_list(changes, INT64_MIN, INT64_MAX, 9, &list), 2);
    assert_string_equal(list[1].what, "champion: fraud 2, before fraud 1");
    free(list);
    changes_close(changes);
}

#define NAME_OF_40 "123456789-123456789-123456789-123456789-"

/* A split of eight arms with long names, the last of which gets this share. */
static void tell_split(char out[CHANGE_WORDS], int share)
{
    size_t used = 0;
    for (int i = 0; i < 7; i++)
        used += (size_t)snprintf(out + used, CHANGE_WORDS - used, "shadow %s %s: 100 %%, ",
                                 NAME_OF_40, NAME_OF_40);
    snprintf(out + used, CHANGE_WORDS - used, "canary %s %s: %d %%", NAME_OF_40, NAME_OF_40, share);
}

static void of_long_words_a_change_at_their_end_is_listed_and_told(void **state)
{
    (void)state;
    struct changes *changes = open_list(NULL);
    struct change *list;
    char words[CHANGE_WORDS];
    struct change_part split = {.kind = CHANGE_SPLIT, .name = "split", .words = words};
    tell_split(words, 5);
    changes_compare(changes, 1, "", &split);
    changes_compare(changes, 2, "", &split);
    assert_int_equal(read_list(changes, INT64_MIN, INT64_MAX, 9, &list), 0);
    free(list);
    tell_split(words, 25);
    changes_compare(changes, 3, "", &split);
    assert_int_equal(read_list(changes, INT64_MIN, INT64_MAX, 9, &list), 1);
    assert_string_equal(list[0].what,
                        "split: ...canary " NAME_OF_40 " " NAME_OF_40
                        ": 25 %, before ...canary " NAME_OF_40 " " NAME_OF_40 ": 5 %");
    free(list);
    snprintf(words, sizeof words, "champion fraud 1: 100 %%");
    changes_compare(changes, 4, "", &split);
    assert_int_equal(read_list(changes, 4, 5, 9, &list), 1);
    assert_memory_equal(list[0].what, "split: champion fraud 1: 100 %, before shadow 123", 49);
    assert_string_equal(list[0].what + strlen(list[0].what) - 3, "...");
    free(list);
    changes_close(changes);
}

/* A name may have to be cut, a character of it never. */
static void words_are_cut_between_characters(void **state)
{
    (void)state;
    struct changes *changes = open_list(NULL);
    char words[CHANGE_WORDS] = "";
    struct change_part part = {.kind = CHANGE_SPLIT, .name = "split", .words = words};
    for (int shift = 0; shift < 3; shift++) {
        struct change *list;
        for (int i = 0; i < 2; i++) {
            int n = snprintf(words, sizeof words, "%.*s%d", shift, "---", i);
            while ((size_t)n + 3 < sizeof words)
                n += snprintf(words + n, sizeof words - (size_t)n, "\xe2\x82\xac");
            changes_compare(changes, 2 * shift + i, "", &part);
        }
        assert_true(read_list(changes, INT64_MIN, INT64_MAX, 9, &list) > 0);
        assert_true(utf8_is_valid(slice_of(list[0].what)));
        assert_non_null(strstr(list[0].what, "..., before "));
        free(list);
    }
    changes_close(changes);
}

static void lists_posted_labels_together(void **state)
{
    (void)state;
    struct changes *changes = open_list(NULL);
    struct change *list;
    changes_labels(changes, US_PER_S, 1, 1);
    for (int i = 2; i < 100; i++)
        changes_labels(changes, i * US_PER_S, 2, 1);
    assert_int_equal(read_list(changes, INT64_MIN, INT64_MAX, 9, &list), 1);
    assert_string_equal(list[0].what, "1 label posted, 1 positive");
    free(list);
    changes_labels(changes, 700 * US_PER_S, 0, 0);
    assert_int_equal(read_list(changes, INT64_MIN, INT64_MAX, 9, &list), 2);
    assert_string_equal(list[1].what, "196 labels posted, 98 positive");
    free(list);
    changes_close(changes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damaged_file_is_done_without),
        cmocka_unit_test(outlives_a_restart),
        cmocka_unit_test(gives_the_newest_of_a_range_oldest_first),
        cmocka_unit_test(keeps_no_more_than_its_bound),
        cmocka_unit_test(lists_a_part_when_it_is_another_than_before),
        cmocka_unit_test(of_long_words_a_change_at_their_end_is_listed_and_told),
        cmocka_unit_test(lists_posted_labels_together),
        cmocka_unit_test(words_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
