/* The web face in front of made-up pictures, so that the page can be tested and looked at in states
 * that a real engine takes days to reach.
 *
 * usage: web_fake_server [LISTEN] ; prints "listening PORT", then reads lines from standard input:
 *   scene NAME   none, starting, empty, full, burning, young, hostile or stopped
 *   pause        the clock stands still; the server goes on answering
 *   go           and on again
 * Ends at the end of its input. A new picture ten times a second. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "ui/view/own.h"
#include "ui/web/web.h"

#define TICK_US 100000

enum scene {
    SCENE_NONE,
    SCENE_STARTING,
    SCENE_EMPTY,
    SCENE_FULL,
    SCENE_BURNING,
    SCENE_YOUNG,
    SCENE_HOSTILE,
    SCENE_STOPPED
};
static const char *const scene_names[] = {"none",    "starting", "empty",   "full",
                                          "burning", "young",    "hostile", "stopped"};
#define N_SCENES ((int)(sizeof scene_names / sizeof *scene_names))

struct fake {
    struct snapshot_board *board;
    struct clock *clock;
    int64_t started_us;
    atomic_int scene;
    atomic_bool paused, stopping;
};

/* A wave that looks like traffic: two sines and a little noise from a hash of the second. */
static double wave(double t, double mean, double swing)
{
    double noise = fmod(sin(t * 12.9898) * 43758.5453, 1.0);
    return mean * (1 + swing * (0.6 * sin(t / 17) + 0.25 * sin(t / 5.3) + 0.15 * noise));
}

static void fill_histories(struct snapshot *snapshot, double now_s, double slow)
{
    snapshot->rate_history.n = snapshot->p99_history.n = snapshot->decline_history.n =
        HISTORY_POINTS;
    for (int i = 0; i < HISTORY_POINTS; i++) {
        double t = floor(now_s) - HISTORY_POINTS + i;
        double late = slow > 1 && i > 70 ? slow : 1;
        snapshot->rate_history.points[i] = (float)wave(t, 12480, 0.2);
        snapshot->p99_history.points[i] = (float)(wave(t + 7, 900, 0.35) * late);
        snapshot->decline_history.points[i] = (float)wave(t, 0.018, 0.3);
    }
    if (slow <= 1)
        snapshot->p99_history.points[30] = NAN;
}

static struct latency_summary latency(double p50, double p95, double p99, uint64_t n)
{
    return (struct latency_summary){.p50 = p50, .p95 = p95, .p99 = p99, .n = n};
}

static void add_arm(struct snapshot *snapshot, enum variant variant, const char *version,
                    double wanted, double measured, struct latency_summary summary)
{
    struct arm_status *arm = &snapshot->arms[snapshot->n_arms++];
    *arm = (struct arm_status){.variant = variant,
                               .share_wanted = wanted,
                               .share_measured = measured,
                               .n = summary.n,
                               .latency_us = summary};
    snprintf(arm->model, sizeof arm->model, "fraud");
    snprintf(arm->version, sizeof arm->version, "%s", version);
}

static struct slo_status *add_slo(struct snapshot *snapshot, const char *name, double target,
                                  double attainment, double budget, double burn, uint64_t n,
                                  enum health state)
{
    struct slo_status *slo = &snapshot->slos[snapshot->n_slos++];
    *slo = (struct slo_status){
        .target = target, .attainment = attainment, .budget_left = budget, .n = n, .state = state};
    snprintf(slo->name, sizeof slo->name, "%s", name);
    for (int i = 0; i < BURN_WINDOWS; i++)
        slo->burn[i] = burn;
    return slo;
}

static void add_drift(struct snapshot *snapshot, const char *feature, double psi, double noise,
                      uint64_t n, enum health state)
{
    struct drift_status *drift = &snapshot->drift[snapshot->n_drift++];
    *drift = (struct drift_status){.psi = psi,
                                   .noise = noise,
                                   .threshold = 0.3,
                                   .n = n,
                                   .n_reference = 480000,
                                   .state = state};
    snprintf(drift->feature, sizeof drift->feature, "%s", feature);
}

static void add_recent(struct snapshot *snapshot, double now_s)
{
    static const char *const rules[] = {"default", "default",    "high-score",
                                        "default", "new-device", "blocked-country"};
    snapshot->n_recent = MAX_SNAPSHOT_DECISIONS;
    for (int i = 0; i < snapshot->n_recent; i++) {
        struct recent_decision *recent = &snapshot->recent[i];
        long long number = (long long)floor(now_s * 10) - i;
        int kind = (int)(number * 7 % 13);
        recent->decided_at_us = snapshot->time_us - i * 80000;
        recent->decision = kind == 3   ? DECISION_DECLINE
                           : kind == 5 ? DECISION_REVIEW
                                       : DECISION_APPROVE;
        recent->variant = number % 4 == 0 ? VARIANT_CANARY : VARIANT_CHAMPION;
        recent->score = kind == 3 ? 0.91f : kind == 5 ? 0.48f : (float)(0.004 + 0.0013 * kind);
        recent->ledger_index = (uint64_t)number;
        snprintf(recent->event_id, sizeof recent->event_id, "01JD%022lld", number);
        snprintf(recent->rule, sizeof recent->rule, "%s", rules[kind == 3 ? 2 : kind == 5 ? 4 : 0]);
    }
}

static void add_quarantine(struct snapshot *snapshot, const char *reason, uint64_t n)
{
    struct count_status *count = &snapshot->quarantine[snapshot->n_quarantine++];
    snprintf(count->name, sizeof count->name, "%s", reason);
    count->n = n;
}

static void fill_work(struct snapshot *snapshot, double now_s)
{
    snapshot->events_per_s = wave(now_s, 12480, 0.2);
    snapshot->events_total = 1754155 + (uint64_t)fmod(now_s * 12480, 1e9);
    snapshot->quarantined_total = snapshot->events_total / 322;
    snapshot->accepted_total = snapshot->events_total - snapshot->quarantined_total;
    snapshot->duplicate_total = 214;
    snapshot->decisions[DECISION_APPROVE] = 697000;
    snapshot->decisions[DECISION_REVIEW] = 34400;
    snapshot->decisions[DECISION_DECLINE] = 17200;
    snapshot->decisions_usual[DECISION_APPROVE] = 940000000 / 100;
    snapshot->decisions_usual[DECISION_REVIEW] = 42000000 / 100;
    snapshot->decisions_usual[DECISION_DECLINE] = 18000000 / 100;
    for (int i = 0; i < SCORE_BINS; i++)
        snapshot->score_bins[i] =
            (uint64_t)(4e6 * exp(-i * 0.62) + 9000 * exp(-pow(i - 18, 2) / 4));
    add_quarantine(snapshot, "enum", snapshot->quarantined_total / 8);
    add_quarantine(snapshot, "future", snapshot->quarantined_total / 2);
    add_quarantine(snapshot, "missing", snapshot->quarantined_total / 4);
    add_quarantine(snapshot, "not_json", snapshot->quarantined_total / 8);
    snapshot->tree_size = snapshot->accepted_total;
    memset(snapshot->root, 0xa7, sizeof snapshot->root);
    snapshot->queue_depth = 112;
    snapshot->queue_capacity = 65536;
    snapshot->feature_entities = 48211;
    snapshot->feature_bytes = 91400000;
    add_recent(snapshot, now_s);
}

static void fill_full(struct snapshot *snapshot, double now_s)
{
    fill_work(snapshot, now_s);
    fill_histories(snapshot, now_s, 1);
    snapshot->latency_us = latency(412, 780, 1240, 748600);
    add_arm(snapshot, VARIANT_CHAMPION, "12", 0.95, 0.9502, latency(410, 770, 1200, 711000));
    add_arm(snapshot, VARIANT_CANARY, "13", 0.05, 0.0498, latency(430, 810, 1310, 37600));
    add_arm(snapshot, VARIANT_SHADOW, "14", 0.10, 0.1003, latency(505, 930, 1500, 75100));
    add_slo(snapshot, "latency", 0.95, 0.9994, 0.988, 0.1, 32000000, HEALTH_OK);
    add_slo(snapshot, "availability", 0.995, 0.99981, 0.962, 0.1, 32000000, HEALTH_OK);
    add_slo(snapshot, "drift", 0.99, 1, 1, 0, 8640, HEALTH_OK);
    add_slo(snapshot, "freshness", 0.99, NAN, NAN, NAN, 0, HEALTH_NODATA);
    add_drift(snapshot, "score", 0.041, 0.012, 44812, HEALTH_OK);
    snapshot->decision_drift = snapshot->drift[0];
    snprintf(snapshot->decision_drift.feature, NAME_SIZE, "decisions");
    add_drift(snapshot, "tx_amount", 0.083, 0.03, 44812, HEALTH_OK);
    add_drift(snapshot, "country", 0.05, 0.02, 44812, HEALTH_OK);
    add_drift(snapshot, "customer_terminal_number_of_transactions_within_30_days", 0.021, 0.03,
              44812, HEALTH_OK);
    add_drift(snapshot, "device", NAN, NAN, 0, HEALTH_NODATA);
}

/* A canary that is given nothing, and windows that still fill. */
static void fill_young(struct snapshot *snapshot, double now_s)
{
    fill_full(snapshot, now_s);
    snapshot->n_arms = 0;
    add_arm(snapshot, VARIANT_CHAMPION, "12", 1, 1, latency(410, 770, 1200, 711000));
    add_arm(snapshot, VARIANT_CANARY, "13", 0, NAN, latency(NAN, NAN, NAN, 0));
    for (int i = 0; i < snapshot->n_drift; i++) {
        if (strcmp(snapshot->drift[i].feature, "country") == 0)
            snapshot->drift[i].warm_us = snapshot->time_us + US_PER_HOUR;
    }
}

static void fill_burning(struct snapshot *snapshot, double now_s)
{
    fill_work(snapshot, now_s);
    fill_histories(snapshot, now_s, 9);
    snapshot->latency_us = latency(420, 212000, 480000, 748600);
    snapshot->decisions[DECISION_DECLINE] = 36000;
    add_arm(snapshot, VARIANT_CHAMPION, "12", 0.75, 0.751, latency(410, 770, 1200, 562000));
    add_arm(snapshot, VARIANT_CANARY, "13", 0.25, 0.249, latency(188000, 402000, 690000, 186400));
    struct slo_status *slo =
        add_slo(snapshot, "latency", 0.95, 0.912, 0.38, 0, 32000000, HEALTH_PAGE);
    slo->burn[BURN_5M] = 17.6;
    slo->burn[BURN_1H] = 16.2;
    slo->burn[BURN_6H] = 4.1;
    slo->since_us = snapshot->time_us - 12 * US_PER_MIN - 11 * US_PER_S;
    add_slo(snapshot, "availability", 0.995, 0.9998, 0.96, 0.1, 32000000, HEALTH_OK);
    slo = add_slo(snapshot, "drift", 0.99, 0.979, -0.12, 3.2, 8640, HEALTH_TICKET);
    slo->since_us = snapshot->time_us - 200 * US_PER_MIN;
    add_slo(snapshot, "freshness", 0.99, 0.9991, 0.91, 0.2, 43200, HEALTH_OK);
    add_drift(snapshot, "tx_amount", 0.412, 0.004, 44812, HEALTH_TICKET);
    add_drift(snapshot, "score", 0.162, 0.012, 44812, HEALTH_OK);
    add_drift(snapshot, "country", 0.12, 0.02, 44812, HEALTH_OK);
    struct alert_status *alert = &snapshot->alerts[snapshot->n_alerts++];
    *alert = (struct alert_status){
        .state = "firing", .severity = "page", .since_us = snapshot->time_us - 12 * US_PER_MIN};
    snprintf(alert->name, sizeof alert->name, "latency-burn-fast");
    snprintf(alert->summary, sizeof alert->summary, "p95 212 ms of 200 ms, told #fraud-oncall");
}

#define HOSTILE "<img src=x onerror=alert(1)>\"'&\xe2\x80\xae"

static void fill_hostile(struct snapshot *snapshot, double now_s)
{
    fill_burning(snapshot, now_s);
    snprintf(snapshot->service, sizeof snapshot->service, "%s", HOSTILE);
    snprintf(snapshot->arms[0].model, sizeof snapshot->arms[0].model, "%s", HOSTILE);
    snprintf(snapshot->drift[0].feature, NAME_SIZE, "%s", HOSTILE);
    snprintf(snapshot->quarantine[0].name, NAME_SIZE, "%s", HOSTILE);
    snprintf(snapshot->slos[0].name, NAME_SIZE, "%s", HOSTILE);
    for (int i = 0; i < snapshot->n_recent; i++) {
        snprintf(snapshot->recent[i].event_id, NAME_SIZE, "%s%d", HOSTILE, i);
        snprintf(snapshot->recent[i].rule, NAME_SIZE,
                 "a-rule-with-an-uncommonly-long-name-%d-xxxxx", i);
    }
}

/* The disk is full: the service answers, and decides nothing. */
static void fill_stopped(struct snapshot *snapshot, double now_s)
{
    fill_full(snapshot, now_s);
    snapshot->ready = false;
    snapshot->record = (struct record_status){
        .used = true, .state = RECORD_RETRYING, .since_us = snapshot->time_us - 90 * US_PER_S};
}

static void publish(struct fake *fake, enum scene scene, uint64_t seq)
{
    struct snapshot *snapshot = snapshot_create();
    if (!snapshot)
        return;
    snapshot->seq = seq;
    snapshot->time_us = clock_now_us(fake->clock);
    snapshot->started_us = fake->started_us - 26 * US_PER_HOUR;
    snapshot->ready = scene != SCENE_STARTING;
    snapshot->events_per_s = NAN;
    snapshot->latency_us = latency(NAN, NAN, NAN, 0);
    snprintf(snapshot->service, sizeof snapshot->service, "fraud-eu");
    snprintf(snapshot->source, sizeof snapshot->source, "demo");
    double now_s = (double)snapshot->time_us / 1e6;
    if (scene == SCENE_STARTING) {
        snapshot->started_us = snapshot->time_us - 8 * US_PER_S;
        snprintf(snapshot->not_ready, sizeof snapshot->not_ready, "the model is being trained");
    }
    if (scene == SCENE_EMPTY) {
        add_arm(snapshot, VARIANT_CHAMPION, "1", 1, NAN, latency(NAN, NAN, NAN, 0));
        add_slo(snapshot, "latency", 0.95, NAN, NAN, NAN, 0, HEALTH_NODATA);
        add_slo(snapshot, "availability", 0.995, NAN, NAN, NAN, 0, HEALTH_NODATA);
        snapshot->events_per_s = 0;
        snapshot->queue_capacity = 65536;
    }
    if (scene == SCENE_FULL)
        fill_full(snapshot, now_s);
    if (scene == SCENE_BURNING)
        fill_burning(snapshot, now_s);
    if (scene == SCENE_YOUNG)
        fill_young(snapshot, now_s);
    if (scene == SCENE_HOSTILE)
        fill_hostile(snapshot, now_s);
    if (scene == SCENE_STOPPED)
        fill_stopped(snapshot, now_s);
    snapshot_publish(fake->board, snapshot);
}

static void *run_ticks(void *context)
{
    struct fake *fake = context;
    for (uint64_t seq = 1; !atomic_load(&fake->stopping); usleep(TICK_US)) {
        enum scene scene = (enum scene)atomic_load(&fake->scene);
        if (scene != SCENE_NONE && !atomic_load(&fake->paused))
            publish(fake, scene, seq++);
    }
    return NULL;
}

static void obey(struct fake *fake, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    if (strcmp(line, "pause") == 0)
        atomic_store(&fake->paused, true);
    if (strcmp(line, "go") == 0)
        atomic_store(&fake->paused, false);
    for (int i = 0; i < N_SCENES; i++) {
        if (strncmp(line, "scene ", 6) == 0 && strcmp(line + 6, scene_names[i]) == 0)
            atomic_store(&fake->scene, i);
    }
}

static int fake_score(void *context, const struct web_score_request *request, struct buffer *out,
                      struct error *error)
{
    (void)context;
    (void)error;
    buffer_printf(out, "{\"bytes\":%zu,\"reasons\":%d}", request->body.size, request->max_reasons);
    return 200;
}

static int fake_views(void *context, struct buffer *out, struct error *error)
{
    struct fake *fake = context;
    struct own_views views = {
        .n = 1,
        .views = {{.name = "money",
                   .title = "Money at risk",
                   .n_panels = 3,
                   .panels = {{"Declined, percent", "100 * decline / accepted", OWN_LINE},
                              {"Events a second", "events_per_s", OWN_NUMBER},
                              {"How long it took", "latency", OWN_HEAT}}}}};
    (void)error;
    if (atomic_load(&fake->scene) == SCENE_HOSTILE) {
        snprintf(views.views[0].title, sizeof views.views[0].title, "%s", HOSTILE);
        snprintf(views.views[0].panels[0].title, sizeof views.views[0].panels[0].title, "%s",
                 HOSTILE);
        snprintf(views.views[0].panels[0].expression, sizeof views.views[0].panels[0].expression,
                 "%s", HOSTILE);
    }
    own_views_json(&views, out);
    return 200;
}

int main(int argc, char **argv)
{
    struct fake fake = {.board = snapshot_board_create(), .clock = clock_create_wall()};
    if (!fake.board || !fake.clock)
        return 2;
    fake.started_us = clock_now_us(fake.clock);
    struct web_options options = {.listen = argc > 1 ? argv[1] : "127.0.0.1:0", .viewers = 4};
    struct web_backend backend = {
        .context = &fake, .board = fake.board, .score = fake_score, .views = fake_views};
    struct web *web = NULL;
    struct error error = {0};
    if (web_start(&options, &backend, &web, &error) != STATUS_OK) {
        fprintf(stderr, "web_fake_server: %s\n", error.message);
        return 2;
    }
    printf("listening %d\n", web_port(web));
    fflush(stdout);
    pthread_t ticks;
    if (pthread_create(&ticks, NULL, run_ticks, &fake) != 0)
        return 2;
    char line[64];
    while (fgets(line, sizeof line, stdin))
        obey(&fake, line);
    atomic_store(&fake.stopping, true);
    pthread_join(ticks, NULL);
    web_stop(web);
    snapshot_board_destroy(fake.board);
    clock_destroy(fake.clock);
    return 0;
}
