/* Objectives: read from the configuration, and what of a tally each of them counts. Judged in
 * slo_judge.c. Nothing here keeps state. */
#include "engine/monitor/slo.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/clock.h"

#define WINDOW_US (30 * US_PER_DAY)

static const char *const indicator_names[] = {"latency", "availability", "drift", "freshness"};
#define NAMED_INDICATORS ((int)(sizeof indicator_names / sizeof *indicator_names))

/* DESIGN's objectives. min_bad and min_events keep a few failures of a quiet night from paging
 * anyone; a slice or a minute is an aggregate already, two of them are evidence. */
static const struct slo default_slos[] = {
    {.name = "latency",
     .indicator = SLO_LATENCY,
     .target = 0.95,
     .window_us = WINDOW_US,
     .limit_us = US_PER_S / 5,
     .min_bad = 10,
     .min_events = 50},
    {.name = "availability",
     .indicator = SLO_AVAILABILITY,
     .target = 0.995,
     .window_us = WINDOW_US,
     .min_bad = 10,
     .min_events = 50},
    {.name = "drift",
     .indicator = SLO_DRIFT,
     .target = 0.99,
     .window_us = WINDOW_US,
     .min_bad = 2,
     .min_events = 2},
    {.name = "freshness",
     .indicator = SLO_FRESHNESS,
     .target = 0.99,
     .window_us = WINDOW_US,
     .limit_us = 2 * US_PER_MIN,
     .min_bad = 2,
     .min_events = 2},
};

/* One entry of `objectives:` as it stands in the file. */
struct slo_entry {
    const char *name, *indicator, *good, *valid;
    double target_percent;
    int64_t window_us, limit_us, min_bad, min_events, slice_us;
};

static const struct config_key slo_keys[] = {
    {"name", CONFIG_STRING, offsetof(struct slo_entry, name), true, 0, 0,
     "a lower-case word that expressions can use: slo.NAME.burn_1h"},
    {"indicator", CONFIG_STRING, offsetof(struct slo_entry, indicator), false, 0, 0,
     "latency, availability, drift or freshness (the name)"},
    {"good", CONFIG_STRING, offsetof(struct slo_entry, good), false, 0, 0,
     "instead of an indicator: expression that is true of what is good, over each decision"},
    {"valid", CONFIG_STRING, offsetof(struct slo_entry, valid), false, 0, 0,
     "with `good`: expression that is true of what counts at all (all)"},
    {"slice", CONFIG_DURATION, offsetof(struct slo_entry, slice_us), false, 60, 86400,
     "with `good`: judge slices of time so long, by the series of the history; whole minutes"},
    {"target", CONFIG_NUMBER, offsetof(struct slo_entry, target_percent), true, 0.001, 99.9999,
     "percent that must be good"},
    {"window", CONFIG_DURATION, offsetof(struct slo_entry, window_us), false, 3600, 2678400,
     "what the target is over, 1h to 31d (30d)"},
    {"limit", CONFIG_DURATION, offsetof(struct slo_entry, limit_us), false, 0.000001, 86400,
     "latency: good below it (200ms); freshness: good below it (2m)"},
    {"min_bad", CONFIG_INT, offsetof(struct slo_entry, min_bad), false, 1, 1000000,
     "a window with fewer bad ones pages nobody (10; drift and freshness: 2)"},
    {"min_events", CONFIG_INT, offsetof(struct slo_entry, min_events), false, 1, 1e9,
     "nor does one with fewer that were judged at all (50; drift and freshness: 2)"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};

void slo_defaults(struct slo_set *set)
{
    memset(set, 0, sizeof *set);
    set->n = (int)(sizeof default_slos / sizeof *default_slos);
    memcpy(set->slos, default_slos, sizeof default_slos);
}

bool slo_counts_events(const struct slo *slo)
{
    return slo->indicator == SLO_LATENCY || slo->indicator == SLO_AVAILABILITY ||
           slo->indicator == SLO_DECISIONS;
}

/* -1 when there is no such objective. */
static int find_slo(const struct slo_set *set, const char *name)
{
    for (int i = 0; i < set->n; i++) {
        if (strcmp(set->slos[i].name, name) == 0)
            return i;
    }
    return -1;
}

/* ---- reading ---- */

static bool is_word(const char *name)
{
    if (name[0] < 'a' || name[0] > 'z' || strlen(name) >= NAME_SIZE)
        return false;
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static enum status read_indicator(const struct yaml_node *node, const char *word,
                                  enum slo_indicator *indicator, struct error *error)
{
    for (int i = 0; i < NAMED_INDICATORS; i++) {
        if (strcmp(indicator_names[i], word) == 0) {
            *indicator = (enum slo_indicator)i;
            return STATUS_OK;
        }
    }
    return yaml_error(node, error,
                      "\"%s\" is no indicator; there are latency, availability, drift and "
                      "freshness%s",
                      word,
                      did_you_mean(nearest_word(word, indicator_names, NAMED_INDICATORS)).text);
}

static void fill_slo(const struct slo_entry *entry, struct slo *slo)
{
    snprintf(slo->name, sizeof slo->name, "%s", entry->name);
    slo->target = entry->target_percent / 100;
    slo->window_us = entry->window_us;
    slo->limit_us = entry->limit_us ? entry->limit_us : slo->limit_us;
    slo->min_bad = entry->min_bad ? entry->min_bad : slo->min_bad;
    slo->min_events = entry->min_events ? entry->min_events : slo->min_events;
}

/* Compiled in indicators.c, which knows the names. */
static enum status read_expressions(const struct yaml_node *node, const struct slo_entry *entry,
                                    struct slo_set *set, struct error *error)
{
    int custom = 0;
    for (int i = 0; i < set->n; i++)
        custom += set->slos[i].good != NULL;
    if (entry->indicator || entry->limit_us)
        return yaml_error(node, error, "%s: an objective has an indicator or `good`, not both",
                          entry->name);
    if (custom == MAX_CUSTOM)
        return yaml_error(node, error, "more than %d objectives with `good`", MAX_CUSTOM);
    if (entry->slice_us % US_PER_MIN != 0)
        return yaml_error(yaml_get(node, "slice"), error, "slice: whole minutes are needed");
    struct slo *slo = &set->slos[set->n++];
    *slo = default_slos[entry->slice_us ? SLO_DRIFT : SLO_LATENCY];
    slo->limit_us = 0;
    slo->indicator = entry->slice_us ? SLO_SLICES : SLO_DECISIONS;
    slo->custom = custom;
    slo->slice_us = entry->slice_us;
    slo->good = entry->good;
    slo->valid = entry->valid;
    fill_slo(entry, slo);
    return STATUS_OK;
}

static enum status read_one(const struct yaml_node *node, struct slo_set *set, struct error *error)
{
    struct slo_entry entry = {.window_us = WINDOW_US};
    enum status status = config_read(node, slo_keys, &entry, error);
    if (status != STATUS_OK)
        return status;
    if (!is_word(entry.name))
        return yaml_error(yaml_get(node, "name"), error,
                          "an objective's name is a lower-case word of letters, digits and _");
    if (find_slo(set, entry.name) >= 0)
        return yaml_error(yaml_get(node, "name"), error, "there are two objectives named %s",
                          entry.name);
    if (entry.good)
        return read_expressions(node, &entry, set, error);
    if (entry.valid || entry.slice_us)
        return yaml_error(node, error, "%s: valid and slice belong to an objective with `good`",
                          entry.name);
    const char *word = entry.indicator ? entry.indicator : entry.name;
    const struct yaml_node *at = yaml_get(node, entry.indicator ? "indicator" : "name");
    enum slo_indicator indicator = SLO_LATENCY;
    status = read_indicator(at, word, &indicator, error);
    if (status != STATUS_OK)
        return status;
    struct slo *slo = &set->slos[set->n++];
    *slo = default_slos[indicator];
    fill_slo(&entry, slo);
    return STATUS_OK;
}

enum status slo_read(const struct yaml_node *node, struct slo_set *set, struct error *error)
{
    if (!node) {
        slo_defaults(set);
        return STATUS_OK;
    }
    memset(set, 0, sizeof *set);
    if (yaml_kind(node) != YAML_LIST || yaml_size(node) > MAX_SNAPSHOT_SLOS)
        return yaml_error(node, error, "objectives is a list of up to %d {name, target, ...}",
                          MAX_SNAPSHOT_SLOS);
    for (size_t i = 0; i < yaml_size(node); i++) {
        enum status status = read_one(yaml_item(node, i), set, error);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* The index of this limit among those to count by, added when it is new; -1: no room. */
static int limit_index(struct observe_options *options, int64_t limit_us)
{
    for (int i = 0; i < MAX_LATENCY_LIMITS; i++) {
        if (options->latency_limits_us[i] == 0)
            options->latency_limits_us[i] = limit_us;
        if (options->latency_limits_us[i] == limit_us)
            return i;
    }
    return -1;
}

enum status slo_options(struct slo_set *set, struct observe_options *options, struct error *error)
{
    memset(options->latency_limits_us, 0, sizeof options->latency_limits_us);
    bool fresh = false;
    for (int i = 0; i < set->n; i++) {
        struct slo *slo = &set->slos[i];
        if (slo->indicator == SLO_LATENCY) {
            slo->slow = limit_index(options, slo->limit_us);
            if (slo->slow < 0)
                return error_set(error, STATUS_INVALID,
                                 "objectives have more than %d different latency limits",
                                 MAX_LATENCY_LIMITS);
        }
        if (slo->indicator == SLO_FRESHNESS) {
            if (fresh && options->freshness_limit_us != slo->limit_us)
                return error_set(error, STATUS_INVALID,
                                 "objectives have different freshness limits; one is possible");
            options->freshness_limit_us = slo->limit_us;
            fresh = true;
        }
    }
    return STATUS_OK;
}

/* ---- counting ---- */

void slo_count(const struct slo *slo, const struct tally *tally, uint64_t *counted, uint64_t *bad)
{
    switch (slo->indicator) {
    case SLO_LATENCY:
        *counted = tally->measured;
        *bad = tally->slow[slo->slow];
        break;
    case SLO_AVAILABILITY:
        *bad = tally->errors;
        *counted = tally->accepted + tally->quarantined + tally->duplicates + tally->errors;
        break;
    case SLO_DRIFT:
        *bad = tally->drifted_slices;
        *counted = tally->steady_slices + tally->drifted_slices;
        break;
    case SLO_FRESHNESS:
        *bad = tally->stale_minutes;
        *counted = tally->fresh_minutes + tally->stale_minutes;
        break;
    case SLO_DECISIONS:
    case SLO_SLICES:
        *bad = tally->custom_bad[slo->custom];
        *counted = tally->custom_counted[slo->custom];
        break;
    case SLO_INDICATORS:
        *counted = *bad = 0;
        break;
    }
}
