/* Names to numbers: tables of what there is once, per objective, per column and per arm, each row
 * with the offset of its number in the snapshot's structures. Pure; any thread. */
#include "alerts/vocabulary.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/yaml.h"

enum kind { KIND_DOUBLE, KIND_COUNT, KIND_BOOL, KIND_HEALTH, KIND_LEVEL, KIND_TEXT };

/* One number of a structure. */
struct member {
    const char *name; /* after the prefix */
    enum kind kind;
    size_t offset;
    const char *help;
};

#define OF(type, member) offsetof(struct type, member)

static const struct member plain_members[] = {
    {"events_per_s", KIND_DOUBLE, OF(snapshot, events_per_s), "events a second over the last 10 s"},
    {"events_total", KIND_COUNT, OF(snapshot, events_total), "events since start"},
    {"quarantined_total", KIND_COUNT, OF(snapshot, quarantined_total),
     "events quarantined since start"},
    {"duplicate_total", KIND_COUNT, OF(snapshot, duplicate_total),
     "events that came again since start"},
    {"error_total", KIND_COUNT, OF(snapshot, error_total),
     "callers without a decision since start"},
    {"latency.p50_us", KIND_DOUBLE, OF(snapshot, latency_us.p50),
     "median latency of the last minute"},
    {"latency.p95_us", KIND_DOUBLE, OF(snapshot, latency_us.p95),
     "95th percentile of the last minute"},
    {"latency.p99_us", KIND_DOUBLE, OF(snapshot, latency_us.p99),
     "99th percentile of the last minute"},
    {"decisions.approve", KIND_COUNT, OF(snapshot, decisions[DECISION_APPROVE]),
     "approvals in the last minute"},
    {"decisions.review", KIND_COUNT, OF(snapshot, decisions[DECISION_REVIEW]),
     "reviews in the last minute"},
    {"decisions.decline", KIND_COUNT, OF(snapshot, decisions[DECISION_DECLINE]),
     "declines in the last minute"},
    {"queue.depth", KIND_COUNT, OF(snapshot, queue_depth), "rows waiting to be committed"},
    {"queue.capacity", KIND_COUNT, OF(snapshot, queue_capacity), "rows that may wait"},
    {"ledger.tree_size", KIND_COUNT, OF(snapshot, tree_size), "leaves of the ledger's tree"},
    {"ledger.not_written_s", KIND_DOUBLE, OF(snapshot, record.not_written_s),
     "how long the ledger has not been written; 0 while it is"},
    {"ledger.problem", KIND_TEXT, OF(snapshot, record.problem), "why it is not written"},
    {"ledger.wait_us", KIND_DOUBLE, OF(snapshot, record.wait_us),
     "how long what is queued now will take to be on the disk"},
    {"ledger.refused_total", KIND_COUNT, OF(snapshot, record.refused),
     "events turned away undecided since start"},
    {"ledger.unconfirmed_total", KIND_COUNT, OF(snapshot, record.unconfirmed),
     "events decided whose callers were told to ask again, since start"},
    {"clock.ahead_s", KIND_DOUBLE, OF(snapshot, clock.ahead_s),
     "how far the service counts ahead of a machine's clock that was set back; 0: it agrees"},
    {"clock.behind_record_s", KIND_DOUBLE, OF(snapshot, clock.behind_record_s),
     "how far it is behind the newest row; 0: it is not"},
    {"clock.steps", KIND_COUNT, OF(snapshot, clock.steps),
     "how often the machine's clock was set since start"},
    {"clock.future_ratio", KIND_DOUBLE, OF(snapshot, clock.future_ratio),
     "share of the last minute's events quarantined as lying in the future"},
    {"ledger.damaged_files", KIND_COUNT, OF(snapshot, ledger_damaged_files),
     "day files found damaged since start"},
    {"ledger.lost_rows", KIND_COUNT, OF(snapshot, ledger_lost_rows),
     "rows known to be gone from damaged files"},
    {"features.entities", KIND_COUNT, OF(snapshot, feature_entities), "entities with windows"},
    {"features.bytes", KIND_COUNT, OF(snapshot, feature_bytes), "memory of the windows"},
    {"outbox.waiting", KIND_COUNT, OF(snapshot, outbox.waiting),
     "alert messages not delivered yet"},
    {"outbox.dead", KIND_COUNT, OF(snapshot, outbox.dead), "alert messages given up"},
    {"quality.state", KIND_HEALTH, OF(snapshot, quality.state),
     "\"nodata\", \"ok\", \"ticket\" or \"page\": fields, ages, expectations, key series"},
    {"quality.level", KIND_LEVEL, OF(snapshot, quality.state),
     "the same as a number: 0 ok, 1 ticket, 2 page; no data while there is none to judge"},
    {"quality.why", KIND_TEXT, OF(snapshot, quality.why), "what is worst of them"},
    {"quality.missing_ratio", KIND_DOUBLE, OF(snapshot, quality.missing_ratio),
     "by how much the share of missing values grew in the worst field"},
    {"quality.invalid_ratio", KIND_DOUBLE, OF(snapshot, quality.invalid_ratio),
     "share of values that break the contract, in the worst field"},
    {"quality.duplicate_ratio", KIND_DOUBLE, OF(snapshot, quality.duplicate_ratio),
     "share of events that came before"},
    {"quality.age_p95_s", KIND_DOUBLE, OF(snapshot, quality.age_p95_s),
     "95th percentile of the age of events when decided"},
    {"quality.feature_lag_s", KIND_DOUBLE, OF(snapshot, quality.feature_lag_s),
     "how old the newest event is that features know"},
    {"quality.volume_z", KIND_DOUBLE, OF(snapshot, quality.volume_z),
     "how many spreads the volume lies off this hour of other weeks"},
    {"quality.expectations_failed", KIND_COUNT, OF(snapshot, quality.expectations_failed),
     "expectations that do not hold"},
    {"quality.anomalies", KIND_COUNT, OF(snapshot, quality.anomalies),
     "key series far from what is usual at this hour"},
    {"ready", KIND_BOOL, OF(snapshot, ready), "decisions can be made"},
};

static const struct member slo_members[] = {
    {"target", KIND_DOUBLE, OF(slo_status, target), "share that must be good"},
    {"attainment", KIND_DOUBLE, OF(slo_status, attainment), "share that was good"},
    {"budget_left", KIND_DOUBLE, OF(slo_status, budget_left), "error budget left, 1 to below 0"},
    {"n", KIND_COUNT, OF(slo_status, n), "events behind the attainment"},
    {"state", KIND_HEALTH, OF(slo_status, state), "\"nodata\", \"ok\", \"ticket\" or \"page\""},
    {"burn_5m", KIND_DOUBLE, OF(slo_status, burn[BURN_5M]), "burn rate over 5 minutes"},
    {"burn_30m", KIND_DOUBLE, OF(slo_status, burn[BURN_30M]), "burn rate over 30 minutes"},
    {"burn_1h", KIND_DOUBLE, OF(slo_status, burn[BURN_1H]), "burn rate over an hour"},
    {"burn_2h", KIND_DOUBLE, OF(slo_status, burn[BURN_2H]), "burn rate over 2 hours"},
    {"burn_6h", KIND_DOUBLE, OF(slo_status, burn[BURN_6H]), "burn rate over 6 hours"},
    {"burn_1d", KIND_DOUBLE, OF(slo_status, burn[BURN_1D]), "burn rate over a day"},
    {"burn_3d", KIND_DOUBLE, OF(slo_status, burn[BURN_3D]), "burn rate over 3 days"},
    {"bad_5m", KIND_COUNT, OF(slo_status, bad[BURN_5M]), "bad ones in 5 minutes"},
    {"bad_1h", KIND_COUNT, OF(slo_status, bad[BURN_1H]), "bad ones in an hour"},
    {"bad_6h", KIND_COUNT, OF(slo_status, bad[BURN_6H]), "bad ones in 6 hours"},
    {"bad_1d", KIND_COUNT, OF(slo_status, bad[BURN_1D]), "bad ones in a day"},
    {"bad_3d", KIND_COUNT, OF(slo_status, bad[BURN_3D]), "bad ones in 3 days"},
    {"n_5m", KIND_COUNT, OF(slo_status, counted[BURN_5M]), "counted in 5 minutes"},
    {"n_1h", KIND_COUNT, OF(slo_status, counted[BURN_1H]), "counted in an hour"},
    {"n_6h", KIND_COUNT, OF(slo_status, counted[BURN_6H]), "counted in 6 hours"},
    {"n_1d", KIND_COUNT, OF(slo_status, counted[BURN_1D]), "counted in a day"},
    {"n_3d", KIND_COUNT, OF(slo_status, counted[BURN_3D]), "counted in 3 days"},
    {"page_1h", KIND_DOUBLE, OF(slo_status, pairs[0].rate),
     "burn rate that pages over 1 h and 5 min"},
    {"page_6h", KIND_DOUBLE, OF(slo_status, pairs[1].rate),
     "burn rate that pages over 6 h and 30 min"},
    {"ticket_1d", KIND_DOUBLE, OF(slo_status, pairs[2].rate),
     "burn rate that is a ticket over 1 d and 2 h"},
    {"ticket_3d", KIND_DOUBLE, OF(slo_status, pairs[3].rate),
     "burn rate that is a ticket over 3 d and 6 h"},
    {"min_bad", KIND_COUNT, OF(slo_status, min_bad), "fewer bad ones are no evidence"},
    {"min_counted", KIND_COUNT, OF(slo_status, min_counted), "nor are fewer counted"},
    {"sentence", KIND_TEXT, OF(slo_status, sentence), "what it means, in plain words"},
    {"so_far", KIND_TEXT, OF(slo_status, so_far),
     "how far back there is anything to count, while that is less than 3 d; else empty"},
};

static const struct member drift_members[] = {
    {"psi", KIND_DOUBLE, OF(drift_status, psi), "population stability index"},
    {"noise", KIND_DOUBLE, OF(drift_status, noise), "what the index reaches without drift"},
    {"threshold", KIND_DOUBLE, OF(drift_status, threshold), "above it is drift"},
    {"n", KIND_COUNT, OF(drift_status, n), "events compared with the reference"},
    {"state", KIND_HEALTH, OF(drift_status, state), "\"nodata\", \"ok\" or \"ticket\""},
    {"level", KIND_LEVEL, OF(drift_status, state),
     "its state as a number: 0 ok, 1 ticket; no data while it cannot be judged"},
};

static const struct member arm_members[] = {
    {"share_wanted", KIND_DOUBLE, OF(arm_status, share_wanted), "share it should get"},
    {"share_measured", KIND_DOUBLE, OF(arm_status, share_measured), "share of the last minute"},
    {"n", KIND_COUNT, OF(arm_status, n), "events in the last minute"},
    {"p99_us", KIND_DOUBLE, OF(arm_status, latency_us.p99), "99th percentile of its latency"},
};

enum group { GROUP_PLAIN, GROUP_SLO, GROUP_DRIFT, GROUP_ARM };

#define COUNT(table) ((int)(sizeof(table) / sizeof(*(table))))

static const struct {
    const char *prefix;
    const struct member *members;
    int n_members;
} groups[] = {
    [GROUP_PLAIN] = {"", plain_members, COUNT(plain_members)},
    [GROUP_SLO] = {"slo.", slo_members, COUNT(slo_members)},
    [GROUP_DRIFT] = {"drift.", drift_members, COUNT(drift_members)},
    [GROUP_ARM] = {"traffic.", arm_members, COUNT(arm_members)},
};

/* Which member of which structure a slot is. */
struct word {
    enum group group;
    char subject[NAME_SIZE]; /* objective, column or variant */
    const struct member *member;
};

struct vocabulary {
    struct word *words;
    struct expr_symbol *symbols;
    const char **names; /* for the nearest one */
    size_t n, capacity;
};

static bool can_be_written(const char *subject)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    static const char rest[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    return strspn(subject, letters) > 0 && subject[strspn(subject, rest)] == '\0' &&
           strlen(subject) < NAME_SIZE;
}

static enum value_type type_of(enum kind kind)
{
    static const enum value_type types[] = {
        [KIND_DOUBLE] = VALUE_NUMBER, [KIND_COUNT] = VALUE_NUMBER, [KIND_BOOL] = VALUE_BOOL,
        [KIND_HEALTH] = VALUE_STRING, [KIND_LEVEL] = VALUE_NUMBER, [KIND_TEXT] = VALUE_STRING};
    return types[kind];
}

static bool add_word(struct vocabulary *vocabulary, enum group group, const char *subject,
                     const struct member *member)
{
    char *name = NULL;
    if (asprintf(&name, "%s%s%s%s", groups[group].prefix, subject, group == GROUP_PLAIN ? "" : ".",
                 member->name) < 0)
        return false;
    size_t slot = vocabulary->n++;
    struct word *word = &vocabulary->words[slot];
    word->group = group;
    snprintf(word->subject, sizeof word->subject, "%s", subject);
    word->member = member;
    vocabulary->names[slot] = name;
    vocabulary->symbols[slot] =
        (struct expr_symbol){name, type_of(member->kind), (int)slot, member->help};
    return true;
}

static bool add_group(struct vocabulary *vocabulary, enum group group, const char *subject)
{
    if (group != GROUP_PLAIN && !can_be_written(subject))
        return true;
    for (int i = 0; i < groups[group].n_members; i++) {
        if (!add_word(vocabulary, group, subject, &groups[group].members[i]))
            return false;
    }
    return true;
}

static bool add_all(struct vocabulary *vocabulary, const struct alert_objective *slos, int n_slos,
                    const char *const *columns, int n_columns)
{
    bool added = add_group(vocabulary, GROUP_PLAIN, "");
    for (int i = 0; added && i < n_slos; i++)
        added = add_group(vocabulary, GROUP_SLO, slos[i].name);
    for (int i = 0; added && i < n_columns; i++)
        added = add_group(vocabulary, GROUP_DRIFT, columns[i]);
    for (int i = 0; added && i < VARIANT_COUNT; i++)
        added = add_group(vocabulary, GROUP_ARM, variant_name((enum variant)i));
    return added;
}

enum status vocabulary_create(const struct alert_objective *slos, int n_slos,
                              const char *const *columns, int n_columns,
                              struct vocabulary **vocabulary, struct error *error)
{
    size_t n = (size_t)(COUNT(plain_members) + n_slos * COUNT(slo_members) +
                        n_columns * COUNT(drift_members) + VARIANT_COUNT * COUNT(arm_members));
    struct vocabulary *made = calloc(1, sizeof *made);
    if (made) {
        made->words = calloc(n, sizeof *made->words);
        made->symbols = calloc(n, sizeof *made->symbols);
        made->names = calloc(n, sizeof *made->names);
    }
    if (!made || !made->words || !made->symbols || !made->names ||
        !add_all(made, slos, n_slos, columns, n_columns)) {
        vocabulary_destroy(made);
        return error_set(error, STATUS_MEMORY, "out of memory for alert rules");
    }
    *vocabulary = made;
    return STATUS_OK;
}

void vocabulary_destroy(struct vocabulary *vocabulary)
{
    if (!vocabulary)
        return;
    for (size_t i = 0; vocabulary->names && i < vocabulary->n; i++)
        free((char *)vocabulary->names[i]);
    free(vocabulary->names);
    free(vocabulary->symbols);
    free(vocabulary->words);
    free(vocabulary);
}

const struct expr_symbol *vocabulary_symbols(const struct vocabulary *vocabulary, size_t *n)
{
    *n = vocabulary->n;
    return vocabulary->symbols;
}

int vocabulary_find(const struct vocabulary *vocabulary, const char *name, const char **nearest)
{
    for (size_t i = 0; i < vocabulary->n; i++) {
        if (strcmp(vocabulary->names[i], name) == 0)
            return (int)i;
    }
    if (nearest)
        *nearest = nearest_word(name, vocabulary->names, vocabulary->n);
    return -1;
}

/* ---- values ---- */

/* A variant that no model has gets nothing: that much is known of it. */
static const struct arm_status no_arm = {.latency_us = {.p99 = NAN}};

static const void *subject_of(const struct word *word, const struct snapshot *snapshot)
{
    switch (word->group) {
    case GROUP_PLAIN:
        return snapshot;
    case GROUP_SLO:
        for (int i = 0; i < snapshot->n_slos; i++) {
            if (strcmp(snapshot->slos[i].name, word->subject) == 0)
                return &snapshot->slos[i];
        }
        break;
    case GROUP_DRIFT:
        for (int i = 0; i < snapshot->n_drift; i++) {
            if (strcmp(snapshot->drift[i].feature, word->subject) == 0)
                return &snapshot->drift[i];
        }
        break;
    case GROUP_ARM:
        for (int i = 0; i < snapshot->n_arms; i++) {
            if (strcmp(variant_name(snapshot->arms[i].variant), word->subject) == 0)
                return &snapshot->arms[i];
        }
        return &no_arm;
    }
    return NULL;
}

static struct value value_of(const struct member *member, const void *subject)
{
    const char *at = (const char *)subject + member->offset;
    switch (member->kind) {
    case KIND_DOUBLE: {
        double number = *(const double *)(const void *)at;
        return isfinite(number) ? value_number(number) : value_null();
    }
    case KIND_COUNT:
        return value_number((double)*(const uint64_t *)(const void *)at);
    case KIND_BOOL:
        return value_bool(*(const bool *)at);
    case KIND_HEALTH:
        return value_string(slice_of(health_name(*(const enum health *)(const void *)at)));
    case KIND_LEVEL: {
        enum health state = *(const enum health *)(const void *)at;
        return state == HEALTH_NODATA ? value_null() : value_number(state - HEALTH_OK);
    }
    case KIND_TEXT: /* "": there is nothing to say, which is known */
        return value_string(slice_of(at));
    }
    return value_null();
}

void vocabulary_values(const struct vocabulary *vocabulary, const struct snapshot *snapshot,
                       struct value *slots)
{
    const void *subject = NULL;
    for (size_t i = 0; i < vocabulary->n; i++) {
        const struct word *word = &vocabulary->words[i];
        /* Words of one subject stand together: it is looked up once. */
        if (i == 0 || word[-1].group != word->group || strcmp(word[-1].subject, word->subject) != 0)
            subject = subject_of(word, snapshot);
        slots[i] = subject ? value_of(word->member, subject) : value_null();
    }
}
