/* Alert rules: built in for the objectives and the score's drift, replaced and added to by the
 * `alerts:` node. */
#ifndef BINNACLE_ALERTS_RULE_H
#define BINNACLE_ALERTS_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "alerts/machine.h"
#include "alerts/template.h"
#include "alerts/vocabulary.h"
#include "engine/base/yaml.h"
#include "engine/expr/expr.h"

#define MAX_RULES         MAX_SNAPSHOT_ALERTS
#define MAX_RULE_CHANNELS 8

struct rule {
    char name[NAME_SIZE];
    struct expr *when;
    struct expr *value; /* NULL: value_slot */
    int value_slot;     /* the first number that `when` names; -1: none */
    struct template *summary;
    struct machine_times times;
    bool page;      /* else ticket */
    int n_channels; /* 0: all of them */
    char channels[MAX_RULE_CHANNELS][NAME_SIZE];
    const struct yaml_node *node; /* for errors while reading; NULL: built in. Not kept valid. */
};

struct rules_set; /* immutable */

/* The built-in rules, each replaced by one of the same name in `node` (NULL: none), and the rest of
 * `node`: a list of {name, when, for, resolve_after, severity, summary, value, channels, enabled}.
 * `enabled: false` takes a rule out. The error says file, line and column. */
MUST_USE enum status rules_set_read(const struct yaml_node *node,
                                    const struct alert_objective *slos, int n_slos,
                                    const struct vocabulary *vocabulary, struct rules_set **set,
                                    struct error *error);
void rules_set_destroy(struct rules_set *set); /* NULL is ignored */
int rules_set_count(const struct rules_set *set);
const struct rule *rules_set_get(const struct rules_set *set, int index);

/* What the condition says of the values, and the number to show for it (NaN: none). */
enum condition rule_evaluate(const struct rule *rule, const struct value *slots, double *value);

#endif
