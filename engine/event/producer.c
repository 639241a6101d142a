/* A town of card holders. Each has a home country, a usual device and usual amounts (log-normal);
 * some shop much more often than others (zipf-like, drawn by A. J. Walker's alias method, 1977);
 * purchases come as a Poisson process whose rate follows the hour unless it is to be steady. Now
 * and then somebody's card is misused: that schedules a few fraudulent purchases for the minutes
 * after, kept in a heap by time and mixed in among the honest ones; misuses from before the start
 * are under way at the start. Everything is drawn from one seed. One thread. */
#include "engine/event/producer.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/event/producer_priv.h"

#define PRODUCER_MAGIC         0x920D0CE2u
#define MAX_USERS              10000000
#define MAX_SCHEDULED          8192
#define LONGEST_MISUSE_S       5400 /* from the honest purchase to the last fraud */
#define MAX_AMOUNT             5000.0
#define MIN_AMOUNT             0.5
#define DAY_SWING              0.55
#define BUSIEST_HOUR           15.0
#define DEFAULT_LABEL_DELAY_US (3 * US_PER_DAY)

struct user {
    float log_mean, log_deviation; /* of amounts */
    uint8_t home, device;
    uint8_t away;          /* country of a journey */
    int64_t away_until_us; /* 0: at home */
    float alias_share;     /* alias table: below it this user, else alias_user */
    uint32_t alias_user;
};

struct producer {
    unsigned magic;
    struct producer_options options;
    struct chance chance;
    struct user *users;
    struct draft *scheduled; /* frauds to come: a heap, earliest first */
    int n_scheduled;
    double clock_us; /* of the next honest purchase */
    double misuse_chance;
    int64_t last_us; /* of the last event given out */
    char earlier_id[27];
    char json[PRODUCER_JSON_SIZE];
};

/* Draws an index by weights that add up to 1. */
static int draw(struct chance *chance, const double *weights, int n)
{
    double share = chance_share(chance);
    int i = 0;
    while (i < n - 1 && share >= weights[i])
        share -= weights[i++];
    return i;
}

static void make_user(struct producer *producer, struct user *user)
{
    static const double homes[PRODUCER_COUNTRIES] = {.38, .14, .16, .11, .09, .06, .06};
    static const double devices[PRODUCER_DEVICES] = {.38, .37, .25};
    struct chance *chance = &producer->chance;
    user->log_mean = (float)(3.4 + 0.6 * chance_normal(chance));
    user->log_deviation = (float)chance_between(chance, 0.4, 0.8);
    user->home = (uint8_t)draw(chance, homes, PRODUCER_COUNTRIES);
    user->device = (uint8_t)draw(chance, devices, PRODUCER_DEVICES);
}

/* Walker's alias table for weights (i/n + 0.02)^-0.7: the busiest users shop some ten times as
 * often as the middle one. `work` holds n doubles, `order` n indices. */
static void fill_alias_table(struct user *users, int64_t n, double *work, uint32_t *order)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += work[i] = pow((double)i / (double)n + 0.02, -0.7);
    int64_t small = 0; /* order: those below the mean from the front, the others from the back */
    int64_t large = n;
    for (int64_t i = 0; i < n; i++) {
        work[i] *= (double)n / sum;
        order[work[i] < 1 ? small++ : --large] = (uint32_t)i;
    }
    int64_t next_large = n;
    int64_t at = 0;
    while (at < small && next_large > large) {
        uint32_t poor = order[at++];
        uint32_t rich = order[next_large - 1];
        users[poor].alias_share = (float)work[poor];
        users[poor].alias_user = rich;
        work[rich] -= 1 - work[poor];
        if (work[rich] < 1) { /* has become poor: at + 1 <= next_large keeps the room for it */
            next_large--;
            order[--at] = rich;
        }
    }
    while (at < small) {
        users[order[at]].alias_share = 1;
        users[order[at]].alias_user = order[at];
        at++;
    }
    while (next_large > large) {
        next_large--;
        users[order[next_large]].alias_share = 1;
        users[order[next_large]].alias_user = order[next_large];
    }
}

static bool make_users(struct producer *producer)
{
    int64_t n = producer->options.n_users;
    double *work = calloc((size_t)n, sizeof *work);
    uint32_t *order = calloc((size_t)n, sizeof *order);
    producer->users = calloc((size_t)n, sizeof *producer->users);
    bool made = work && order && producer->users;
    if (made) {
        for (int64_t i = 0; i < n; i++)
            make_user(producer, &producer->users[i]);
        fill_alias_table(producer->users, n, work, order);
    }
    free(work);
    free(order);
    return made;
}

static enum status check_options(const struct producer_options *options, struct error *error)
{
    if (!(options->rate_per_s > 0 && options->rate_per_s <= 1e7))
        return error_set(error, STATUS_INVALID,
                         "events per second must be above 0 and at most 10 million, not %g",
                         options->rate_per_s);
    if (options->n_users < 0 || options->n_users > MAX_USERS)
        return error_set(error, STATUS_INVALID, "users must be 0 (by the rate) to %d, not %lld",
                         MAX_USERS, (long long)options->n_users);
    if (!(options->fraud_share >= 0 && options->fraud_share <= 0.5))
        return error_set(error, STATUS_INVALID, "the share of frauds must be 0 to 0.5, not %g",
                         options->fraud_share);
    if (!(options->bad_share >= 0 && options->bad_share <= 1))
        return error_set(error, STATUS_INVALID, "the share of bad events must be 0 to 1, not %g",
                         options->bad_share);
    if (options->start_us < 0 || options->label_delay_us < 0)
        return error_set(error, STATUS_INVALID, "times and delays must not be negative");
    return STATUS_OK;
}

void producer_destroy(struct producer *producer)
{
    if (!producer)
        return;
    assert(producer->magic == PRODUCER_MAGIC);
    producer->magic = 0;
    free(producer->users);
    free(producer->scheduled);
    free(producer);
}

static void swap_drafts(struct draft *a, struct draft *b)
{
    struct draft kept = *a;
    *a = *b;
    *b = kept;
}

static void schedule(struct producer *producer, const struct draft *draft)
{
    struct draft *heap = producer->scheduled;
    if (producer->n_scheduled == MAX_SCHEDULED)
        return; /* a share this high cannot be kept up; the next ones find room */
    int at = producer->n_scheduled++;
    heap[at] = *draft;
    while (at > 0 && heap[at].time_us < heap[(at - 1) / 2].time_us) {
        swap_drafts(&heap[at], &heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static struct draft take_scheduled(struct producer *producer)
{
    struct draft *heap = producer->scheduled;
    struct draft first = heap[0];
    int n = --producer->n_scheduled;
    heap[0] = heap[n];
    for (int at = 0;;) {
        int child = 2 * at + 1;
        if (child >= n)
            return first;
        if (child + 1 < n && heap[child + 1].time_us < heap[child].time_us)
            child++;
        if (heap[at].time_us <= heap[child].time_us)
            return first;
        swap_drafts(&heap[at], &heap[child]);
        at = child;
    }
}

static double to_cents(double amount)
{
    return round(fmin(fmax(amount, MIN_AMOUNT), MAX_AMOUNT) * 100) / 100;
}

static int other_country(struct chance *chance, int home)
{
    return (home + 1 + chance_below(chance, PRODUCER_COUNTRIES - 1)) % PRODUCER_COUNTRIES;
}

/* What the middle purchase of this user costs. */
static double usual_amount(const struct user *user)
{
    return exp((double)user->log_mean);
}

/* The purchases of one misuse, from the victim's honest purchase on. */
static void plan_stolen_card(struct producer *producer, struct draft draft)
{
    struct chance *chance = &producer->chance;
    const struct user *user = &producer->users[draft.user];
    int n = 6 + chance_below(chance, 11);
    if (chance_happens(chance, 0.3))
        draft.country = other_country(chance, user->home);
    for (int i = 0; i < n; i++) {
        draft.time_us += (int64_t)(chance_between(chance, 10, 75) * US_PER_S);
        bool trial = i < 2; /* thieves try the card with something small first */
        draft.amount = trial ? chance_between(chance, 1, 5)
                             : usual_amount(user) * chance_between(chance, 1.5, 5);
        draft.device = chance_happens(chance, 0.85) ? PRODUCER_WEB : user->device;
        schedule(producer, &draft);
    }
}

static void plan_high_amount(struct producer *producer, struct draft draft)
{
    struct chance *chance = &producer->chance;
    const struct user *user = &producer->users[draft.user];
    int n = 1 + chance_below(chance, 3);
    for (int i = 0; i < n; i++) {
        draft.time_us += (int64_t)(chance_between(chance, 120, 1800) * US_PER_S);
        draft.amount = fmax(usual_amount(user) * chance_between(chance, 8, 20), 350);
        draft.device = chance_happens(chance, 0.6) ? PRODUCER_WEB : user->device;
        schedule(producer, &draft);
    }
}

static void plan_country_hop(struct producer *producer, struct draft draft)
{
    struct chance *chance = &producer->chance;
    const struct user *user = &producer->users[draft.user];
    int n = 2 + chance_below(chance, 4);
    draft.country = other_country(chance, draft.country);
    for (int i = 0; i < n; i++) {
        draft.time_us += (int64_t)(chance_between(chance, 60, 420) * US_PER_S);
        draft.amount = usual_amount(user) * chance_between(chance, 1.5, 6);
        draft.device = chance_happens(chance, 0.5) ? PRODUCER_WEB : user->device;
        schedule(producer, &draft);
    }
}

/* How misuses are shared out and how many purchases each brings, on average. */
static const struct {
    double share, purchases;
    void (*plan)(struct producer *producer, struct draft draft);
} plans[SCENARIO_COUNT] = {
    [SCENARIO_STOLEN_CARD] = {0.5, 11, plan_stolen_card},
    [SCENARIO_HIGH_AMOUNT] = {0.3, 2, plan_high_amount},
    [SCENARIO_COUNTRY_HOP] = {0.2, 3.5, plan_country_hop},
};

/* How likely an honest purchase is to begin a misuse, for the asked share of frauds. */
static double misuse_chance(const struct producer *producer)
{
    double share = producer->options.fraud_share;
    double purchases = 0;
    for (int i = 0; i < SCENARIO_COUNT; i++)
        purchases += plans[i].share * plans[i].purchases;
    return share / (1 - share) / purchases;
}

static void misuse(struct producer *producer, struct draft draft)
{
    double weights[SCENARIO_COUNT];
    for (int i = 0; i < SCENARIO_COUNT; i++)
        weights[i] = plans[i].share;
    draft.scenario = (enum producer_scenario)draw(&producer->chance, weights, SCENARIO_COUNT);
    plans[draft.scenario].plan(producer, draft);
}

static double rhythm(const struct producer *producer)
{
    if (producer->options.steady)
        return 1;
    double hour = fmod(producer->clock_us / (double)US_PER_HOUR, 24);
    return 1 + DAY_SWING * cos(2 * 3.14159265358979323846 * (hour - BUSIEST_HOUR) / 24);
}

/* The quietest hour's rate bounds a short run. Over any longer time the rhythm's integral lacks at
 * most what half a period takes away, DAY_SWING * day / pi. */
int64_t producer_longest_us(int64_t count, double rate_per_s)
{
    double events = (double)count + 5 * sqrt((double)count); /* five standard deviations, Poisson */
    double mean_us = events / rate_per_s * (double)US_PER_S;
    double lacking_us = DAY_SWING * (double)US_PER_DAY / 3.14159265358979323846;
    return (int64_t)fmin(mean_us / (1 - DAY_SWING), mean_us + lacking_us);
}

static int country_of(struct producer *producer, struct user *user, int64_t time_us)
{
    struct chance *chance = &producer->chance;
    if (user->away_until_us > time_us)
        return user->away;
    if (!chance_happens(chance, 0.0002))
        return user->home;
    user->away = (uint8_t)other_country(chance, user->home);
    user->away_until_us = time_us + (int64_t)(chance_between(chance, 0.5, 4) * (double)US_PER_DAY);
    return user->away;
}

static struct draft honest_purchase(struct producer *producer)
{
    struct chance *chance = &producer->chance;
    int64_t index = (int64_t)(chance_share(chance) * (double)producer->options.n_users);
    if (chance_share(chance) >= (double)producer->users[index].alias_share)
        index = producer->users[index].alias_user;
    struct user *user = &producer->users[index];
    int64_t time_us = (int64_t)producer->clock_us;
    double spread = (double)user->log_deviation * chance_normal(chance);
    return (struct draft){
        .time_us = time_us,
        .user = index,
        .amount = exp((double)user->log_mean + spread),
        .country = country_of(producer, user, time_us),
        .device =
            chance_happens(chance, 0.92) ? user->device : chance_below(chance, PRODUCER_DEVICES),
    };
}

/* To the next of the honest purchases, or of those in so many of them. */
static void advance(struct producer *producer, double share)
{
    double rate = share * producer->options.rate_per_s * rhythm(producer);
    producer->clock_us += chance_exponential(&producer->chance) * (double)US_PER_S / rate;
}

/* The next purchase in time, honest or not. */
static struct draft next_draft(struct producer *producer)
{
    if (producer->n_scheduled > 0 && (double)producer->scheduled[0].time_us <= producer->clock_us)
        return take_scheduled(producer);
    struct draft honest = honest_purchase(producer);
    if (chance_happens(&producer->chance, producer->misuse_chance))
        misuse(producer, honest);
    advance(producer, 1);
    return honest;
}

/* Misuses that began before the first event are under way when it comes; otherwise the first
 * minutes would have too few frauds. As far back as purchases can lie and as there is room for. */
static void begin_misuses(struct producer *producer)
{
    double start_us = producer->clock_us;
    double per_s = producer->options.rate_per_s * producer->misuse_chance;
    double back_s = fmin(LONGEST_MISUSE_S, per_s > 0 ? MAX_SCHEDULED / per_s : 0);
    producer->clock_us = fmax(start_us - back_s * (double)US_PER_S, 0);
    while (per_s > 0 && producer->clock_us < start_us) {
        misuse(producer, honest_purchase(producer));
        while (producer->n_scheduled > 0 && (double)producer->scheduled[0].time_us < start_us)
            take_scheduled(producer);
        advance(producer, producer->misuse_chance);
    }
    producer->clock_us = start_us;
}

enum status producer_create(const struct producer_options *options, struct producer **out,
                            struct error *error)
{
    *out = NULL;
    enum status status = check_options(options, error);
    if (status != STATUS_OK)
        return status;
    struct producer *producer = calloc(1, sizeof *producer);
    if (!producer)
        return error_set(error, STATUS_MEMORY, "no memory for the producer");
    producer->magic = PRODUCER_MAGIC;
    producer->options = *options;
    if (options->n_users == 0) {
        double users = fmin(fmax(500 * options->rate_per_s, 2000), MAX_USERS);
        producer->options.n_users = (int64_t)users;
    }
    if (options->label_delay_us == 0)
        producer->options.label_delay_us = DEFAULT_LABEL_DELAY_US;
    producer->last_us = (options->start_us + 999) / 1000 * 1000;
    producer->clock_us = (double)producer->last_us;
    chance_seed(&producer->chance, options->seed);
    producer->scheduled = calloc(MAX_SCHEDULED, sizeof *producer->scheduled);
    if (!producer->scheduled || !make_users(producer)) {
        producer_destroy(producer);
        return error_set(error, STATUS_MEMORY, "no memory for %lld synthetic users",
                         (long long)options->n_users);
    }
    producer->misuse_chance = misuse_chance(producer);
    begin_misuses(producer);
    *out = producer;
    return STATUS_OK;
}

static int64_t label_time(struct producer *producer, const struct draft *draft)
{
    double delay_us = (double)producer->options.label_delay_us;
    delay_us *= draft->scenario == SCENARIO_NONE ? 2 : chance_exponential(&producer->chance);
    return draft->time_us + (int64_t)delay_us;
}

static void make_bad(struct producer *producer, const struct draft *draft,
                     struct producer_event *out)
{
    enum violation_code code = VIOLATION_NOT_JSON;
    size_t size = producer_bad_json(&producer->chance, draft, out->event_id, producer->earlier_id,
                                    producer->json, &code);
    out->json = slice_make(producer->json, size);
    out->label = -1;
    out->bad = (int)code;
    out->label_time_us = INT64_MAX;
}

void producer_next(struct producer *producer, struct producer_event *out)
{
    assert(producer->magic == PRODUCER_MAGIC);
    struct draft draft = next_draft(producer);
    draft.time_us -= draft.time_us % 1000;
    if (draft.time_us < producer->last_us)
        draft.time_us = producer->last_us;
    producer->last_us = draft.time_us;
    draft.amount = to_cents(draft.amount);
    producer_ulid(&producer->chance, draft.time_us, out->event_id);
    out->time_us = draft.time_us;
    out->scenario = draft.scenario;
    out->user = draft.user;
    if (chance_happens(&producer->chance, producer->options.bad_share)) {
        make_bad(producer, &draft, out);
        return;
    }
    out->json = slice_make(producer->json, producer_json(&draft, out->event_id, producer->json));
    out->label = draft.scenario != SCENARIO_NONE;
    out->bad = -1;
    out->label_time_us = label_time(producer, &draft);
    memcpy(producer->earlier_id, out->event_id, sizeof producer->earlier_id);
}
