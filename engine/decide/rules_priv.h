/* Between loading rules and applying them. */
#ifndef BINNACLE_DECIDE_RULES_PRIV_H
#define BINNACLE_DECIDE_RULES_PRIV_H

#include <stdatomic.h>

#include "engine/base/yaml.h"
#include "engine/decide/lists.h"
#include "engine/decide/rules.h"

/* Slots of expressions: these three, then the fields, then the features. */
enum rule_slot { SLOT_SCORE, SLOT_MARGIN, SLOT_NOW, SLOT_FIELDS };

#define MAX_RULES 256
#define MAX_SLOTS (SLOT_FIELDS + MAX_FIELDS + MAX_FEATURES)

struct rule {
    struct verdict verdict;
    struct expr *when;
};

struct rules {
    atomic_size_t references;
    struct yaml *yaml; /* owns the texts */
    const struct schema *schema;
    const struct feature_schema *features;
    struct lists *lists;
    struct rule *rules;
    size_t n_rules;
    struct verdict otherwise;
    char **codes; /* per feature */
    int *used;    /* slots that any rule reads, ascending */
    size_t n_used;
};

#endif
