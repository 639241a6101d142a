/* Recording and alerting rules (https://prometheus.io/docs/prometheus/latest/configuration/
 * recording_rules/). Ranges are a second longer than their window: increase() looks at the samples
 * that lie within, and with samples on the minute the window's first one has to be among them. */
#include "engine/monitor/slo_rules.h"

#include <math.h>

#include "engine/base/clock.h"

static void put_increase(struct buffer *out, const char *metric, const char *slo, int64_t window_us)
{
    buffer_printf(out, "sum by (slo) (increase(%s{slo=\"%s\"}[%llds]))", metric, slo,
                  (long long)(window_us / US_PER_S) + 1);
}

static void put_bad_ratio(struct buffer *out, const char *slo, int64_t window_us)
{
    put_increase(out, "binnacle_slo_bad_total", slo, window_us);
    buffer_append_text(out, " / ");
    put_increase(out, "binnacle_slo_events_total", slo, window_us);
}

/* Said once more beside the expression, which has it already: rules of one name are told apart by
 * their labels before any of them is evaluated. */
static void put_labels(const char *slo, struct buffer *out)
{
    buffer_printf(out, "    labels: {slo: \"%s\"}\n", slo);
}

static void put_records(const struct slo *slo, struct buffer *out)
{
    for (int i = 0; i < BURN_WINDOWS; i++) {
        enum burn_window window = (enum burn_window)i;
        buffer_printf(out, "  - record: binnacle:slo_burn:%s\n    expr: (",
                      burn_window_name(window));
        put_bad_ratio(out, slo->name, burn_window_us(window));
        buffer_printf(out, ") / %.12g\n", 1 - slo->target);
        put_labels(slo->name, out);
    }
    buffer_append_text(out, "  - record: binnacle:slo_attainment\n    expr: 1 - ");
    put_bad_ratio(out, slo->name, slo->window_us);
    buffer_append_text(out, "\n");
    put_labels(slo->name, out);
}

static void put_pair(const struct slo *slo, const struct slo_pair *pair, struct buffer *out)
{
    int64_t wide_us = burn_window_us(pair->wide);
    buffer_printf(out,
                  "      (binnacle:slo_burn:%s{slo=\"%s\"} > %.6g\n"
                  "      and binnacle:slo_burn:%s{slo=\"%s\"} > %.6g\n      and ",
                  burn_window_name(pair->wide), slo->name, pair->rate,
                  burn_window_name(pair->narrow), slo->name, pair->rate);
    put_increase(out, "binnacle_slo_bad_total", slo->name, wide_us);
    buffer_printf(out, " >= %lld\n      and ", (long long)slo->min_bad);
    put_increase(out, "binnacle_slo_events_total", slo->name, wide_us);
    buffer_printf(out, " >= %lld)\n", (long long)slo->min_events);
}

static void put_alert(const struct slo *slo, const struct slo_pair pairs[SLO_PAIRS],
                      enum health severity, const char *ending, struct buffer *out)
{
    int n = 0;
    for (int i = 0; i < SLO_PAIRS; i++) {
        if (pairs[i].severity != severity || isnan(pairs[i].rate))
            continue;
        if (n++ == 0)
            buffer_printf(out, "  - alert: %s-%s\n    expr: |\n", slo->name, ending);
        else
            buffer_append_text(out, "      or\n");
        put_pair(slo, &pairs[i], out);
    }
    if (n > 0)
        buffer_printf(out,
                      "    labels: {severity: %s}\n"
                      "    annotations: {summary: \"%s: the error budget burns too fast\"}\n",
                      health_name(severity), slo->name);
}

void slo_rules_yaml(const struct slo_set *set, struct buffer *out)
{
    struct slo_pair pairs[SLO_PAIRS];
    buffer_append_text(out, "groups:\n- name: binnacle-slo\n  interval: 30s\n  rules:\n");
    for (int i = 0; i < set->n; i++)
        put_records(&set->slos[i], out);
    for (int i = 0; i < set->n; i++) {
        slo_pairs(&set->slos[i], pairs);
        put_alert(&set->slos[i], pairs, HEALTH_PAGE, "burn", out);
        put_alert(&set->slos[i], pairs, HEALTH_TICKET, "slow-burn", out);
    }
}
