/* No allocation per event: every malloc of the thread that carries the batches is counted, over the
 * whole pipeline (decode, contract, pseudonyms, ids, windows, score, decide, reasons, record,
 * observe), once the entities are known and their windows full. What grows by blocks of many events
 * (remembered ids) may take a block now and then. The memory functions of the C library are
 * replaced in this program, so under a sanitizer, which does the same, nothing is counted. */
#include "tests/unit/engine/fixture.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS false
#else
#define COUNTS true
#endif

static _Thread_local uint64_t n_allocations;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

/* What stands behind malloc and its like in the C library. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *memory, size_t size);

void *malloc(size_t size)
{
    n_allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    n_allocations++;
    return __libc_calloc(n, size);
}

void *realloc(void *memory, size_t size)
{
    n_allocations++;
    return __libc_realloc(memory, size);
}

#endif

#define USERS   50
#define BATCH   256
#define STEP_US (8 * US_PER_HOUR) /* from batch to batch */
#define FILL    40                /* batches: 13 days; the longest window and its delay are 8 */
#define STEADY  16
#define SPAN    16 /* allocations for a new span of time, at most */

static char texts[BATCH][256];

/* The next batch of one service's life; amounts so that each of the decisions occurs. */
static void process_next(struct bench *bench, int *n_before)
{
    struct raw_event events[BATCH];
    for (int i = 0; i < BATCH; i++) {
        int number = *n_before + i;
        char id[24], user[24];
        snprintf(id, sizeof id, "e%d", number);
        snprintf(user, sizeof user, "user-%d", number % USERS);
        events[i] = (struct raw_event){.bytes = event_text(texts[i], id, user,
                                                           number % 13 == 0 ? 150.25 : 20.5,
                                                           T0 + number / BATCH * STEP_US),
                                       .position = {.source = 0, .offset = number}};
    }
    *n_before += BATCH;
    bench_process(bench, events, BATCH);
    for (int i = 0; i < BATCH; i++)
        assert_int_equal(bench->answers[i].kind, ANSWER_DECIDED);
}

static uint64_t count_steady(struct bench *bench)
{
    int n = 0;
    for (int i = 0; i < FILL; i++)
        process_next(bench, &n);
    uint64_t before = n_allocations;
    for (int i = 0; i < STEADY; i++)
        process_next(bench, &n);
    return n_allocations - before;
}

static void the_counting_counts(void **state)
{
    (void)state;
    static void *(*volatile allocate)(size_t) = malloc;
    static void *(*volatile allocate_zeroed)(size_t, size_t) = calloc;
    uint64_t before = n_allocations;
    free(allocate(1));
    free(allocate_zeroed(1, 1));
    assert_int_equal(n_allocations - before, COUNTS ? 2 : 0);
}

static void known_entities_cost_no_allocation(void **state)
{
    (void)state;
    struct bench *bench = bench_create("7d");
    bench->options = (struct worker_options){.reasons = 3, .wait_for_room = true};
    bench_start(bench);
    uint64_t n = count_steady(bench);
    print_message("# %llu allocations in %d events\n", (unsigned long long)n, STEADY * BATCH);
    assert_in_range(n, 0, STEADY * SPAN);
    bench_destroy(bench);
}

static void reasons_of_every_decision_cost_no_allocation(void **state)
{
    (void)state;
    struct bench *bench = bench_create("7d");
    bench->options = (struct worker_options){.reasons = -1, .always = true, .wait_for_room = true};
    bench_start(bench);
    assert_in_range(count_steady(bench), 0, STEADY * SPAN);
    bench_destroy(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_counting_counts),
        cmocka_unit_test(known_entities_cost_no_allocation),
        cmocka_unit_test(reasons_of_every_decision_cost_no_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
