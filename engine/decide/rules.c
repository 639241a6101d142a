/* Applies compiled rules: the first whose condition is true decides. Runs on the worker that
 * carries the batch, without allocating; only the slots that some rule reads are filled. */
#include "engine/decide/rules.h"

#include <math.h>
#include <stdlib.h>

#include "engine/decide/rules_priv.h"

struct rules_scratch {
    struct value slots[MAX_SLOTS];
};

struct rules *rules_acquire(struct rules *rules)
{
    atomic_fetch_add_explicit(&rules->references, 1, memory_order_relaxed);
    return rules;
}

void rules_release(struct rules *rules)
{
    if (!rules || atomic_fetch_sub_explicit(&rules->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < rules->n_rules; i++)
        expr_destroy(rules->rules[i].when);
    for (size_t i = 0; rules->codes && i < rules->features->n_features; i++)
        free(rules->codes[i]);
    free(rules->codes);
    free(rules->used);
    free(rules->rules);
    lists_destroy(rules->lists);
    yaml_destroy(rules->yaml);
    free(rules);
}

size_t rules_count(const struct rules *rules)
{
    return rules->n_rules;
}

enum status rules_scratch_create(struct rules_scratch **scratch, struct error *error)
{
    *scratch = calloc(1, sizeof **scratch);
    return *scratch ? STATUS_OK : error_set(error, STATUS_MEMORY, "out of memory");
}

void rules_scratch_destroy(struct rules_scratch *scratch)
{
    free(scratch);
}

/* ---- deciding ---- */

void rules_decide(const struct rules *rules, struct rules_scratch *scratch,
                  const struct event *event, const struct feature_vector *features, float score,
                  float margin, int64_t now_us, struct verdict *verdict)
{
    struct value *slots = scratch->slots;
    int first_feature = SLOT_FIELDS + (int)rules->schema->n_fields;
    value_set_number(&slots[SLOT_SCORE], (double)score);
    value_set_number(&slots[SLOT_MARGIN], (double)margin);
    value_set_time(&slots[SLOT_NOW], now_us);
    for (size_t i = 0; i < rules->n_used; i++) {
        int slot = rules->used[i];
        if (slot >= first_feature)
            value_set_number(&slots[slot], (double)features->values[slot - first_feature]);
        else if (slot >= SLOT_FIELDS)
            slots[slot] = event->values[slot - SLOT_FIELDS];
    }
    const struct expr_run run = {.context = &now_us};
    *verdict = rules->otherwise;
    for (size_t i = 0; i < rules->n_rules; i++)
        if (expr_holds(rules->rules[i].when, slots, &run)) {
            *verdict = rules->rules[i].verdict;
            return;
        }
}

/* ---- reasons ---- */

const char *rules_code_of(const struct rules *rules, struct slice rule)
{
    for (size_t i = 0; i < rules->n_rules; i++) {
        if (slice_is(rule, rules->rules[i].verdict.rule))
            return rules->rules[i].verdict.code;
    }
    return NULL;
}

size_t rules_texts(const struct rules *rules, struct rule_text *texts, size_t max)
{
    size_t n = 0;
    for (; n < rules->n_rules && n < max; n++) {
        const struct rule *rule = &rules->rules[n];
        texts[n] = (struct rule_text){rule->verdict.rule, expr_text(rule->when), rule->verdict.code,
                                      rule->verdict.decision};
    }
    if (n < max)
        texts[n++] = (struct rule_text){rules->otherwise.rule, NULL, rules->otherwise.code,
                                        rules->otherwise.decision};
    return n;
}

/* Whether feature a comes before b: the larger contribution, then the view's order. */
static bool comes_before(const float *contribs, size_t a, size_t b)
{
    float size_a = fabsf(contribs[a]), size_b = fabsf(contribs[b]);
    return size_a > size_b || (size_a == size_b && a < b);
}

size_t reasons_rank(const struct rules *rules, const struct feature_vector *features,
                    const float *contribs, int top, size_t room, struct reason *out)
{
    bool all = top < 0;
    size_t n = 0, most = all || (size_t)top > room ? room : (size_t)top;
    for (size_t i = 0; i < rules->features->n_features && most > 0; i++) {
        if (isnan(contribs[i]) || (contribs[i] == 0 && !all))
            continue;
        if (n == most && !comes_before(contribs, i, (size_t)out[n - 1].feature))
            continue;
        size_t at = n < most ? n++ : n - 1;
        for (; at > 0 && comes_before(contribs, i, (size_t)out[at - 1].feature); at--)
            out[at] = out[at - 1];
        out[at] = (struct reason){.code = rules->codes[i],
                                  .feature = (int)i,
                                  .value = features->values[i],
                                  .contribution = contribs[i]};
    }
    return n;
}
