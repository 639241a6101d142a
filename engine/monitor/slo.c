/* Objectives: read from configuration, counted from tallies, judged by burn rates. Pure functions
 * of counts but for reading YAML. Burn rate b means: at this rate the budget of the objective's
 * window lasts window / b. */
#include "engine/monitor/slo.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/clock.h"

#define WINDOW_US (30 * US_PER_DAY)

static const char *const indicator_names[SLO_INDICATORS] = {"latency", "availability", "drift",
                                                            "freshness"};

/* DESIGN's objectives. min_bad keeps a single slow request of a quiet night from paging anyone; a
 * slice or a minute is an aggregate already, two of them are evidence. */
static const struct slo default_slos[] = {
    {"latency", SLO_LATENCY, 0.95, WINDOW_US, 200 * US_PER_S / 1000, 10, 0},
    {"availability", SLO_AVAILABILITY, 0.995, WINDOW_US, 0, 10, 0},
    {"drift", SLO_DRIFT, 0.99, WINDOW_US, 0, 2, 0},
    {"freshness", SLO_FRESHNESS, 0.99, WINDOW_US, 2 * US_PER_MIN, 2, 0},
};

/* The Site Reliability Workbook, table 5-8: both windows of a row must burn at its rate. */
static const struct {
    double rate;
    enum burn_window wide, narrow;
    enum health health;
} burn_rules[] = {
    {14.4, BURN_1H, BURN_5M, HEALTH_PAGE},
    {6, BURN_6H, BURN_30M, HEALTH_PAGE},
    {1, BURN_3D, BURN_6H, HEALTH_TICKET},
};

static const int64_t burn_windows_us[BURN_WINDOWS] = {
    5 * US_PER_MIN, 30 * US_PER_MIN, US_PER_HOUR, 6 * US_PER_HOUR, US_PER_DAY, 3 * US_PER_DAY,
};

/* One entry of `objectives:` as it stands in the file. */
struct slo_entry {
    const char *name, *indicator;
    double target_percent;
    int64_t window_us, limit_us, min_bad;
};

static const struct config_key slo_keys[] = {
    {"name", CONFIG_STRING, offsetof(struct slo_entry, name), true, 0, 0,
     "a lower-case word that expressions can use: slo.NAME.burn_1h"},
    {"indicator", CONFIG_STRING, offsetof(struct slo_entry, indicator), false, 0, 0,
     "latency, availability, drift or freshness (the name)"},
    {"target", CONFIG_NUMBER, offsetof(struct slo_entry, target_percent), true, 0.001, 99.9999,
     "percent that must be good"},
    {"window", CONFIG_DURATION, offsetof(struct slo_entry, window_us), false, 3600, 2678400,
     "what the target is over, 1h to 31d (30d)"},
    {"limit", CONFIG_DURATION, offsetof(struct slo_entry, limit_us), false, 0.000001, 86400,
     "latency: good below it (200ms); freshness: good below it (2m)"},
    {"min_bad", CONFIG_INT, offsetof(struct slo_entry, min_bad), false, 1, 1000000,
     "a window with fewer bad ones pages nobody (10; drift and freshness: 2)"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};

int64_t burn_window_us(enum burn_window window)
{
    return burn_windows_us[window];
}

void slo_defaults(struct slo_set *set)
{
    memset(set, 0, sizeof *set);
    set->n = (int)(sizeof default_slos / sizeof *default_slos);
    memcpy(set->slos, default_slos, sizeof default_slos);
}

bool slo_counts_events(const struct slo *slo)
{
    return slo->indicator == SLO_LATENCY || slo->indicator == SLO_AVAILABILITY;
}

int slo_find(const struct slo_set *set, const char *name)
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
    for (int i = 0; i < SLO_INDICATORS; i++) {
        if (strcmp(indicator_names[i], word) == 0) {
            *indicator = (enum slo_indicator)i;
            return STATUS_OK;
        }
    }
    return yaml_error(node, error,
                      "\"%s\" is no indicator; there are latency, availability, drift and "
                      "freshness%s",
                      word, did_you_mean(nearest_word(word, indicator_names, SLO_INDICATORS)).text);
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
    if (slo_find(set, entry.name) >= 0)
        return yaml_error(yaml_get(node, "name"), error, "there are two objectives named %s",
                          entry.name);
    const char *word = entry.indicator ? entry.indicator : entry.name;
    const struct yaml_node *at = yaml_get(node, entry.indicator ? "indicator" : "name");
    enum slo_indicator indicator = SLO_LATENCY;
    status = read_indicator(at, word, &indicator, error);
    if (status != STATUS_OK)
        return status;
    struct slo *slo = &set->slos[set->n++];
    *slo = default_slos[indicator];
    snprintf(slo->name, sizeof slo->name, "%s", entry.name);
    slo->target = entry.target_percent / 100;
    slo->window_us = entry.window_us;
    slo->limit_us = entry.limit_us ? entry.limit_us : slo->limit_us;
    slo->min_bad = entry.min_bad ? entry.min_bad : slo->min_bad;
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

/* ---- judging ---- */

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
    case SLO_INDICATORS:
        *counted = *bad = 0;
        break;
    }
}

double slo_burn_rate(double target, uint64_t counted, uint64_t bad)
{
    return counted ? (double)bad / (double)counted / (1 - target) : NAN;
}

double slo_burn_limit(enum burn_window window, enum health *health)
{
    double limit = NAN;
    *health = HEALTH_NODATA;
    for (size_t i = 0; i < sizeof burn_rules / sizeof *burn_rules; i++) {
        if ((burn_rules[i].wide != window && burn_rules[i].narrow != window) ||
            burn_rules[i].rate >= limit)
            continue;
        limit = burn_rules[i].rate;
        *health = burn_rules[i].health;
    }
    return limit;
}

/* Enough bad ones over both windows, and both burning at the rate. The narrow window decides when
 * to stop, so only the wide one needs min_bad. */
static bool burns(const struct slo_status *status, size_t rule, int64_t min_bad)
{
    enum burn_window wide = burn_rules[rule].wide, narrow = burn_rules[rule].narrow;
    return status->burn[wide] > burn_rules[rule].rate &&
           status->burn[narrow] > burn_rules[rule].rate && status->bad[wide] >= (uint64_t)min_bad;
}

static enum health judge_burns(const struct slo *slo, const struct slo_status *status)
{
    enum health worst = status->counted[BURN_1H] > 0 ? HEALTH_OK : HEALTH_NODATA;
    for (size_t i = 0; i < sizeof burn_rules / sizeof *burn_rules; i++) {
        if (burns(status, i, slo->min_bad) && burn_rules[i].health > worst)
            worst = burn_rules[i].health;
    }
    return worst;
}

void slo_judge(const struct slo *slo, const struct tally burn[BURN_WINDOWS],
               const struct tally *whole, struct slo_status *status)
{
    memcpy(status->name, slo->name, sizeof status->name);
    status->target = slo->target;
    status->window_us = slo->window_us;
    status->latency_limit_us = slo->indicator == SLO_LATENCY ? slo->limit_us : 0;
    for (int i = 0; i < BURN_WINDOWS; i++) {
        slo_count(slo, &burn[i], &status->counted[i], &status->bad[i]);
        status->burn[i] = slo_burn_rate(slo->target, status->counted[i], status->bad[i]);
    }
    uint64_t bad;
    slo_count(slo, whole, &status->n, &bad);
    status->attainment = status->n ? 1 - (double)bad / (double)status->n : NAN;
    status->budget_left = 1 - slo_burn_rate(slo->target, status->n, bad);
    status->state = judge_burns(slo, status);
}
