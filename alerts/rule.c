/* Reading and compiling alert rules. The built-in ones are rows of a table, made for each objective
 * with its name put in for %s. Read once at start; evaluated by the judge's thread. */
#include "alerts/rule.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"

#define SHOWN_US (15 * US_PER_MIN)

/* One entry of `alerts:` as it stands in the file, or a built-in one. */
struct rule_entry {
    const char *name, *when, *severity, *summary, *value;
    int64_t for_us, resolve_us;
    const struct yaml_node *channels;
    bool enabled;
};

static const struct config_key rule_keys[] = {
    {"name", CONFIG_STRING, offsetof(struct rule_entry, name), true, 0, 0,
     "what the alert is called; that of a built-in rule replaces it"},
    {"when", CONFIG_STRING, offsetof(struct rule_entry, when), false, 0, 0,
     "condition over the snapshot, e.g. slo.latency.burn_1h > 14.4"},
    {"for", CONFIG_DURATION, offsetof(struct rule_entry, for_us), false, 0, 604800,
     "how long it must hold before the alert fires (0s)"},
    {"resolve_after", CONFIG_DURATION, offsetof(struct rule_entry, resolve_us), false, 0, 604800,
     "how long it must be over before the alert resolves (2m)"},
    {"severity", CONFIG_STRING, offsetof(struct rule_entry, severity), false, 0, 0,
     "page or ticket (ticket)"},
    {"summary", CONFIG_STRING, offsetof(struct rule_entry, summary), false, 0, 0,
     "one line for people, with {names} (the name)"},
    {"value", CONFIG_STRING, offsetof(struct rule_entry, value), false, 0, 0,
     "the number to show (the first one that `when` names)"},
    {"channels", CONFIG_NODE, offsetof(struct rule_entry, channels), false, 0, 0,
     "list of channel names (all)"},
    {"enabled", CONFIG_BOOL, offsetof(struct rule_entry, enabled), false, 0, 0,
     "false takes the rule out (true)"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};

/* %s is the objective's name. The pairs of windows, their rates and the counts that keep a few bad
 * events of a quiet night from paging anyone are those of engine/monitor/slo.h. */
struct builtin {
    const char *name, *when, *severity, *summary;
    const char *only_for; /* NULL: every objective; "": the service as a whole */
    int64_t for_us, resolve_us;
};

static const struct builtin builtins[] = {
    {"%s-burn",
     "(slo.%s.burn_1h > slo.%s.page_1h and slo.%s.burn_5m > slo.%s.page_1h and "
     "slo.%s.bad_1h >= slo.%s.min_bad and slo.%s.n_1h >= slo.%s.min_counted) or "
     "(slo.%s.burn_6h > slo.%s.page_6h and slo.%s.burn_30m > slo.%s.page_6h and "
     "slo.%s.bad_6h >= slo.%s.min_bad and slo.%s.n_6h >= slo.%s.min_counted)",
     "page",
     "%s: the error budget burns at {slo.%s.burn_1h} times its rate over 1 h and {slo.%s.burn_6h} "
     "over 6 h; {slo.%s.bad_1h} of {slo.%s.n_1h} bad in the last hour{slo.%s.so_far}",
     NULL, 0, 2 * US_PER_MIN},
    {"%s-slow-burn",
     "(slo.%s.burn_1d > slo.%s.ticket_1d and slo.%s.burn_2h > slo.%s.ticket_1d and "
     "slo.%s.bad_1d >= slo.%s.min_bad and slo.%s.n_1d >= slo.%s.min_counted) or "
     "(slo.%s.burn_3d > slo.%s.ticket_3d and slo.%s.burn_6h > slo.%s.ticket_3d and "
     "slo.%s.bad_3d >= slo.%s.min_bad and slo.%s.n_3d >= slo.%s.min_counted)",
     "ticket",
     "%s: the error budget will not last; it burns at {slo.%s.burn_1d} times its rate over 1 d and "
     "{slo.%s.burn_3d} over 3 d, {slo.%s.bad_3d} of {slo.%s.n_3d} bad{slo.%s.so_far}",
     NULL, 0, 10 * US_PER_MIN},
    {"score-drift", "drift.score.psi > drift.score.threshold and drift.score.level >= 1", "ticket",
     "the score's distribution has moved: PSI {drift.score.psi} over {drift.score.threshold} "
     "({drift.score.n} events, {drift.score.noise} is noise)",
     "score", 5 * US_PER_MIN, 10 * US_PER_MIN},
    {"ledger-not-written", "ledger.not_written_s >= 3", "page",
     "the ledger has not been written for {ledger.not_written_s} s, so nothing is decided: "
     "{ledger.problem}; {ledger.refused_total} events refused since start",
     "", 0, US_PER_MIN},
    {"ledger-slow", "ledger.wait_us > 2000000", "page",
     "the ledger's disk is slow: what waits for it takes more than 2 s, so requests are refused; "
     "{ledger.refused_total} events since start",
     "", 10 * US_PER_S, US_PER_MIN},
    {"clock-behind", "clock.future_ratio > 0.5", "page",
     "most events are quarantined as lying in the future, so the machine's clock is behind; set "
     "it, "
     "and `binnacle quarantine retry` decides them",
     "", 15 * US_PER_S, US_PER_MIN},
    {"data-quality", "quality.level >= 2", "page", "the data is not sound: {quality.why}", "",
     US_PER_MIN, 2 * US_PER_MIN},
    {"data-quality-ticket", "quality.level >= 1", "ticket",
     "the data may not be sound: {quality.why}", "", US_PER_MIN, 10 * US_PER_MIN},
};

struct rules_set {
    struct rule rules[MAX_RULES];
    int n;
};

/* Where an entry's words stand in the file; NULL for a built-in rule. */
struct source {
    const struct yaml_node *node;
    const struct vocabulary *vocabulary;
};

static enum status wrong(const struct source *source, const char *key, struct error *error)
{
    char message[sizeof error->message];
    snprintf(message, sizeof message, "%s", error->message);
    const struct yaml_node *at = source->node ? yaml_get(source->node, key) : NULL;
    if (at)
        return yaml_error(at, error, "%s: %s", key, message);
    return error_set(error, STATUS_INVALID, "built-in alert rule: %s: %s", key, message);
}

static void rule_clear(struct rule *rule)
{
    expr_destroy(rule->when);
    expr_destroy(rule->value);
    template_destroy(rule->summary);
    memset(rule, 0, sizeof *rule);
}

/* The number that stands first in the condition's text. */
static int first_number(const struct expr *when, const struct vocabulary *vocabulary)
{
    size_t n;
    const struct expr_symbol *symbols = vocabulary_symbols(vocabulary, &n);
    const char *first = NULL;
    int slot = -1;
    for (size_t i = 0; i < n; i++) {
        if (symbols[i].type != VALUE_NUMBER || !expr_uses(when, symbols[i].slot))
            continue;
        const char *at = strstr(expr_text(when), symbols[i].name);
        if (at && (!first || at < first)) {
            first = at;
            slot = symbols[i].slot;
        }
    }
    return slot;
}

static enum status compile_words(const struct source *source, const struct rule_entry *entry,
                                 struct rule *rule, struct error *error)
{
    struct expr_scope scope = {0};
    scope.symbols = vocabulary_symbols(source->vocabulary, &scope.n_symbols);
    if (expr_compile(entry->when, &scope, VALUE_BOOL, &rule->when, error) != STATUS_OK)
        return wrong(source, "when", error);
    if (entry->value &&
        expr_compile(entry->value, &scope, VALUE_NUMBER, &rule->value, error) != STATUS_OK)
        return wrong(source, "value", error);
    rule->value_slot = first_number(rule->when, source->vocabulary);
    if (template_compile(entry->summary ? entry->summary : rule->name, source->vocabulary,
                         &rule->summary, error) != STATUS_OK)
        return wrong(source, "summary", error);
    return STATUS_OK;
}

static enum status read_severity(const struct source *source, const char *word, struct rule *rule,
                                 struct error *error)
{
    rule->page = word && strcmp(word, "page") == 0;
    if (!word || rule->page || strcmp(word, "ticket") == 0)
        return STATUS_OK;
    error_set(error, STATUS_INVALID, "\"%s\" is neither page nor ticket", word);
    return wrong(source, "severity", error);
}

static enum status read_channels(const struct yaml_node *list, struct rule *rule,
                                 struct error *error)
{
    if (!list)
        return STATUS_OK;
    if (yaml_kind(list) != YAML_LIST || yaml_size(list) == 0 || yaml_size(list) > MAX_RULE_CHANNELS)
        return yaml_error(list, error, "channels is a list of 1 to %d names", MAX_RULE_CHANNELS);
    for (size_t i = 0; i < yaml_size(list); i++) {
        const char *name = yaml_text(yaml_item(list, i));
        if (strlen(name) >= NAME_SIZE || !*name)
            return yaml_error(yaml_item(list, i), error, "not a channel's name");
        snprintf(rule->channels[rule->n_channels++], NAME_SIZE, "%s", name);
    }
    return STATUS_OK;
}

static enum status compile_rule(const struct source *source, const struct rule_entry *entry,
                                struct rule *rule, struct error *error)
{
    memset(rule, 0, sizeof *rule);
    snprintf(rule->name, sizeof rule->name, "%s", entry->name);
    rule->node = source->node;
    rule->times = (struct machine_times){entry->for_us, entry->resolve_us, SHOWN_US};
    enum status status = read_severity(source, entry->severity, rule, error);
    if (status == STATUS_OK)
        status = read_channels(entry->channels, rule, error);
    if (status == STATUS_OK)
        status = compile_words(source, entry, rule, error);
    if (status != STATUS_OK)
        rule_clear(rule);
    return status;
}

/* ---- built-in rules ---- */

static void put_name(const char *pattern, const char *name, char *out, size_t size)
{
    size_t used = 0;
    for (const char *at = pattern; *at && used + 1 < size; at++) {
        if (at[0] == '%' && at[1] == 's') {
            used += (size_t)snprintf(out + used, size - used, "%s", name);
            used = used < size ? used : size - 1;
            at++;
        } else {
            out[used++] = *at;
        }
    }
    out[used] = '\0';
}

static enum status add_builtin(struct rules_set *set, const struct builtin *builtin,
                               const char *subject, const struct vocabulary *vocabulary,
                               struct error *error)
{
    char name[NAME_SIZE], when[2048], summary[1024];
    put_name(builtin->name, subject, name, sizeof name);
    put_name(builtin->when, subject, when, sizeof when);
    put_name(builtin->summary, subject, summary, sizeof summary);
    struct rule_entry entry = {.name = name,
                               .when = when,
                               .severity = builtin->severity,
                               .summary = summary,
                               .for_us = builtin->for_us,
                               .resolve_us = builtin->resolve_us};
    struct source source = {NULL, vocabulary};
    if (set->n == MAX_RULES)
        return error_set(error, STATUS_FULL, "more than %d alert rules", MAX_RULES);
    enum status status = compile_rule(&source, &entry, &set->rules[set->n], error);
    set->n += status == STATUS_OK;
    return status;
}

static enum status add_builtins(struct rules_set *set, const struct alert_objective *slos,
                                int n_slos, const struct vocabulary *vocabulary,
                                struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof builtins / sizeof *builtins && status == STATUS_OK; i++) {
        const struct builtin *builtin = &builtins[i];
        if (builtin->only_for) {
            bool score = strcmp(builtin->only_for, "score") == 0;
            if (!score || vocabulary_find(vocabulary, "drift.score.psi", NULL) >= 0)
                status = add_builtin(set, builtin, builtin->only_for, vocabulary, error);
            continue;
        }
        for (int s = 0; s < n_slos && status == STATUS_OK; s++)
            status = add_builtin(set, builtin, slos[s].name, vocabulary, error);
    }
    return status;
}

/* ---- rules of the configuration ---- */

static int find_rule(const struct rules_set *set, const char *name)
{
    for (int i = 0; i < set->n; i++) {
        if (strcmp(set->rules[i].name, name) == 0)
            return i;
    }
    return -1;
}

static bool is_name(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_-.";
    return *name && strlen(name) < NAME_SIZE && name[strspn(name, allowed)] == '\0';
}

static void remove_rule(struct rules_set *set, int at)
{
    rule_clear(&set->rules[at]);
    set->n--;
    memmove(&set->rules[at], &set->rules[at + 1], (size_t)(set->n - at) * sizeof(struct rule));
    memset(&set->rules[set->n], 0, sizeof(struct rule));
}

static enum status read_rule(struct rules_set *set, const struct yaml_node *node,
                             const struct vocabulary *vocabulary, struct error *error)
{
    struct rule_entry entry = {.enabled = true, .resolve_us = 2 * US_PER_MIN};
    enum status status = config_read(node, rule_keys, &entry, error);
    if (status != STATUS_OK)
        return status;
    const struct yaml_node *name = yaml_get(node, "name");
    if (!is_name(entry.name))
        return yaml_error(name, error,
                          "an alert's name has letters, digits, '-', '_' and '.' only");
    int before = find_rule(set, entry.name);
    if (before >= 0 && set->rules[before].node)
        return yaml_error(name, error, "there are two alerts named %s", entry.name);
    if (before >= 0)
        remove_rule(set, before);
    if (!entry.enabled)
        return STATUS_OK;
    if (!entry.when)
        return yaml_error(node, error, "alert %s has no `when`", entry.name);
    if (set->n == MAX_RULES)
        return yaml_error(node, error, "more than %d alert rules", MAX_RULES);
    struct source source = {node, vocabulary};
    status = compile_rule(&source, &entry, &set->rules[set->n], error);
    set->n += status == STATUS_OK;
    return status;
}

enum status rules_set_read(const struct yaml_node *node, const struct alert_objective *slos,
                           int n_slos, const struct vocabulary *vocabulary, struct rules_set **set,
                           struct error *error)
{
    if (node && yaml_kind(node) != YAML_LIST)
        return yaml_error(node, error, "alerts is a list of {name, when, ...}");
    struct rules_set *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory for alert rules");
    enum status status = add_builtins(made, slos, n_slos, vocabulary, error);
    for (size_t i = 0; node && i < yaml_size(node) && status == STATUS_OK; i++)
        status = read_rule(made, yaml_item(node, i), vocabulary, error);
    if (status != STATUS_OK)
        rules_set_destroy(made);
    else
        *set = made;
    return status;
}

void rules_set_destroy(struct rules_set *set)
{
    if (!set)
        return;
    for (int i = 0; i < set->n; i++)
        rule_clear(&set->rules[i]);
    free(set);
}

int rules_set_count(const struct rules_set *set)
{
    return set->n;
}

const struct rule *rules_set_get(const struct rules_set *set, int index)
{
    return &set->rules[index];
}

enum condition rule_evaluate(const struct rule *rule, const struct value *slots, double *value)
{
    struct value result = expr_evaluate(rule->when, slots, NULL);
    struct value shown = value_null();
    if (rule->value)
        shown = expr_evaluate(rule->value, slots, NULL);
    else if (rule->value_slot >= 0)
        shown = slots[rule->value_slot];
    *value = shown.type == VALUE_NUMBER ? shown.number : NAN;
    if (result.type != VALUE_BOOL)
        return CONDITION_UNKNOWN;
    return result.boolean ? CONDITION_TRUE : CONDITION_FALSE;
}
