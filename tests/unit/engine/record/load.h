/* Entries of every kind in which everything follows from their number, and what a ledger holds
 * after the first n of them. */
#ifndef BINNACLE_TESTS_RECORD_LOAD_H
#define BINNACLE_TESTS_RECORD_LOAD_H

#include "engine/record/tree.h"
#include "engine/record/verify.h"
#include "tests/unit/engine/record/fixture.h"

enum { LOAD_ENTRIES = 420, LOAD_STEP_S = 480 }; /* two days and a third */

enum load_kind {
    LOAD_DECISION,
    LOAD_LABEL,
    LOAD_ACTION,
    LOAD_QUARANTINE,
    LOAD_MARK,
    LOAD_POSITION
};

static inline enum load_kind load_kind(uint64_t n)
{
    if (n % 13 == 7)
        return LOAD_QUARANTINE;
    if (n % 29 == 11)
        return LOAD_MARK;
    return n % 10 == 3   ? LOAD_LABEL
           : n % 17 == 5 ? LOAD_ACTION
           : n % 19 == 4 ? LOAD_POSITION
                         : LOAD_DECISION;
}

struct load_counts {
    uint64_t leaves, quarantined, marks;
};

/* After the first `n` entries. */
static inline struct load_counts load_counts(uint64_t n)
{
    struct load_counts counts = {0};
    for (uint64_t i = 0; i < n; i++) {
        enum load_kind kind = load_kind(i);
        counts.leaves += kind == LOAD_DECISION || kind == LOAD_LABEL || kind == LOAD_ACTION;
        counts.quarantined += kind == LOAD_QUARANTINE;
        counts.marks += kind == LOAD_MARK;
    }
    return counts;
}

/* The person of entry n: a new one every third time. */
static inline void load_person(uint64_t n, char out[32])
{
    snprintf(out, 32, "person-%llu", (unsigned long long)(n / 3));
}

static inline struct ledger_entry load_entry(struct ledger *ledger, struct sample *sample,
                                             uint64_t n, int source)
{
    int64_t at_us = DAY_ONE + (int64_t)n * LOAD_STEP_S * US_PER_S;
    struct ledger_entry entry = sample_decision(sample, n, at_us, source);
    struct position position = {source, 0, (int64_t)n + 1};
    char person[32];
    switch (load_kind(n)) {
    case LOAD_DECISION:
        load_person(n, person);
        assert_int_equal(pseudonym_of(ledger_pseudonyms(ledger), slice_of(person), sample->entity),
                         STATUS_OK);
        return entry;
    case LOAD_LABEL:
        entry = (struct ledger_entry){.kind = ENTRY_LABEL, .position = position};
        entry.label.event_id = slice_of(sample->id);
        entry.label.label = (int)(n % 2);
        entry.label.observed_us = entry.label.at_us = at_us;
        break;
    case LOAD_ACTION:
        entry = (struct ledger_entry){.kind = ENTRY_ACTION, .position = position};
        entry.action.who = "anna";
        entry.action.what = "traffic.set";
        entry.action.arguments = slice_of("{\"canary\":5}");
        entry.action.at_us = at_us;
        break;
    case LOAD_QUARANTINE:
        entry = (struct ledger_entry){.kind = ENTRY_QUARANTINE};
        entry.quarantine.event = &sample->event;
        entry.quarantine.document = slice_of(sample->input);
        break;
    case LOAD_MARK:
        entry = (struct ledger_entry){.kind = ENTRY_QUARANTINE_MARK, .position = position};
        entry.mark.id = 1;
        entry.mark.status = QUARANTINE_RETRIED;
        entry.mark.at_us = at_us;
        break;
    case LOAD_POSITION:
        entry = (struct ledger_entry){.kind = ENTRY_POSITION, .position = position};
        break;
    }
    return entry;
}

/* How many entries are submitted together, from entry n on. */
static inline uint64_t load_batch(uint64_t n)
{
    uint64_t batch = 1 + n * 7 % 23;
    return batch < LOAD_ENTRIES - n ? batch : LOAD_ENTRIES - n;
}

/* The log is moved every few commits. */
enum { LOAD_LOG_PAGES = 32 };

static inline struct ledger *load_open(const char *dir, const struct clock *clock, int *source)
{
    struct ledger *ledger = NULL;
    struct error error = {0};
    struct ledger_options options = {.dir = dir, .clock = clock, .log_pages = LOAD_LOG_PAGES};
    if (ledger_open(&options, &ledger, &error) != STATUS_OK ||
        ledger_use_features(ledger, &FEATURES, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(ledger_source(ledger, "file", source), STATUS_OK);
    return ledger;
}

/* How far the ledger has come: entries, going by its position. */
static inline uint64_t load_position(struct ledger *ledger)
{
    int64_t position = ledger_position(ledger, "file", 0);
    return position < 0 ? 0 : (uint64_t)position;
}

/* Submits one batch; the ticket is to be waited for. */
static inline uint64_t load_submit(struct ledger *ledger, uint64_t n, int source)
{
    struct sample *samples = calloc(23, sizeof *samples);
    struct ledger_entry entries[23];
    struct error error = {0};
    uint64_t ticket = 0, batch = load_batch(n);
    for (uint64_t i = 0; i < batch; i++)
        entries[i] = load_entry(ledger, &samples[i], n + i, source);
    if (ledger_submit(ledger, entries, batch, SUBMIT_WAIT, &ticket, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    free(samples);
    return ticket;
}

/* Also while the disk refuses, for a while. */
static inline void load_wait(struct ledger *ledger, uint64_t ticket)
{
    struct error error = {0};
    enum status status = STATUS_IO;
    for (int i = 0; i < 4000 && status == STATUS_IO; i++) {
        status = ledger_wait(ledger, ticket, 20000, &error);
        if (status == STATUS_IO)
            usleep(5000);
    }
    if (status != STATUS_OK)
        fail_msg("%s", error.message);
}

/* From where the ledger stands to the end. */
static inline void load_rest(struct ledger *ledger, int source)
{
    uint64_t ticket = 0;
    for (uint64_t n = load_position(ledger); n < LOAD_ENTRIES; n += load_batch(n))
        ticket = load_submit(ledger, n, source);
    if (ticket > 0)
        load_wait(ledger, ticket);
}

#endif
