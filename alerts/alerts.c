/* The whole of it: every snapshot is held against every rule; what changes is kept in memory, from
 * where one thread writes it down and another tells it. Called by the judge's thread, which waits
 * for no disk. What people do about alerts is in alerts_people.c. */
#include "alerts/alerts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/alerts_priv.h"
#include "engine/base/hash.h"

#define DISK_TIMEOUT_US (5 * US_PER_S)
#define LINK_MOST       2000 /* bytes; browsers and chats take no longer ones */

/* ---- making ---- */

static enum status make_empty(struct alerts **made, struct error *error)
{
    struct alerts *alerts = *made = calloc(1, sizeof *alerts);
    if (!alerts)
        return error_set(error, STATUS_MEMORY, "out of memory");
    buffer_init(&alerts->body, OUTBOX_BODY_BYTES);
    lock_init(&alerts->lock, "alerts");
    condition_init(&alerts->answered);
    return STATUS_OK;
}

static enum status read_parts(const struct alerts_options *options, struct alerts *alerts,
                              struct error *error)
{
    if (options->link && strlen(options->link) > LINK_MOST)
        return error_set(error, STATUS_INVALID, "link is longer than %d bytes", LINK_MOST);
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
    alerts->disk_timeout_us =
        options->disk_timeout_us > 0 ? options->disk_timeout_us : DISK_TIMEOUT_US;
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
    enum status status = STATUS_OK;
    for (int i = 0; i < rules_set_count(alerts->rules) && status == STATUS_OK; i++) {
        const struct rule *rule = rules_set_get(alerts->rules, i);
        struct alert *alert = &alerts->alerts[i];
        if (alerts->store)
            status = store_read(alerts->store, rule->name, &alert->machine, &alert->hold, error);
        alert->value = (double)NAN;
        /* The words of before are not stored; the next snapshot in which it holds makes new ones.
         */
        snprintf(alert->summary, sizeof alert->summary, "%s", rule->name);
    }
    if (status == STATUS_OK && alerts->store)
        status = store_load(alerts->store, alerts->outbox, error);
    return status;
}

/* ---- writing down: on the saver's thread ---- */

static enum status collect(void *context, struct store_changes *changes, struct error *error)
{
    struct alerts *alerts = context;
    struct writing *writing = &alerts->writing;
    size_t n = 0;
    /* A state and the messages about it belong together: one picture of both. */
    lock_take(&alerts->lock);
    writing->rules_mark = alerts->changes;
    for (int i = 0; i < rules_set_count(alerts->rules); i++) {
        const struct alert *alert = &alerts->alerts[i];
        if (alert->changed > alerts->stored)
            writing->rules[n++] = (struct store_rule){rules_set_get(alerts->rules, i)->name,
                                                      alert->machine, alert->hold};
    }
    enum status status = outbox_changes(alerts->outbox, &writing->messages, &writing->n_messages,
                                        &writing->messages_mark, error);
    lock_release(&alerts->lock);
    *changes = (struct store_changes){writing->rules, n, writing->messages, writing->n_messages};
    return status;
}

static void written(void *context, bool stored)
{
    struct alerts *alerts = context;
    struct writing *writing = &alerts->writing;
    outbox_free(writing->messages, writing->n_messages);
    writing->messages = NULL;
    writing->n_messages = 0;
    if (stored) {
        lock_take(&alerts->lock);
        alerts->stored = writing->rules_mark;
        lock_release(&alerts->lock);
        outbox_stored(alerts->outbox, writing->messages_mark);
    }
    outbox_refused(alerts->outbox, !stored);
}

static enum status open_store(struct alerts *alerts, const char *path, struct error *error)
{
    enum status status = path ? store_open(path, &alerts->store, error) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    alerts->outbox = outbox_create(path ? OUTBOX_PATIENCE_MS : 0);
    return alerts->outbox ? take_up_state(alerts, error)
                          : error_set(error, STATUS_MEMORY, "out of memory");
}

static enum status start_threads(struct alerts *alerts, struct error *error)
{
    const struct saver_source source = {collect, written, alerts};
    enum status status =
        alerts->store ? saver_start(alerts->store, &source, alerts->log, &alerts->saver, error)
                      : STATUS_OK;
    if (status == STATUS_OK && channels_count(alerts->channels) > 0)
        status = sender_start(alerts->outbox, alerts->saver, alerts->channels, alerts->log,
                              &alerts->sender, error);
    return status;
}

enum status alerts_create(const struct alerts_options *options, struct alerts **alerts,
                          struct error *error)
{
    *alerts = NULL;
    struct alerts *made;
    enum status status = make_empty(&made, error);
    if (status == STATUS_OK)
        status = read_parts(options, made, error);
    if (status == STATUS_OK)
        status = check_channels(made, error);
    if (status == STATUS_OK)
        status = allocate(made, options, error);
    if (status == STATUS_OK)
        status = open_store(made, options->path, error);
    if (status == STATUS_OK)
        status = start_threads(made, error);
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
    saver_stop(alerts->saver);
    store_close(alerts->store);
    outbox_destroy(alerts->outbox);
    channels_destroy(alerts->channels);
    rules_set_destroy(alerts->rules);
    vocabulary_destroy(alerts->vocabulary);
    clock_destroy(alerts->wall);
    pthread_cond_destroy(&alerts->answered);
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
    struct alerts *alerts;
    enum status status = make_empty(&alerts, error);
    if (status == STATUS_OK)
        status = read_parts(options, alerts, error);
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

static void tell(struct alerts *alerts, const struct rule *rule, const struct alert *alert,
                 enum transition transition, const struct snapshot *snapshot)
{
    struct error error;
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
        struct hash128 id = hash128(channel, strlen(channel), (uint64_t)transition);
        snprintf(key, sizeof key, "%s-%d-%08x", fingerprint, (int)transition, (unsigned)id.low);
        enum status status = channel_render(alerts->channels, i, &notice, &alerts->body, &error);
        if (status == STATUS_OK)
            status = outbox_put(alerts->outbox, key, channel, buffer_slice(&alerts->body),
                                clock_now_us(alerts->wall), &error);
        if (status != STATUS_OK)
            log_write(alerts->log, LOG_ERROR, "alerts", "message_given_up",
                      "channel %s: %s; the alert stays on the screens", channel, error.message);
    }
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

static bool evaluate(struct alerts *alerts, const struct snapshot *snapshot)
{
    bool changed = false;
    vocabulary_values(alerts->vocabulary, snapshot, alerts->slots);
    for (int i = 0; i < rules_set_count(alerts->rules); i++) {
        enum transition transition = step(alerts, i, snapshot->time_us);
        if (has_changed(alerts, i)) {
            alerts->next[i].changed = ++alerts->changes;
            changed = true;
        }
        if (transition != TRANSITION_NONE)
            tell(alerts, rules_set_get(alerts->rules, i), &alerts->next[i], transition, snapshot);
        alerts->alerts[i] = alerts->next[i];
    }
    return changed;
}

void alerts_evaluate(struct alerts *alerts, const struct snapshot *snapshot)
{
    lock_take(&alerts->lock);
    bool changed = evaluate(alerts, snapshot);
    lock_release(&alerts->lock);
    if (changed)
        saver_wake(alerts->saver);
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
        *status = (struct alert_status){.since_us = 0};
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
    outbox_count(alerts->outbox, &snapshot->outbox);
}
