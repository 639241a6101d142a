/* The whole of it: every snapshot is held against every rule; what changes is put into the outbox
 * before anything is told. Called by the tick; the sender has a thread of its own. */
#include "alerts/alerts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/channel.h"
#include "alerts/outbox.h"
#include "alerts/rule.h"
#include "alerts/sender.h"
#include "alerts/vocabulary.h"
#include "engine/base/clock.h"
#include "engine/base/hash.h"
#include "engine/base/thread.h"

#define BODY_BYTES (1u << 18)

/* One rule's alert as it stands. */
struct alert {
    struct machine machine;
    struct hold hold;
    double value;
    char summary[200];
};

struct alerts {
    struct vocabulary *vocabulary;
    struct rules_set *rules;
    struct channels *channels;
    struct outbox *outbox;
    struct outbox *spare; /* in memory: what must be told while the disk takes nothing */
    bool unsaved;         /* states have changed that are not on the disk */
    struct sender *sender;
    struct log *log;
    struct clock *wall;
    char service[NAME_SIZE];
    char *link;
    struct value *slots;
    struct lock lock;            /* of the two that follow: people change them between ticks */
    struct alert *alerts, *next; /* one per rule; `next` is what a snapshot makes of them */
    struct buffer body;
};

/* ---- making ---- */

static enum status read_parts(const struct alerts_options *options, struct alerts *alerts,
                              struct error *error)
{
    enum status status = vocabulary_create(options->slos, options->n_slos, options->columns,
                                           options->n_columns, &alerts->vocabulary, error);
    if (status == STATUS_OK)
        status = rules_set_read(options->rules, options->slos, options->n_slos, alerts->vocabulary,
                                &alerts->rules, error);
    if (status == STATUS_OK)
        status = channels_read(options->channels, options->folder, &alerts->channels, error);
    return status;
}

static enum status check_channels(const struct alerts *alerts, struct error *error)
{
    for (int i = 0; i < rules_set_count(alerts->rules); i++) {
        const struct rule *rule = rules_set_get(alerts->rules, i);
        for (int c = 0; c < rule->n_channels; c++) { /* only rules of the file name any */
            if (channels_find(alerts->channels, rule->channels[c]) < 0)
                return yaml_error(yaml_item(yaml_get(rule->node, "channels"), (size_t)c), error,
                                  "there is no channel \"%s\"", rule->channels[c]);
        }
    }
    return STATUS_OK;
}

static enum status allocate(struct alerts *alerts, const struct alerts_options *options,
                            struct error *error)
{
    size_t n_slots, n = (size_t)rules_set_count(alerts->rules) + 1;
    vocabulary_symbols(alerts->vocabulary, &n_slots);
    snprintf(alerts->service, sizeof alerts->service, "%s",
             options->service ? options->service : "binnacle");
    alerts->log = options->log;
    alerts->link = options->link ? strdup(options->link) : NULL;
    alerts->slots = calloc(n_slots + 1, sizeof *alerts->slots);
    alerts->alerts = calloc(n, sizeof *alerts->alerts);
    alerts->next = calloc(n, sizeof *alerts->next);
    alerts->wall = clock_create_wall();
    if ((options->link && !alerts->link) || !alerts->slots || !alerts->alerts || !alerts->next ||
        !alerts->wall)
        return error_set(error, STATUS_MEMORY, "out of memory");
    return STATUS_OK;
}

static enum status take_up_state(struct alerts *alerts, struct error *error)
{
    for (int i = 0; i < rules_set_count(alerts->rules); i++) {
        const struct rule *rule = rules_set_get(alerts->rules, i);
        enum status status =
            outbox_state(alerts->outbox, rule->name, &alerts->alerts[i].machine, error);
        if (status == STATUS_OK)
            status = outbox_hold(alerts->outbox, rule->name, &alerts->alerts[i].hold, error);
        if (status != STATUS_OK)
            return status;
        alerts->alerts[i].value = (double)NAN;
        /* The words of before are not stored; the next snapshot in which it holds makes new ones.
         */
        snprintf(alerts->alerts[i].summary, sizeof alerts->alerts[i].summary, "%s", rule->name);
    }
    return STATUS_OK;
}

enum status alerts_create(const struct alerts_options *options, struct alerts **alerts,
                          struct error *error)
{
    *alerts = NULL;
    struct alerts *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    buffer_init(&made->body, BODY_BYTES);
    lock_init(&made->lock, "alerts");
    enum status status = read_parts(options, made, error);
    if (status == STATUS_OK)
        status = check_channels(made, error);
    if (status == STATUS_OK)
        status = allocate(made, options, error);
    if (status == STATUS_OK)
        status = outbox_open(options->path, &made->outbox, error);
    if (status == STATUS_OK)
        status = outbox_open(NULL, &made->spare, error);
    if (status == STATUS_OK)
        status = take_up_state(made, error);
    if (status == STATUS_OK && channels_count(made->channels) > 0)
        status = sender_start(made->outbox, made->spare, made->channels, made->log, &made->sender,
                              error);
    if (status != STATUS_OK) {
        alerts_destroy(made);
        return status;
    }
    *alerts = made;
    return STATUS_OK;
}

void alerts_destroy(struct alerts *alerts)
{
    if (!alerts)
        return;
    sender_stop(alerts->sender);
    outbox_close(alerts->spare);
    outbox_close(alerts->outbox);
    channels_destroy(alerts->channels);
    rules_set_destroy(alerts->rules);
    vocabulary_destroy(alerts->vocabulary);
    clock_destroy(alerts->wall);
    lock_destroy(&alerts->lock);
    buffer_free(&alerts->body);
    free(alerts->next);
    free(alerts->alerts);
    free(alerts->slots);
    free(alerts->link);
    free(alerts);
}

enum status alerts_check(const struct alerts_options *options, struct error *error)
{
    struct alerts *alerts = calloc(1, sizeof *alerts);
    if (!alerts)
        return error_set(error, STATUS_MEMORY, "out of memory");
    buffer_init(&alerts->body, BODY_BYTES);
    lock_init(&alerts->lock, "alerts");
    enum status status = read_parts(options, alerts, error);
    if (status == STATUS_OK)
        status = check_channels(alerts, error);
    alerts_destroy(alerts);
    return status;
}

/* ---- evaluating ---- */

static void make_keys(const struct alerts *alerts, const struct rule *rule,
                      const struct machine *machine, char fingerprint[33])
{
    char incident[2 * NAME_SIZE + 32];
    int size = snprintf(incident, sizeof incident, "%s\n%s\n%lld", alerts->service, rule->name,
                        (long long)machine->fired_us);
    struct hash128 hash = hash128(incident, (size_t)size, 0);
    snprintf(fingerprint, 33, "%016llx%016llx", (unsigned long long)hash.high,
             (unsigned long long)hash.low);
}

static bool goes_to(const struct rule *rule, const char *channel)
{
    for (int i = 0; i < rule->n_channels; i++) {
        if (strcmp(rule->channels[i], channel) == 0)
            return true;
    }
    return rule->n_channels == 0;
}

static enum status tell(struct alerts *alerts, struct outbox *outbox, const struct rule *rule,
                        const struct alert *alert, enum transition transition,
                        const struct snapshot *snapshot, struct error *error)
{
    char fingerprint[33], key[OUTBOX_KEY_SIZE];
    make_keys(alerts, rule, &alert->machine, fingerprint);
    struct notice notice = {
        .service = alerts->service,
        .name = rule->name,
        .severity = rule->page ? "page" : "ticket",
        .summary = alert->summary,
        .link = alerts->link,
        .fingerprint = fingerprint,
        .transition = transition,
        .value = alert->value,
        .fired_us = alert->machine.fired_us,
        .at_us = snapshot->time_us,
        .explanation = transition == TRANSITION_FIRING ? snapshot_explanation(snapshot) : NULL,
    };
    for (int i = 0; i < channels_count(alerts->channels); i++) {
        const char *channel = channels_name(alerts->channels, i);
        if (!goes_to(rule, channel))
            continue;
        buffer_reset(&alerts->body);
        channel_render(alerts->channels, i, &notice, &alerts->body);
        struct hash128 id = hash128(channel, strlen(channel), (uint64_t)transition);
        snprintf(key, sizeof key, "%s-%d-%08x", fingerprint, (int)transition, (unsigned)id.low);
        enum status status = outbox_put(outbox, key, channel, buffer_slice(&alerts->body),
                                        clock_now_us(alerts->wall), error);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* What a snapshot makes of one alert. */
static enum transition step(struct alerts *alerts, int i, int64_t now_us)
{
    const struct rule *rule = rules_set_get(alerts->rules, i);
    struct alert *alert = &alerts->next[i];
    *alert = alerts->alerts[i];
    double value = (double)NAN;
    enum condition condition = rule_evaluate(rule, alerts->slots, &value);
    enum transition transition = machine_step(&rule->times, &alert->machine, now_us, condition);
    /* A resolved alert keeps the words it fired with. */
    if (condition == CONDITION_TRUE) {
        alert->value = value;
        template_render(rule->summary, alerts->slots, alert->summary, sizeof alert->summary);
    }
    return hold_step(&alert->hold, &alert->machine, now_us, transition);
}

static bool has_changed(const struct alerts *alerts, int i)
{
    const struct machine *old = &alerts->alerts[i].machine, *new = &alerts->next[i].machine;
    return old->phase != new->phase || old->since_us != new->since_us ||
           old->clear_us != new->clear_us || old->fired_us != new->fired_us ||
           alerts->alerts[i].hold.untold != alerts->next[i].hold.untold;
}

/* `all`: the states that have not changed, too. */
static enum status write_changes(struct alerts *alerts, struct outbox *outbox, bool all,
                                 const enum transition *transitions,
                                 const struct snapshot *snapshot, struct error *error)
{
    enum status status = outbox_begin(outbox, error);
    if (status != STATUS_OK)
        return status;
    for (int i = 0; i < rules_set_count(alerts->rules) && status == STATUS_OK; i++) {
        const struct rule *rule = rules_set_get(alerts->rules, i);
        if (all || has_changed(alerts, i))
            status = outbox_put_state(outbox, rule->name, &alerts->next[i].machine, error);
        if (status == STATUS_OK && (all || has_changed(alerts, i)))
            status = outbox_put_hold(outbox, rule->name, &alerts->next[i].hold, error);
        if (status == STATUS_OK && transitions[i] != TRANSITION_NONE)
            status = tell(alerts, outbox, rule, &alerts->next[i], transitions[i], snapshot, error);
    }
    return outbox_commit(outbox, status, error);
}

/* People are told of a full disk although nothing can be written on it: then the messages go
 * through memory, and the states are written as soon as that is possible. */
static enum status keep_changes(struct alerts *alerts, const enum transition *transitions,
                                const struct snapshot *snapshot)
{
    struct error error;
    /* What hangs is not waited for: it is the disk of the ledger. */
    enum status status =
        snapshot_disk_answers(snapshot)
            ? write_changes(alerts, alerts->outbox, alerts->unsaved, transitions, snapshot, &error)
            : error_set(&error, STATUS_UNAVAILABLE, "%s", snapshot->not_ready);
    if (status == STATUS_OK && alerts->unsaved)
        log_write(alerts->log, LOG_INFO, "alerts", "state_written", "alerts.db is written again");
    if (status != STATUS_OK && !alerts->unsaved)
        log_write(alerts->log, LOG_ERROR, "alerts", "state_not_written",
                  "%s; messages are sent from memory until it can be written", error.message);
    alerts->unsaved = status != STATUS_OK;
    if (status != STATUS_OK)
        status = write_changes(alerts, alerts->spare, false, transitions, snapshot, &error);
    return status;
}

static bool evaluate(struct alerts *alerts, const struct snapshot *snapshot)
{
    enum transition transitions[MAX_RULES];
    int n = rules_set_count(alerts->rules);
    bool changed = false;
    vocabulary_values(alerts->vocabulary, snapshot, alerts->slots);
    for (int i = 0; i < n; i++) {
        transitions[i] = step(alerts, i, snapshot->time_us);
        changed = changed || has_changed(alerts, i);
    }
    /* If even memory is short the old state stays: the next snapshot makes the same of it. */
    if ((changed || alerts->unsaved) && keep_changes(alerts, transitions, snapshot) != STATUS_OK)
        return false;
    memcpy(alerts->alerts, alerts->next, (size_t)n * sizeof *alerts->alerts);
    return changed;
}

void alerts_evaluate(struct alerts *alerts, const struct snapshot *snapshot)
{
    lock_take(&alerts->lock);
    bool changed = evaluate(alerts, snapshot);
    lock_release(&alerts->lock);
    if (changed && alerts->sender)
        sender_wake(alerts->sender);
}

/* ---- what people do about them ---- */

static int find(const struct alerts *alerts, const char *name)
{
    for (int i = 0; i < rules_set_count(alerts->rules); i++) {
        if (strcmp(rules_set_get(alerts->rules, i)->name, name) == 0)
            return i;
    }
    return -1;
}

bool alerts_has(const struct alerts *alerts, const char *name)
{
    return find(alerts, name) >= 0;
}

static enum status keep_hold(struct alerts *alerts, int i, const struct hold *hold,
                             struct error *error)
{
    enum status status = outbox_begin(alerts->outbox, error);
    if (status != STATUS_OK)
        return status;
    status = outbox_put_hold(alerts->outbox, rules_set_get(alerts->rules, i)->name, hold, error);
    status = outbox_commit(alerts->outbox, status, error);
    if (status == STATUS_OK)
        alerts->alerts[i].hold = *hold;
    return status;
}

enum status alerts_silence(struct alerts *alerts, const char *name, int64_t until_us,
                           struct error *error)
{
    int i = find(alerts, name);
    if (i < 0)
        return error_set(error, STATUS_NOT_FOUND, "there is no alert called %.100s", name);
    lock_take(&alerts->lock);
    struct hold hold = alerts->alerts[i].hold;
    hold.silent_until_us = until_us;
    enum status status = keep_hold(alerts, i, &hold, error);
    lock_release(&alerts->lock);
    return status;
}

enum status alerts_acknowledge(struct alerts *alerts, const char *name, const char *who,
                               struct error *error)
{
    int i = find(alerts, name);
    if (i < 0)
        return error_set(error, STATUS_NOT_FOUND, "there is no alert called %.100s", name);
    lock_take(&alerts->lock);
    struct hold hold = alerts->alerts[i].hold;
    enum status status = STATUS_OK;
    if (alerts->alerts[i].machine.phase != PHASE_FIRING)
        status = error_set(error, STATUS_CONFLICT, "%.100s does not fire", name);
    hold.fired_us = alerts->alerts[i].machine.fired_us;
    snprintf(hold.by, sizeof hold.by, "%s", who);
    if (status == STATUS_OK)
        status = keep_hold(alerts, i, &hold, error);
    lock_release(&alerts->lock);
    return status;
}

/* ---- showing ---- */

static int compare(const void *a, const void *b)
{
    const struct alert_status *left = a, *right = b;
    int pages = (strcmp(right->severity, "page") == 0) - (strcmp(left->severity, "page") == 0);
    if (pages != 0)
        return pages;
    return (left->since_us < right->since_us) - (left->since_us > right->since_us);
}

static void add_counts(struct outbox_status *sum, const struct outbox_status *more)
{
    sum->waiting += more->waiting;
    sum->sent += more->sent;
    sum->retried += more->retried;
    sum->dead += more->dead;
    if (more->oldest_us > 0 && (sum->oldest_us == 0 || more->oldest_us < sum->oldest_us))
        sum->oldest_us = more->oldest_us;
}

void alerts_fill(struct alerts *alerts, struct snapshot *snapshot)
{
    lock_take(&alerts->lock);
    snapshot->n_alerts = 0;
    for (int i = 0; i < rules_set_count(alerts->rules); i++) {
        const struct rule *rule = rules_set_get(alerts->rules, i);
        const struct alert *alert = &alerts->alerts[i];
        if (alert->machine.phase == PHASE_INACTIVE || snapshot->n_alerts == MAX_SNAPSHOT_ALERTS)
            continue;
        struct alert_status *status = &snapshot->alerts[snapshot->n_alerts++];
        snprintf(status->name, sizeof status->name, "%s", rule->name);
        snprintf(status->state, sizeof status->state, "%s",
                 machine_phase_name(alert->machine.phase));
        snprintf(status->severity, sizeof status->severity, "%s", rule->page ? "page" : "ticket");
        snprintf(status->summary, sizeof status->summary, "%s", alert->summary);
        status->since_us = alert->machine.since_us;
        status->value = alert->value;
        if (alert->hold.silent_until_us > snapshot->time_us)
            status->silent_until_us = alert->hold.silent_until_us;
        if (hold_is_taken(&alert->hold, &alert->machine))
            snprintf(status->acknowledged_by, sizeof status->acknowledged_by, "%s", alert->hold.by);
    }
    lock_release(&alerts->lock);
    qsort(snapshot->alerts, (size_t)snapshot->n_alerts, sizeof snapshot->alerts[0], compare);
    struct outbox_status spare = {0};
    outbox_count(alerts->outbox, &snapshot->outbox);
    outbox_count(alerts->spare, &spare);
    add_counts(&snapshot->outbox, &spare);
}
