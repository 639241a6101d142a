/* The built-in source: synthetic card transactions of the `transactions` contract, the same ones
 * for the same options, with frauds that can be learnt and, when asked, events that are wrong. */
#ifndef BINNACLE_EVENT_PRODUCER_H
#define BINNACLE_EVENT_PRODUCER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/slice.h"
#include "engine/base/status.h"
#include "engine/event/event.h"

struct producer_options {
    uint64_t seed;
    int64_t start_us;  /* event time from which events come */
    double rate_per_s; /* mean over a day, above 0; the hour moves it between 0.45 and 1.55 times */
    bool steady;       /* the hour does not */
    int64_t n_users;   /* 0: 500 per event/s, at least 2000; at most 10 million */
    double fraud_share; /* of good events, e.g. 0.015, at most 0.5; 0: none */
    double bad_share;   /* of all events: wrong in one way each, all ways alike often; 0: none */
    int64_t label_delay_us; /* mean time until a fraud is known; an honest one is known after twice
                               this; 0: 3 days */
};

enum producer_scenario {
    SCENARIO_NONE,        /* honest */
    SCENARIO_STOLEN_CARD, /* a burst of purchases within minutes, mostly on the web */
    SCENARIO_HIGH_AMOUNT, /* a purchase many times what this user spends */
    SCENARIO_COUNTRY_HOP, /* purchases in another country soon after one at home */
    SCENARIO_COUNT
};

struct producer_event {
    struct slice json; /* one flat object, label null; valid until the next call */
    int64_t time_us;   /* event time, whole milliseconds; never goes back */
    char event_id[27]; /* ULID whose time part is the event time */
    int64_t user;      /* whose it is: the N of `user-N`, also where the event spells it wrongly */
    int label;         /* the truth: 1 fraud, 0 honest; -1: a bad event, no truth */
    enum producer_scenario scenario;
    int bad;               /* the violation_code it was made to have; -1: a good event */
    int64_t label_time_us; /* when the truth becomes known; for bad events never (INT64_MAX) */
};

struct producer;

/* STATUS_INVALID for a rate, share or count out of range. One thread at a time. */
MUST_USE enum status producer_create(const struct producer_options *options,
                                     struct producer **producer, struct error *error);
void producer_destroy(struct producer *producer); /* NULL is ignored */

/* How long `count` events take at the most, microseconds: at night they come at half the mean rate.
 * Chance makes them later than that in less than one run of a million. */
int64_t producer_longest_us(int64_t count, double rate_per_s);

/* Makes the next event. Allocates nothing. */
void producer_next(struct producer *producer, struct producer_event *out);

#endif
