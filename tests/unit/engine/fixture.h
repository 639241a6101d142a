/* A small service for the tests of the engine: a contract, windows, two models, rules, a ledger in
 * a folder of its own, and a clock that the test moves. */
#ifndef BINNACLE_TESTS_ENGINE_FIXTURE_H
#define BINNACLE_TESTS_ENGINE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/json.h"
#include "engine/engine.h"
#include "engine/pipeline.h"
#include "engine/record/ledger.h"
#include "engine/record/reader.h"

#define T0 INT64_C(1533686400000000) /* 2018-08-08T00:00:00Z */

enum { AMOUNT, COUNT_1H, SUM_1H, RISK, N_FEATURES };

static const char CONTRACT[] =
    "name: payments\n"
    "version: \"7\"\n"
    "fields:\n"
    "  - {name: event_id, type: string}\n"
    "  - {name: user_id, type: string, pii: true}\n"
    "  - {name: amount, type: float, min: 0, max: 5000}\n"
    "  - {name: event_ts, type: timestamp, max_future: 1m}\n"
    "  - {name: label, type: int, required: false, nullable: true, min: 0, max: 1}\n"
    "roles: {id: event_id, time: event_ts, label: label, entity: user_id}\n"
    "unique: {field: event_id, within: %s}\n"
    "max_step: 2d\n";

static const char VIEWS[] =
    "lateness: 6h\n"
    "windows:\n"
    "  - {name: count_1h, entity: user_id, window: 1h, function: count}\n"
    "  - {name: sum_1h, entity: user_id, window: 1h, function: sum, value: amount}\n"
    "  - {name: risk, entity: user_id, window: 7d, delay: 1d, function: rate, empty: -1}\n"
    "features: [amount, count_1h, sum_1h, risk]\n";

static const char RULES[] = "rules:\n"
                            "  - {name: odd, when: amount == 7, decision: approve, code: R-ODD}\n"
                            "  - {name: very-high, when: score >= 0.8, decision: decline}\n"
                            "  - {name: high, when: score >= 0.5, decision: review}\n"
                            "default: approve\n"
                            "reasons: {amount: R-AMOUNT}\n";

/* One tree: amount < 100 -> the first leaf; else count_1h < 3 -> the second, else the third. */
static const char MODEL[] =
    "{\"learner\":{\"attributes\":{},\"feature_names\":[\"amount\",\"count_1h\",\"sum_1h\","
    "\"risk\"],\"feature_types\":[],\"gradient_booster\":{\"model\":{\"gbtree_model_param\":{"
    "\"num_parallel_tree\":\"1\",\"num_trees\":\"1\"},\"tree_info\":[0],\"trees\":[{"
    "\"base_weights\":[0,0,0,0,0],\"categories\":[],\"categories_nodes\":[],"
    "\"categories_segments\":[],\"categories_sizes\":[],\"default_left\":[0,0,0,0,0],\"id\":0,"
    "\"left_children\":[1,-1,3,-1,-1],\"loss_changes\":[1,0,1,0,0],"
    "\"parents\":[2147483647,0,0,2,2],\"right_children\":[2,-1,4,-1,-1],"
    "\"split_conditions\":[100,%s],\"split_indices\":[0,0,1,0,0],\"split_type\":[0,0,0,0,0],"
    "\"sum_hessian\":[4,1,3,2,1],\"tree_param\":{\"num_nodes\":\"5\","
    "\"size_leaf_vector\":\"0\"}}]},\"name\":\"gbtree\"},\"learner_model_param\":{"
    "\"base_score\":\"5E-1\",\"num_feature\":\"4\",\"num_class\":\"0\"},"
    "\"objective\":{\"name\":\"binary:logistic\"}},\"version\":[1,7,4]}";

/* Logistic of the leaves, rounded. */
#define CHAMPION_LEAVES "-2,3,1,2"
#define CHAMPION_LOW    0.119203f
#define CHAMPION_MIDDLE 0.731059f
#define CHAMPION_HIGH   0.880797f
#define RIVAL_LEAVES    "-1,3,0.5,3"
#define RIVAL_LOW       0.268941f
#define RIVAL_MIDDLE    0.622459f

struct bench {
    char dir[64];
    char ledger_dir[80];
    char models[2][80];
    struct contract *contract;
    struct feature_views *views;
    struct rules *rules;
    struct engine_parts parts;
    struct worker_options options;
    struct engine *engine;
    struct worker *worker;
    struct buffer text;
    struct answer answers[MAX_BATCH];
};

static inline void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static inline void check(enum status status, const struct error *error)
{
    if (status != STATUS_OK)
        fail_msg("%s: %s", status_name(status), error->message);
}

static inline void make_model(char path[80], const char *dir, const char *name, const char *leaves)
{
    char text[4096];
    snprintf(path, 80, "%s/%s", dir, name);
    snprintf(text, sizeof text, MODEL, leaves);
    write_text(path, text);
}

/* Everything but a running engine. `within`: how long ids are unique, "7d". */
static inline struct bench *bench_create(const char *within)
{
    struct bench *bench = calloc(1, sizeof *bench);
    struct error error = {0};
    char contract[2048];
    assert_non_null(bench);
    snprintf(bench->dir, sizeof bench->dir, "/tmp/binnacle-engine-XXXXXX");
    assert_non_null(mkdtemp(bench->dir));
    snprintf(bench->ledger_dir, sizeof bench->ledger_dir, "%s/ledger", bench->dir);
    make_model(bench->models[0], bench->dir, "champion.json", CHAMPION_LEAVES);
    make_model(bench->models[1], bench->dir, "rival.json", RIVAL_LEAVES);
    snprintf(contract, sizeof contract, CONTRACT, within);
    check(contract_load_text("contract.yaml", slice_of(contract), &bench->contract, &error),
          &error);
    const struct schema *schema = contract_schema(bench->contract);
    check(feature_views_load_text("features.yaml", slice_of(VIEWS), schema, &bench->views, &error),
          &error);
    check(rules_load_text("rules.yaml", slice_of(RULES), schema, feature_views_schema(bench->views),
                          &bench->rules, &error),
          &error);
    bench->parts = (struct engine_parts){
        .service = "test",
        .contract = bench->contract,
        .views = bench->views,
        .rules = bench->rules,
        .models = {{"fraud", "1", bench->models[0]}, {"fraud", "2", bench->models[1]}},
        .n_models = 2,
        .arms = {{VARIANT_CHAMPION, 0, -1}},
        .n_arms = 1,
        .sources = {"file"},
        .n_sources = 1,
        .event_time = true,
        .ledger_dir = bench->ledger_dir,
        .queue_rows = 65536,
        .source_kind = "file",
        .online_store = "embedded",
    };
    bench->options = (struct worker_options){.reasons = -1, .always = true, .wait_for_room = true};
    buffer_init(&bench->text, 1u << 20);
    return bench;
}

/* Live: the clock stands at T0 until the test moves it; in event time it follows the events. */
static inline void bench_start(struct bench *bench)
{
    struct error error = {0};
    bench->parts.clock = clock_create_event(bench->parts.event_time ? 0 : T0);
    assert_non_null(bench->parts.clock);
    check(engine_create(&bench->parts, &bench->engine, &error), &error);
    check(worker_create(bench->engine, &bench->options, &bench->worker, &error), &error);
}

static inline void bench_stop(struct bench *bench)
{
    worker_destroy(bench->worker);
    engine_destroy(bench->engine);
    clock_destroy(bench->parts.clock);
    bench->worker = NULL;
    bench->engine = NULL;
    bench->parts.clock = NULL;
}

static inline void bench_destroy(struct bench *bench)
{
    char command[128];
    bench_stop(bench);
    rules_release(bench->rules);
    feature_views_destroy(bench->views);
    contract_destroy(bench->contract);
    buffer_free(&bench->text);
    snprintf(command, sizeof command, "rm -rf '%s'", bench->dir);
    assert_int_equal(system(command), 0);
    free(bench);
}

static const char *const checkpoints[] = {"windows", "counts", "ids"};
enum { N_CHECKPOINTS = sizeof checkpoints / sizeof checkpoints[0] };

/* Of the two sets the one that is there. */
static inline void bench_checkpoint(const struct bench *bench, const char *name, char path[128])
{
    for (int set = 1; set <= 2; set++) {
        snprintf(path, 128, "%s/%s-%d.checkpoint", bench->ledger_dir, name, set);
        if (access(path, F_OK) == 0)
            return;
    }
}

static inline void bench_forget_checkpoints(const struct bench *bench)
{
    char path[128];
    for (int i = 0; i < N_CHECKPOINTS; i++) {
        bench_checkpoint(bench, checkpoints[i], path);
        /* Where ids are not kept there is no third. */
        assert_true(unlink(path) == 0 || strcmp(checkpoints[i], "ids") == 0);
    }
}

/* One event's JSON, in `text`. */
static inline struct slice event_text(char text[256], const char *id, const char *user,
                                      double amount, int64_t time_us)
{
    char time[TIME_TEXT_SIZE];
    int size = snprintf(text, 256,
                        "{\"event_id\":\"%s\",\"user_id\":\"%s\",\"amount\":%.17g,"
                        "\"event_ts\":\"%s\"}",
                        id, user, amount, time_format(time_us, time));
    return slice_make(text, (size_t)size);
}

/* Gives a batch to the worker and waits until it is on the disk. */
static inline void bench_process(struct bench *bench, const struct raw_event *events, size_t n)
{
    struct error error = {0};
    check(worker_process(bench->worker, events, n, bench->answers, &error), &error);
    check(worker_wait(bench->worker, &error), &error);
}

/* One event that came by HTTP. */
static inline const struct answer *bench_send(struct bench *bench, const char *text)
{
    const struct raw_event event = {.bytes = slice_of(text), .position.source = -1};
    bench_process(bench, &event, 1);
    return &bench->answers[0];
}

static inline const struct answer *bench_pay(struct bench *bench, const char *id, const char *user,
                                             double amount, int64_t time_us)
{
    static char text[256];
    event_text(text, id, user, amount, time_us);
    return bench_send(bench, text);
}

/* The JSON answer as a document, to be given to json_destroy(). */
static inline struct json *bench_answer(struct bench *bench, const struct answer *answer)
{
    struct json *json = NULL;
    struct error error = {0};
    buffer_reset(&bench->text);
    answer_json(bench->worker, answer, &bench->text);
    check(json_parse(buffer_slice(&bench->text), &json, &error), &error);
    return json;
}

static inline void assert_feature(const struct answer *answer, int feature, double expected)
{
    assert_non_null(answer->outcome);
    double served = (double)answer->outcome->features.values[feature];
    if (served < expected || served > expected)
        fail_msg("feature %d is %g, not %g", feature, served, expected);
}

#endif
