/* Requests scored together: each gets its own answer, when its row is on the disk and not before; a
 * repeat is handed back; who waits too long, or for a disk that refuses, is told. */
#include "engine/base/clock.h"
#include "tests/unit/disk/disk.h"
#include "tests/unit/engine/fixture.h"

#include <errno.h>

#include "app/gather.h"

enum { MAX_CALLS = 64 };

/* One who asks, and what was answered. */
struct asker {
    char text[256];
    struct buffer out;
    int n_answers, code;
    bool recorded;
    uint64_t ledger_index;
    char problem[512];
};

struct desk {
    struct bench *bench;
    struct gather *gather;
    struct asker askers[MAX_CALLS];
};

static void note_answer(void *context, const struct web_score_end *end)
{
    struct asker *asker = context;
    asker->n_answers++;
    asker->code = end->code;
    asker->recorded = end->recorded;
    asker->ledger_index = end->ledger_index;
    snprintf(asker->problem, sizeof asker->problem, "%s", end->error ? end->error->message : "");
}

static int open_desk(void **state)
{
    struct error error = {0};
    struct desk *desk = calloc(1, sizeof *desk);
    struct worker_options options = {.reasons = -1, .always = true};
    assert_non_null(desk);
    desk->bench = bench_create("7d");
    desk->bench->parts.event_time = false;
    bench_start(desk->bench);
    check(gather_create(desk->bench->engine, &options, &desk->gather, &error), &error);
    for (int i = 0; i < MAX_CALLS; i++)
        buffer_init(&desk->askers[i].out, 1u << 16);
    disk_watch(desk->bench->ledger_dir);
    *state = desk;
    return 0;
}

static int close_desk(void **state)
{
    struct desk *desk = *state;
    disk_hold_syncs(NULL);
    disk_end();
    gather_destroy(desk->gather);
    bench_destroy(desk->bench);
    for (int i = 0; i < MAX_CALLS; i++)
        buffer_free(&desk->askers[i].out);
    free(desk);
    return 0;
}

static void put(struct desk *desk, int i, const char *id, double amount)
{
    event_text(desk->askers[i].text, id, "ann", amount, T0);
}

/* Askers [from, to) come together. */
static void come(struct desk *desk, int from, int to)
{
    struct web_score_call calls[MAX_CALLS];
    size_t n = 0;
    for (int i = from; i < to; i++)
        calls[n++] = (struct web_score_call){
            .request = {.body = slice_of(desk->askers[i].text), .max_reasons = -1},
            .out = &desk->askers[i].out,
            .asker = &desk->askers[i]};
    gather_score(desk->gather, calls, n, note_answer);
}

static void settle_until(struct desk *desk, int i)
{
    for (int ms = 0; ms < 20000 && desk->askers[i].n_answers == 0; ms++) {
        gather_settle(desk->gather);
        pause_us(1000);
    }
    assert_int_equal(desk->askers[i].n_answers, 1);
}

static void assert_says(const struct asker *asker, const char *word)
{
    char text[4096];
    snprintf(text, sizeof text, SLICE_FORMAT, SLICE_ARGS(buffer_slice(&asker->out)));
    if (!strstr(text, word))
        fail_msg("%s is not in %s", word, text);
}

static void each_gets_its_own_answer(void **state)
{
    struct desk *desk = *state;
    char id[16], word[32];
    for (int i = 0; i < 40; i++) {
        snprintf(id, sizeof id, "e%d", i);
        put(desk, i, id, i % 10 == 3 ? -1 : 10 + i);
    }
    snprintf(desk->askers[7].text, sizeof desk->askers[7].text, "no JSON at all");
    come(desk, 0, 40);
    settle_until(desk, 39);
    for (int i = 0; i < 40; i++) {
        bool good = i % 10 != 3 && i != 7;
        assert_int_equal(desk->askers[i].n_answers, 1);
        assert_int_equal(desk->askers[i].code, good ? 200 : 422);
        snprintf(word, sizeof word, "\"e%d\"", i);
        if (good)
            assert_says(&desk->askers[i], word);
    }
}

/* While syncs of the ledger do not return, nothing is answered. */
static void an_answer_waits_for_the_disk(void **state)
{
    struct desk *desk = *state;
    disk_hold_syncs("-wal");
    put(desk, 0, "e0", 10);
    come(desk, 0, 1);
    for (int i = 0; i < 4; i++) {
        pause_us(50000);
        gather_settle(desk->gather);
    }
    assert_int_equal(desk->askers[0].n_answers, 0);
    disk_hold_syncs(NULL);
    settle_until(desk, 0);
    assert_int_equal(desk->askers[0].code, 200);
}

static void a_repeat_is_handed_back_with_its_row(void **state)
{
    struct desk *desk = *state;
    put(desk, 0, "e0", 10);
    put(desk, 1, "e1", 10);
    come(desk, 0, 2);
    settle_until(desk, 1);
    put(desk, 2, "e1", 10);
    put(desk, 3, "e1", 11);
    put(desk, 4, "e2", 12);
    put(desk, 5, "e2", 12); /* in the same batch as its first */
    come(desk, 2, 6);
    settle_until(desk, 4);
    assert_true(desk->askers[2].recorded && desk->askers[2].ledger_index == 1);
    assert_int_equal(desk->askers[3].code, 409);
    assert_int_equal(desk->askers[4].code, 200);
    assert_true(desk->askers[5].recorded && desk->askers[5].ledger_index == 2);
}

/* Those who wait when the disk refuses are told at once; later ones are not even let in. */
static void a_disk_that_refuses_is_told(void **state)
{
    struct desk *desk = *state;
    const struct disk_fault fault = {
        .call = CALL_SYNC, .name = "-wal", .times = 1000000, .error = EIO};
    put(desk, 0, "e0", 10);
    come(desk, 0, 1);
    settle_until(desk, 0);
    disk_fail(&fault);
    put(desk, 1, "e1", 10);
    come(desk, 1, 2);
    settle_until(desk, 1);
    assert_int_equal(desk->askers[1].code, 503);
    assert_non_null(strstr(desk->askers[1].problem, "send the event again"));
    put(desk, 2, "e2", 10);
    come(desk, 2, 3);
    assert_int_equal(desk->askers[2].code, 503);
    assert_non_null(strstr(desk->askers[2].problem, "nothing was decided"));
    disk_fail(NULL);
    struct ledger_stats stats = {.health = LEDGER_RETRYING};
    for (int i = 0; i < 400 && (stats.health != LEDGER_OK || stats.tree_size < 2); i++) {
        pause_us(50000);
        ledger_stats(engine_ledger(desk->bench->engine), &stats);
    }
    assert_int_equal(stats.tree_size, 2);
    put(desk, 3, "e1", 10); /* its row was queued, and is there now */
    come(desk, 3, 4);
    assert_true(desk->askers[3].n_answers == 1 && desk->askers[3].recorded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_gets_its_own_answer, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(an_answer_waits_for_the_disk, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(a_repeat_is_handed_back_with_its_row, open_desk,
                                        close_desk),
        cmocka_unit_test_setup_teardown(a_disk_that_refuses_is_told, open_desk, close_desk),
    };
    disk_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
