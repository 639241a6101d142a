/* Day files that were damaged: the ledger goes on from what it knows, in the next day's file; the
 * damaged one is left as it is, and counted. Only when nothing tells where to go on does it refuse,
 * and says why. */
#include "tests/unit/disk/disk.h"
#include "tests/unit/engine/record/power.h"

#include <errno.h>
#include <sys/stat.h>

#define NEWEST "2018-08-09.db"
#define NEXT   "2018-08-10.db"

struct bytes {
    unsigned char *data;
    size_t size;
};

static struct bytes read_bytes(const char *dir, const char *name)
{
    char path[4200];
    struct stat about;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &about), 0);
    struct bytes bytes = {malloc((size_t)about.st_size), (size_t)about.st_size};
    assert_int_equal(fread(bytes.data, 1, bytes.size, file), bytes.size);
    assert_int_equal(fclose(file), 0);
    return bytes;
}

static void write_bytes(const char *dir, const char *name, struct bytes bytes)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    assert_int_equal(fclose(file), 0);
}

/* Flips bits in the second half of the file: rows, not the tables that say where it stands. */
static void damage_rows(const char *dir, const char *name)
{
    struct bytes bytes = read_bytes(dir, name);
    for (size_t i = bytes.size / 2; i < bytes.size; i += 7)
        bytes.data[i] ^= 0x10;
    write_bytes(dir, name, bytes);
    free(bytes.data);
}

static void assert_unchanged(const char *dir, const char *name, struct bytes before)
{
    struct bytes now = read_bytes(dir, name);
    assert_int_equal(now.size, before.size);
    assert_memory_equal(now.data, before.data, now.size);
    free(now.data);
    free(before.data);
}

static bool is_there(const char *dir, const char *name)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

/* A ledger that was stopped in its second day, and the run that it is a part of. */
static char *stopped(void **state, struct run **run)
{
    struct clock *clock = start_clock();
    int source;
    char *dir = folder_create();
    *run = *state = run_create(SYNCING_WORKS, NULL);
    size_t i = 0;
    while (load_counts((*run)->reports[i].entries).leaves < (*run)->n_leaves * 3 / 5)
        i++;
    disk_image((*run)->reports[i].moment, CRASH_KEPT, 0, dir);
    disk_end();
    close_ledger(load_open(dir, clock, &source)); /* everything is in the files now */
    assert_true(is_there(dir, NEWEST));
    assert_false(is_there(dir, NEXT));
    clock_destroy(clock);
    return dir;
}

static void goes_on_to_the_end(const struct run *run, struct ledger *ledger, int source,
                               uint64_t lost)
{
    struct ledger_stats stats;
    load_rest(ledger, source);
    ledger_stats(ledger, &stats);
    assert_int_equal(stats.health, LEDGER_OK);
    assert_int_equal(stats.damaged_files, 1);
    assert_int_equal(stats.lost_rows, lost);
    assert_non_null(strstr(stats.damage, NEWEST));
    assert_int_equal(stats.tree_size, run->n_leaves);
    assert_memory_equal(stats.root, run->root, SHA256_SIZE);
}

/* Doctor, which looks at no row, knows it too. */
static void assert_doctor_names(const char *dir, const char *name)
{
    struct error error = {0};
    assert_int_equal(ledger_check_files(dir, &error), STATUS_CORRUPT);
    assert_non_null(strstr(error.message, name));
}

static void assert_verify_names(const char *dir, const char *name)
{
    struct error error = {0};
    struct verify_options options = {.dir = dir, .threads = 1, .max_bad = 8};
    struct verify_report report;
    bool named = false;
    assert_int_equal(ledger_verify(&options, &report, &error), STATUS_OK);
    assert_false(report.ok);
    for (size_t i = 0; i < report.n_kept; i++)
        named = named || strstr(report.bad[i].where, name);
    assert_true(named);
    verify_report_free(&report);
}

static void found_at_the_start_it_is_left_and_the_next_file_begun(void **state)
{
    struct run *run;
    char *dir = stopped(state, &run);
    struct clock *clock = start_clock();
    int source;
    damage_rows(dir, NEWEST);
    struct bytes before = read_bytes(dir, NEWEST);
    struct ledger *ledger = load_open(dir, clock, &source);
    goes_on_to_the_end(run, ledger, source, 0);
    close_ledger(ledger);
    assert_unchanged(dir, NEWEST, before);
    assert_true(is_there(dir, NEXT));
    assert_verify_names(dir, NEWEST);
    assert_doctor_names(dir, NEWEST);
    clock_destroy(clock);
    folder_remove(dir);
}

/* Something makes the writer open the file again, and it is not what it was. */
static void go_on_after(const struct run *run, char *dir, void (*harm)(const char *), uint64_t lost)
{
    struct clock *clock = start_clock();
    int source;
    disk_watch(dir);
    struct ledger *ledger = load_open(dir, clock, &source);
    harm(dir);
    disk_fail(&(struct disk_fault){CALL_SYNC, NEWEST "-wal", .times = 1, .error = EIO});
    goes_on_to_the_end(run, ledger, source, lost);
    assert_int_equal(disk_failed(), 1);
    close_ledger(ledger);
    assert_verify_names(dir, NEWEST);
    clock_destroy(clock);
    folder_remove(dir);
}

static void harm_rows(const char *dir)
{
    damage_rows(dir, NEWEST);
}

static void found_while_running_it_is_left_and_the_next_file_begun(void **state)
{
    struct run *run;
    char *dir = stopped(state, &run);
    go_on_after(run, dir, harm_rows, 0);
}

static uint64_t rows_of_newest(const char *dir)
{
    struct clock *clock = start_clock();
    struct ledger_stats stats;
    int source;
    struct ledger *ledger = load_open(dir, clock, &source);
    ledger_stats(ledger, &stats);
    close_ledger(ledger);
    clock_destroy(clock);
    uint64_t first = 0;
    for (uint64_t n = 0; n * LOAD_STEP_S < 86400; n++)
        first = load_counts(n + 1).leaves;
    return stats.tree_size - first;
}

static void take_away(const char *dir)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", dir, NEWEST);
    assert_int_equal(unlink(path), 0);
}

static void a_file_that_was_taken_away_is_counted_as_lost_rows(void **state)
{
    struct run *run;
    char *dir = stopped(state, &run);
    uint64_t rows = rows_of_newest(dir);
    assert_true(rows > 10);
    struct clock *clock = start_clock();
    int source;
    disk_watch(dir);
    struct ledger *ledger = load_open(dir, clock, &source);
    take_away(dir);
    disk_fail(&(struct disk_fault){CALL_SYNC, NEWEST "-wal", .times = 1, .error = EIO});
    goes_on_to_the_end(run, ledger, source, rows);
    close_ledger(ledger);
    clock_destroy(clock);
    folder_remove(dir);
}

static void without_a_state_it_refuses_and_says_what_to_do(void **state)
{
    struct run *run;
    char *dir = stopped(state, &run);
    struct clock *clock = start_clock();
    struct ledger *ledger = NULL;
    struct error error = {0};
    struct ledger_options options = {.dir = dir, .clock = clock};
    struct bytes whole = read_bytes(dir, NEWEST), bytes = read_bytes(dir, NEWEST);
    memset(bytes.data, 0x5a, bytes.size);
    write_bytes(dir, NEWEST, bytes);
    assert_int_equal(ledger_open(&options, &ledger, &error), STATUS_CORRUPT);
    assert_non_null(strstr(error.message, NEWEST));
    assert_non_null(strstr(error.message, "backup"));
    assert_unchanged(dir, NEWEST, bytes);
    write_bytes(dir, NEWEST, whole);
    int source;
    ledger = load_open(dir, clock, &source);
    load_rest(ledger, source);
    close_ledger(ledger);
    if (check_verify(dir, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    free(whole.data);
    clock_destroy(clock);
    folder_remove(dir);
}

/* The last page, torn off or half written. */
static void a_torn_last_page_stops_nothing(void **state)
{
    struct run *run;
    char *dir = stopped(state, &run);
    struct clock *clock = start_clock();
    struct ledger_stats stats;
    int source;
    struct bytes bytes = read_bytes(dir, NEWEST);
    memset(bytes.data + bytes.size - 12000, 0, 12000);
    write_bytes(dir, NEWEST, bytes);
    struct ledger *ledger = load_open(dir, clock, &source);
    load_rest(ledger, source);
    ledger_stats(ledger, &stats);
    assert_int_equal(stats.health, LEDGER_OK);
    assert_memory_equal(stats.root, run->root, SHA256_SIZE);
    close_ledger(ledger);
    assert_verify_names(dir, NEWEST);
    free(bytes.data);
    clock_destroy(clock);
    folder_remove(dir);
}

static void damage_to_an_older_file_stops_nothing(void **state)
{
    struct run *run;
    char *dir = stopped(state, &run);
    struct clock *clock = start_clock();
    struct ledger_stats stats;
    int source;
    damage_rows(dir, "2018-08-08.db");
    struct ledger *ledger = load_open(dir, clock, &source);
    load_rest(ledger, source);
    ledger_stats(ledger, &stats);
    assert_int_equal(stats.health, LEDGER_OK);
    assert_memory_equal(stats.root, run->root, SHA256_SIZE);
    close_ledger(ledger);
    assert_verify_names(dir, "2018-08-08.db");
    clock_destroy(clock);
    folder_remove(dir);
}

int main(void)
{
#define T(name) cmocka_unit_test_teardown(name, run_destroy)
    const struct CMUnitTest tests[] = {
        T(found_at_the_start_it_is_left_and_the_next_file_begun),
        T(found_while_running_it_is_left_and_the_next_file_begun),
        T(a_file_that_was_taken_away_is_counted_as_lost_rows),
        T(without_a_state_it_refuses_and_says_what_to_do),
        T(a_torn_last_page_stops_nothing),
        T(damage_to_an_older_file_stops_nothing),
    };
    disk_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
