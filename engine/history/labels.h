/* What the history can be told apart by: variant, decision, reason (the rule that decided) and
 * fields of the contract with few values. A combination of values is packed into 64 bits, one byte
 * a label, so that it can be a key. Each label knows the first LABEL_VALUES values it met, under
 * numbers that are kept with the history; whatever comes later is "other". */
#ifndef BINNACLE_HISTORY_LABELS_H
#define BINNACLE_HISTORY_LABELS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/decide/outcome.h"
#include "engine/observe/snapshot.h"

#define MAX_LABELS   8
#define LABEL_VALUES 40

/* The byte of a label in a key. */
enum { LABEL_ANY = 0, LABEL_NONE = 1, LABEL_OTHER = 2, LABEL_FIRST = 3 };

struct labels;
struct labels *labels_create(void); /* NULL: out of memory */
void labels_destroy(struct labels *labels);

/* From now on told apart by this name, too: "variant", "decision", "reason" or a field of the
 * schema. STATUS_INVALID: neither, a personal one, or too many. */
MUST_USE enum status labels_use(struct labels *labels, const char *name,
                                const struct schema *schema, struct error *error);
/* As it was stored: label `position` is `name`, and its value `text` has the number `code`. False:
 * out of range. */
bool labels_restore(struct labels *labels, int position, const char *name);
bool labels_restore_value(struct labels *labels, int position, int code, const char *text);

int labels_count(const struct labels *labels); /* positions, also of those not used any more */
int labels_find(const struct labels *labels, const char *name); /* position or -1 */
const char *labels_name(const struct labels *labels, int position);
/* Of a byte of a key; "" for LABEL_NONE, "other" for LABEL_OTHER. */
const char *labels_value(const struct labels *labels, int position, int code);
int labels_values(const struct labels *labels, int position); /* codes are below this */
/* The code of a value that is known, LABEL_OTHER for "other", LABEL_NONE for ""; else -1. */
int labels_code(const struct labels *labels, int position, struct slice text);

/* Keys. Any thread; what was not met before gets a number. */
void labels_of_outcomes(struct labels *labels, const struct outcome *const *outcomes, size_t n,
                        uint64_t *keys);
/* Of an event that was not decided: `reason` is why. */
uint64_t labels_of_refusal(struct labels *labels, const struct event *event, const char *reason);
uint64_t labels_of_nothing(const struct labels *labels); /* LABEL_NONE everywhere */
uint64_t labels_of_shadow(struct labels *labels);        /* likewise, but for the variant */

/* The keys of shadows: those that are `key` under the mask. */
struct shadow_keys {
    uint64_t mask, key; /* no mask: shadows are not told apart, or none came yet */
};
struct shadow_keys labels_shadow(const struct labels *labels);
static inline bool shadow_is(const struct shadow_keys *shadow, uint64_t key)
{
    return shadow->mask != 0 && (key & shadow->mask) == shadow->key;
}

static inline int label_byte(uint64_t key, int position)
{
    return (int)(key >> (8 * position) & 0xff);
}

static inline uint64_t label_mask(int position)
{
    return UINT64_C(0xff) << (8 * position);
}

#endif
