/* Decision rules and lists: from score, features and the event to a decision with a reason code. */
#ifndef BINNACLE_DECIDE_RULES_H
#define BINNACLE_DECIDE_RULES_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/slice.h"
#include "engine/base/status.h"
#include "engine/decide/outcome.h"
#include "engine/event/event.h"
#include "engine/event/schema.h"
#include "engine/feature/vector.h"

/* A compiled rules file. Immutable and counted: a new file is a new object, put in place whole. */
struct rules;

/* Reads rules.yaml. The schemas must outlive the rules. Errors name file, line and column, within
 * expressions too. Names in expressions: `score`, `margin`, `now`, the contract's fields, the
 * view's features; where a field and a feature share a name, the field is meant. */
MUST_USE enum status rules_load(const char *path, const struct schema *schema,
                                const struct feature_schema *features, struct rules **rules,
                                struct error *error);
MUST_USE enum status rules_load_text(const char *name, struct slice text,
                                     const struct schema *schema,
                                     const struct feature_schema *features, struct rules **rules,
                                     struct error *error);
struct rules *rules_acquire(struct rules *rules);
void rules_release(struct rules *rules); /* NULL is ignored; the last one frees it */
size_t rules_count(const struct rules *rules);

/* One worker's room for evaluating. Fits every rule set. */
struct rules_scratch;
MUST_USE enum status rules_scratch_create(struct rules_scratch **scratch, struct error *error);
void rules_scratch_destroy(struct rules_scratch *scratch);

struct verdict {
    enum decision decision;
    const char *rule; /* the first whose condition was true, or "default" */
    const char *code; /* the rule's reason code, or NULL */
};

/* Pure: reads no clock, file or database; lists expire against now_us. The event is the raw one,
 * before pseudonyms. `event` values and `features` are read where the rules name them. A condition
 * that is null (a missing value) does not fire. Allocates nothing. */
void rules_decide(const struct rules *rules, struct rules_scratch *scratch,
                  const struct event *event, const struct feature_vector *features, float score,
                  float margin, int64_t now_us, struct verdict *verdict);

/* The reason code of the rule of this name, or NULL. Lives with the rules. */
const char *rules_code_of(const struct rules *rules, struct slice rule);
/* The rules in their order, the last being what holds when none does (its `when` is NULL): for
 * those who want to see why one fired. Texts live with the rules. */
struct rule_text {
    const char *name, *when, *code; /* code may be NULL */
    enum decision decision;
};
size_t rules_texts(const struct rules *rules, struct rule_text *texts, size_t max);
/* Writes the `top` largest contributions by absolute value, at most `room` of them, largest first,
 * ties in the order of the view. A contribution of 0 is no reason, however many are asked for; a
 * `top` of -1 asks for every feature: then that it is 0 is part of the answer. NaN is none.
 * `contribs` has one float a feature (a bias after them is not read). Returns how many. */
size_t reasons_rank(const struct rules *rules, const struct feature_vector *features,
                    const float *contribs, int top, size_t room, struct reason *out);

#endif
