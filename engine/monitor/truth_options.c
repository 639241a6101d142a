/* The map `performance:` of the configuration. */
#include "engine/monitor/truth.h"

#include <math.h>

#include "engine/base/clock.h"

static const struct config_key keys[] = {
    {"keep", CONFIG_INT, offsetof(struct truth_options, keep), false, 1000, 10000000,
     "outcomes with their truth that are kept (200000)"},
    {"period", CONFIG_DURATION, offsetof(struct truth_options, period_us), false, 60, 31536000,
     "estimates without labels are made for each (1d)"},
    {"window", CONFIG_DURATION, offsetof(struct truth_options, window_us), false, 60, 315360000,
     "how far the figures of the screens reach back (30d)"},
    {"threshold", CONFIG_NUMBER, offsetof(struct truth_options, threshold), false, 0, 1,
     "score that is a predicted positive (without: every decision but approve)"},
    {"cost_false_positive", CONFIG_NUMBER, offsetof(struct truth_options, cost_false_positive),
     false, 0, 1e15, "what a false alarm costs"},
    {"cost_false_negative", CONFIG_NUMBER, offsetof(struct truth_options, cost_false_negative),
     false, 0, 1e15, "what a missed positive costs, times `amount`"},
    {"amount", CONFIG_STRING, offsetof(struct truth_options, amount), false, 0, 0,
     "number field that cost_false_negative is multiplied by"},
    {"cohort", CONFIG_STRING, offsetof(struct truth_options, cohort), false, 0, 0,
     "field whose values are told apart"},
    {"k", CONFIG_INT, offsetof(struct truth_options, k), false, 1, 1000000,
     "entities a day that can be looked into (100)"},
    {"reference", CONFIG_INT, offsetof(struct truth_options, reference), false, 100, 1000000,
     "labels that estimates without labels are learned from at least (1000)"},
    {"detector", CONFIG_STRING, offsetof(struct truth_options, detector), false, 0, 0,
     "adwin, ddm, eddm, hddm_a, ph or kswin on the stream of wrong decisions (adwin)"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};

void truth_defaults(struct truth_options *options)
{
    *options = (struct truth_options){
        .keep = 200000,
        .period_us = US_PER_DAY,
        .window_us = 30 * US_PER_DAY,
        .threshold = (double)NAN,
        .cost_false_positive = (double)NAN,
        .cost_false_negative = (double)NAN,
        .k = 100,
        .reference = 1000,
        .detector = "adwin",
        .method = DETECTOR_ADWIN,
    };
}

enum status truth_read(const struct yaml_node *node, struct truth_options *options,
                       struct error *error)
{
    truth_defaults(options);
    enum status status = node ? config_read(node, keys, options, error) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    if (!detector_find(options->detector, &options->method))
        return yaml_error(yaml_get(node, "detector"), error,
                          "a detector is adwin, ddm, eddm, hddm_a, ph or kswin");
    if (isnan(options->cost_false_positive) != isnan(options->cost_false_negative))
        return yaml_error(node, error,
                          "cost_false_positive and cost_false_negative are given together");
    return STATUS_OK;
}
