/* `drill`: one fault from the table below, put into a running demo or staging instance from this
 * process, and taken out again. What is concluded from it over there is none of this file's
 * business: `explain` asks for that. */
#include "app/drill.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/interrupt.h"
#include "app/remote.h"
#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "engine/base/thread.h"

#define DOCUMENT_BYTES (8u << 20)

static const struct traffic_mix ordinary = {
    .rate_per_s = 4, .callers = 1, .positive_labels = (double)NAN};

/* ---- the faults ---- */

static enum status with_lock(struct drill *drill, int64_t held_ms, int64_t free_ms,
                             const struct traffic_mix *mix, struct error *error)
{
    struct drill_lock *lock;
    enum status status = drill_lock_start(drill, held_ms, free_ms, &lock, error);
    if (status != STATUS_OK)
        return status;
    status = drill_post(drill, mix, error);
    atomic_store(&drill->over, true);
    drill_lock_stop(lock);
    return status;
}

/* Somebody's backup takes the database for moments at a time. */
static enum status latency(struct drill *drill, struct error *error)
{
    const struct traffic_mix mix = {
        .rate_per_s = 12, .callers = DRILL_CALLERS, .positive_labels = (double)NAN};
    return with_lock(drill, (int64_t)drill_between(drill, 400, 1200),
                     (int64_t)drill_between(drill, 20, 80), &mix, error);
}

/* Somebody's shell keeps the database. */
static enum status errors(struct drill *drill, struct error *error)
{
    const struct traffic_mix mix = {
        .rate_per_s = 20, .callers = DRILL_CALLERS, .positive_labels = (double)NAN};
    return with_lock(drill, -1, 20, &mix, error);
}

static struct traffic_mix spoiled(struct drill *drill)
{
    return (struct traffic_mix){.rate_per_s = drill_between(drill, 18, 30),
                                .callers = 2,
                                .positive_labels = (double)NAN,
                                .spoiling.share = drill_between(drill, 0.6, 1)};
}

/* The sender counts in another unit. */
static enum status drift(struct drill *drill, struct error *error)
{
    struct traffic_mix mix = spoiled(drill);
    mix.spoiling.field = "transaction_amount";
    mix.spoiling.factor =
        drill_chance(drill) < 0.5 ? drill_between(drill, 15, 40) : drill_between(drill, 0.01, 0.05);
    return drill_post(drill, &mix, error);
}

static enum status freshness(struct drill *drill, struct error *error)
{
    struct traffic_mix mix = spoiled(drill);
    mix.spoiling.older_ms = (int64_t)drill_between(drill, 5 * 60000, 50 * 60000);
    return drill_post(drill, &mix, error);
}

static enum status nulls(struct drill *drill, struct error *error)
{
    static const char *const fields[] = {"country", "device", "transaction_amount"};
    struct traffic_mix mix = spoiled(drill);
    mix.spoiling.field = fields[(int)drill_between(drill, 0, 3)];
    mix.spoiling.value = "null";
    return drill_post(drill, &mix, error);
}

static enum status cohort(struct drill *drill, struct error *error)
{
    static const char *const cohorts[] = {"\"device\":\"ios\"", "\"device\":\"android\"",
                                          "\"country\":\"US\"", "\"country\":\"GB\"",
                                          "\"country\":\"IN\""};
    struct traffic_mix mix = spoiled(drill);
    mix.rate_per_s = 40;
    mix.spoiling.only = cohorts[(int)drill_between(drill, 0, 5)];
    mix.spoiling.field = "transaction_amount";
    mix.spoiling.value = "null";
    return drill_post(drill, &mix, error);
}

static enum status canary(struct drill *drill, struct error *error)
{
    enum status status =
        drill_set_canary(drill, round(drill_between(drill, 45, 85)), "ramp", error);
    return status == STATUS_OK ? drill_post(drill, &ordinary, error) : status;
}

static enum status rules(struct drill *drill, struct error *error)
{
    char rule[200];
    snprintf(rule, sizeof rule,
             "  - name: amount-limit\n    when: transaction_amount > %.0f\n    decision: review\n",
             drill_between(drill, 20, 60));
    enum status status = drill_add_rule(drill, rule, error);
    return status == STATUS_OK ? drill_post(drill, &ordinary, error) : status;
}

static enum status labels(struct drill *drill, struct error *error)
{
    struct traffic_mix mix = ordinary;
    mix.rate_per_s = drill_between(drill, 12, 18);
    mix.callers = 2;
    mix.positive_labels = drill_between(drill, 0.7, 1);
    return drill_post(drill, &mix, error);
}

static enum status volume(struct drill *drill, struct error *error)
{
    struct traffic_mix mix = ordinary;
    mix.rate_per_s = drill_between(drill, 150, 300);
    mix.callers = DRILL_CALLERS;
    return drill_post(drill, &mix, error);
}

static enum status none(struct drill *drill, struct error *error)
{
    return drill_post(drill, &ordinary, error);
}

static const struct fault {
    const char *name;
    enum status (*run)(struct drill *drill, struct error *error);
} faults[] = {
    {"latency", latency}, {"errors", errors}, {"drift", drift},   {"freshness", freshness},
    {"nulls", nulls},     {"canary", canary}, {"labels", labels}, {"volume", volume},
    {"rules", rules},     {"cohort", cohort}, {"none", none},
};

/* ---- the instance ---- */

static enum status get_json(const struct drill *drill, const char *path, struct json **document,
                            struct error *error)
{
    struct buffer reply;
    buffer_init(&reply, DOCUMENT_BYTES);
    enum status status = remote_get(drill->url, path, &reply, error);
    if (status == STATUS_OK)
        status = json_parse(buffer_slice(&reply), document, error);
    buffer_free(&reply);
    return status;
}

static enum status check_staging(const struct drill *drill, struct error *error)
{
    struct json *document = NULL;
    enum status status = get_json(drill, "/api/v1/snapshot", &document, error);
    if (status == STATUS_OK && !json_as_bool(json_get(document, "staging"), false))
        status = error_set(error, STATUS_DENIED,
                           "%s is neither a demo nor staging: nothing was done to it. Where drills "
                           "may be held, put `staging: true` into its binnacle.yaml and start it "
                           "again",
                           drill->url);
    json_destroy(document);
    return status;
}

static const char *setting(const struct json *settings, const char *key)
{
    for (const struct json *one = json_first(settings); one; one = json_next(one)) {
        if (strcmp(json_as_text(json_get(one, "key"), ""), key) == 0)
            return json_as_text(json_get(one, "value"), NULL);
    }
    return NULL;
}

static void put_path(char *out, size_t size, const char *folder, const char *name)
{
    if (!name)
        out[0] = '\0';
    else if (name[0] == '/' || !folder[0])
        snprintf(out, size, "%s", name);
    else
        snprintf(out, size, "%s/%s", folder, name);
}

/* Where the service keeps what a drill touches, by its own account. */
static enum status find_places(struct drill *drill, struct error *error)
{
    struct json *document = NULL;
    enum status status = get_json(drill, "/api/v1/settings", &document, error);
    if (status != STATUS_OK)
        return status;
    const struct json *settings = json_get(document, "settings");
    const char *rules_file = setting(settings, "rules"), *store = setting(settings, "online_store");
    snprintf(drill->folder, sizeof drill->folder, "%s",
             json_as_text(json_get(document, "folder"), ""));
    put_path(drill->rules, sizeof drill->rules, drill->folder,
             rules_file ? rules_file : "rules.yaml");
    put_path(drill->ledger, sizeof drill->ledger, drill->folder, setting(settings, "ledger.dir"));
    snprintf(drill->store, sizeof drill->store, "%s", store ? store : "embedded");
    json_destroy(document);
    return STATUS_OK;
}

/* ---- the command ---- */

struct stopper {
    struct drill *drill;
    struct interrupt *interrupt;
};

static void watch_signals(void *context)
{
    struct stopper *stopper = context;
    while (!atomic_load(&stopper->drill->over)) {
        if (interrupt_wait(stopper->interrupt, 50))
            atomic_store(&stopper->drill->over, true);
    }
}

/* Beside the fault, and nothing that decisions would notice. */
static enum status change_innocently(struct drill *drill, const char *what, struct error *error)
{
    if (!what)
        return STATUS_OK;
    if (strcmp(what, "split") == 0)
        return drill_set_canary(drill, 1, "a first look at the canary", error);
    return drill_add_rule(drill,
                          "  - name: impossible-score\n    when: score > 1.5\n"
                          "    decision: decline\n",
                          error);
}

static enum status run(struct drill *drill, const struct fault *fault, const char *innocent,
                       struct error *error)
{
    struct interrupt *interrupt = NULL;
    struct thread *thread = NULL;
    struct error second;
    enum status status = interrupt_create(&interrupt, error);
    struct stopper stopper = {drill, interrupt};
    if (status == STATUS_OK)
        status = thread_start("drill-signals", watch_signals, &stopper, &thread, error);
    if (status == STATUS_OK)
        status = change_innocently(drill, innocent, error);
    if (status == STATUS_OK)
        status = fault->run(drill, error);
    atomic_store(&drill->over, true);
    thread_join(thread);
    interrupt_destroy(interrupt);
    if (drill_restore(drill, &second) != STATUS_OK) {
        error_prefix(&second, "not everything could be put back");
        *error = second;
        return second.code;
    }
    return status;
}

static void print_drill(const char *fault, int64_t seed, int64_t from_us, int64_t to_us)
{
    struct buffer out;
    struct json_writer json;
    buffer_init(&out, 4096);
    json_begin(&json, &out);
    json_object(&json, NULL);
    json_text(&json, "drill", fault);
    json_int(&json, "seed", seed);
    json_time(&json, "from", from_us);
    json_time(&json, "to", to_us);
    json_object_end(&json);
    printf(SLICE_FORMAT "\n", SLICE_ARGS(buffer_slice(&out)));
    buffer_free(&out);
}

static const struct fault *find_fault(const char *name)
{
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        if (strcmp(faults[i].name, name) == 0)
            return &faults[i];
    }
    return NULL;
}

int command_drill(const struct cli_args *args)
{
    struct error error;
    const struct fault *fault = find_fault(cli_argument(args, 0));
    const char *innocent = cli_text(args, "innocent");
    int64_t seed = cli_int(args, "seed");
    if (!fault)
        return cli_usage(args,
                         "'%s' is no drill: latency, errors, drift, freshness, nulls, canary, "
                         "labels, volume, rules, cohort or none",
                         cli_argument(args, 0));
    if (innocent && strcmp(innocent, "split") != 0 && strcmp(innocent, "rules") != 0)
        return cli_usage(args, "--innocent is split or rules, not '%s'", innocent);
    struct drill *drill = calloc(1, sizeof *drill);
    struct clock *clock = clock_create_wall();
    if (!drill || !clock) {
        free(drill);
        clock_destroy(clock);
        (void)error_set(&error, STATUS_MEMORY, "out of memory");
        return cli_fail(args, &error);
    }
    int64_t from_us = clock_now_us(clock);
    drill->clock = clock;
    drill->url = cli_text(args, "url");
    drill->random = (uint64_t)seed * 0x9e3779b97f4a7c15u + 1;
    drill->for_ms = (int64_t)(cli_number(args, "for") * 1000);
    buffer_init(&drill->split, DOCUMENT_BYTES);
    buffer_init(&drill->rules_before, DOCUMENT_BYTES);
    (void)drill_chance(drill);
    enum status status = STATUS_OK;
    if (cli_has(args, "token"))
        status = secret_bearer(cli_text(args, "token"), drill->authorization, &error);
    if (status == STATUS_OK)
        status = check_staging(drill, &error);
    if (status == STATUS_OK)
        status = find_places(drill, &error);
    if (status == STATUS_OK)
        status = run(drill, fault, innocent, &error);
    if (status == STATUS_OK)
        print_drill(fault->name, seed, from_us, clock_now_us(clock));
    buffer_free(&drill->rules_before);
    buffer_free(&drill->split);
    clock_destroy(clock);
    free(drill);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}

int command_reload(const struct cli_args *args)
{
    struct error error;
    struct buffer reply, body;
    struct json_writer json;
    char authorization[SECRET_BEARER_SIZE] = "";
    int code = 0;
    const char *url = cli_text(args, "url"), *path = "/api/v1/reload";
    buffer_init(&reply, REMOTE_REPLY_BYTES);
    buffer_init(&body, REMOTE_REPLY_BYTES);
    json_begin(&json, &body);
    json_object(&json, NULL);
    json_text(&json, "reason", cli_has(args, "reason") ? cli_text(args, "reason") : NULL);
    json_object_end(&json);
    enum status status = STATUS_OK;
    if (cli_has(args, "token"))
        status = secret_bearer(cli_text(args, "token"), authorization, &error);
    if (status == STATUS_OK)
        status = remote_call(url, "POST", path, authorization[0] ? authorization : NULL,
                             buffer_slice(&body), &code, &reply, &error);
    if (status == STATUS_OK && code != 200)
        status = remote_refusal(url, path, code, buffer_slice(&reply), &error);
    if (status == STATUS_OK)
        printf(SLICE_FORMAT "\n", SLICE_ARGS(slice_trim(buffer_slice(&reply))));
    buffer_free(&body);
    buffer_free(&reply);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}
