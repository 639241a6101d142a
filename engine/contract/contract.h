/* The contract: what a good event is, read from a YAML file, checked on every event. */
#ifndef BINNACLE_CONTRACT_CONTRACT_H
#define BINNACLE_CONTRACT_CONTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/slice.h"
#include "engine/base/status.h"
#include "engine/event/event.h"

/* Immutable once loaded; any thread may check with it. */
struct contract;
struct yaml_node;

/* The error names file, line, column and, for a wrong key, the nearest right one. */
MUST_USE enum status contract_load(const char *path, struct contract **contract,
                                   struct error *error);
/* The same from text; `name` stands for the file in messages. */
MUST_USE enum status contract_load_text(const char *name, struct slice text,
                                        struct contract **contract, struct error *error);
void contract_destroy(struct contract *contract); /* NULL is ignored */

/* Lives as long as the contract. */
const struct schema *contract_schema(const struct contract *contract);
const char *contract_description(const struct contract *contract); /* "" when there is none */
/* For decoder_create(): false when unknown members are violations. */
bool contract_additional_fields(const struct contract *contract);

/* Ids may not come again within this span of the engine's clock; 0: not checked. The field is the
 * schema's id. Default 7 days. */
int64_t contract_unique_within_us(const struct contract *contract);

/* Which clock an event's time is held against. */
enum contract_clock {
    CONTRACT_WALL,  /* live: a time after now_us + max_future is VIOLATION_FUTURE */
    CONTRACT_EVENT, /* replay: now_us is the highest accepted event time (INT64_MIN before the
                       first); a time after now_us + max_step is VIOLATION_STEP */
};

/* Judges a decoded event: ranges, enums, patterns, lengths, ULIDs, times and, when all of those
 * hold, the check expressions. Adds violations; sets event->time_us. Presence, null and types were
 * judged by the decoder, whose null for a refused value is not judged twice. Allocates nothing. */
void contract_check(const struct contract *contract, struct event *event, int64_t now_us,
                    enum contract_clock clock);

/* Whether a time that somebody states lies further ahead of now_us than the contract lets an
 * event's own time: max_future of the time field, or in event time max_step. */
bool contract_is_ahead(const struct contract *contract, int64_t time_us, int64_t now_us,
                       enum contract_clock clock);

/* 26 characters of Crockford's base 32 in upper case, the first one 0 to 7 (128 bits). Lower case
 * is refused though decoders may read it: ids are compared as text everywhere, and one id must not
 * have two spellings. */
bool ulid_is_valid(struct slice text);
/* The 128 bits, big end first; false when it is not valid. */
bool ulid_pack(struct slice text, uint64_t out[2]);

/* What a field must hold, for schema export and comparison of versions. */
struct field_rule {
    const char *description; /* "" when there is none */
    bool has_min, has_max;
    double min, max;          /* inclusive; numbers */
    const char *const *words; /* enum of strings, n_words of them, or NULL */
    const double *numbers;    /* enum of numbers, n_words of them, or NULL */
    size_t n_words;
    const char *pattern; /* the whole text must match (PCRE2); NULL: none */
    bool ulid;
    int64_t min_length, max_length; /* in characters; -1: none */
    int64_t max_future_us;          /* timestamps; -1: none */
};

/* By field index. */
const struct field_rule *contract_rule(const struct contract *contract, int field);

struct contract_check_rule {
    const char *name;
    const char *expression; /* must be true, or null for lack of data */
};
size_t contract_n_checks(const struct contract *contract);
struct contract_check_rule contract_check_at(const struct contract *contract, size_t index);

/* A condition on many events together, over a window that ends now. The contract only keeps it: who
 * has the window compiles and judges it. */
struct contract_window_check {
    const char *name, *expression;
    int64_t over_us;
    const struct yaml_node *node; /* its entry in the file, for messages */
};
size_t contract_n_window_checks(const struct contract *contract);
const struct contract_window_check *contract_window_check_at(const struct contract *contract,
                                                             size_t index);

#endif
