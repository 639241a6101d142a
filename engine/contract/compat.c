/* Two versions of a contract side by side. Every difference is a row with two answers: does data of
 * the last version still pass the new one (backward), and can consumers of the last version read
 * data of the new one (forward)? The words are those of schema registries. Where a question cannot
 * be decided (one pattern against another, check expressions) the answer is the careful one. */
#include "engine/contract/compat.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/number.h"

struct comparison {
    const struct contract *last, *next;
    struct compat_report *report;
    bool no_memory;
    char unread[COMPAT_TEXT_SIZE]; /* text of rows that there is no room for */
};

/* Which sides a difference breaks. */
enum breaks { BREAKS_NONE = 0, BREAKS_BACKWARD = 1, BREAKS_FORWARD = 2, BREAKS_BOTH = 3 };

/* Adds a row and returns where its text goes, COMPAT_TEXT_SIZE bytes. */
static char *add(struct comparison *comparison, const char *field, const char *change, int breaks)
{
    struct compat_report *report = comparison->report;
    if (!report->findings)
        report->findings = calloc(MAX_COMPAT_FINDINGS, sizeof *report->findings);
    comparison->no_memory = !report->findings;
    if (!report->findings || report->n_findings == MAX_COMPAT_FINDINGS)
        return comparison->unread;
    struct compat_finding *finding = &report->findings[report->n_findings++];
    (void)snprintf(finding->field, sizeof finding->field, "%s", field);
    (void)snprintf(finding->change, sizeof finding->change, "%s", change);
    finding->breaks_backward = breaks & BREAKS_BACKWARD;
    finding->breaks_forward = breaks & BREAKS_FORWARD;
    return finding->text;
}

#define FIND(comparison, field, change, breaks, ...)                                               \
    (void)snprintf(add(comparison, field, change, breaks), COMPAT_TEXT_SIZE, __VA_ARGS__)

/* One field in both versions. */
struct pair {
    const struct field *last_field, *next_field;
    const struct field_rule *last, *next;
    const char *name;
};

static void compare_types(struct comparison *comparison, const struct pair *pair)
{
    enum field_type last = pair->last_field->type;
    enum field_type next = pair->next_field->type;
    if (last == next)
        return;
    /* Every int is a float; nothing else passes for another type. */
    int breaks = last == FIELD_INT && next == FIELD_FLOAT   ? BREAKS_FORWARD
                 : last == FIELD_FLOAT && next == FIELD_INT ? BREAKS_BACKWARD
                                                            : BREAKS_BOTH;
    FIND(comparison, pair->name, "type_changed", breaks, "the type was %s and is %s",
         field_type_name(last), field_type_name(next));
}

static void compare_presence(struct comparison *comparison, const struct pair *pair)
{
    const struct field *last = pair->last_field;
    const struct field *next = pair->next_field;
    if (last->required && !next->required)
        FIND(comparison, pair->name, "now_optional", BREAKS_FORWARD, "it may be absent now");
    if (!last->required && next->required)
        FIND(comparison, pair->name, "now_required", BREAKS_BACKWARD, "it must be present now");
    if (!last->nullable && next->nullable)
        FIND(comparison, pair->name, "now_nullable", BREAKS_FORWARD, "it may be null now");
    if (last->nullable && !next->nullable)
        FIND(comparison, pair->name, "not_nullable_now", BREAKS_BACKWARD,
             "it may not be null any more");
    if (last->pii != next->pii)
        FIND(comparison, pair->name, "pii_changed", BREAKS_FORWARD,
             next->pii ? "it is personal now: the record holds its pseudonym"
                       : "it is not personal any more: the record holds it as it is");
}

/* One end of a range or length; `sign` +1 for an upper end, -1 for a lower one; infinite: none. */
static void compare_end(struct comparison *comparison, const struct pair *pair, const char *what,
                        double last, double next, int sign)
{
    char from[NUMBER_TEXT_SIZE] = "none";
    char to[NUMBER_TEXT_SIZE] = "none";
    if (last == next)
        return;
    if (isfinite(last))
        (void)number_format(last, from);
    if (isfinite(next))
        (void)number_format(next, to);
    bool narrower = sign * next < sign * last;
    FIND(comparison, pair->name, narrower ? "range_narrowed" : "range_widened",
         narrower ? BREAKS_BACKWARD : BREAKS_FORWARD, "%s was %s and is %s", what, from, to);
}

static double end_or(bool given, double end, double otherwise)
{
    return given ? end : otherwise;
}

static void compare_ranges(struct comparison *comparison, const struct pair *pair)
{
    const struct field_rule *last = pair->last;
    const struct field_rule *next = pair->next;
    compare_end(comparison, pair, "min", end_or(last->has_min, last->min, -INFINITY),
                end_or(next->has_min, next->min, -INFINITY), -1);
    compare_end(comparison, pair, "max", end_or(last->has_max, last->max, INFINITY),
                end_or(next->has_max, next->max, INFINITY), 1);
    compare_end(comparison, pair, "min_length",
                end_or(last->min_length > 0, (double)last->min_length, 0),
                end_or(next->min_length > 0, (double)next->min_length, 0), -1);
    compare_end(comparison, pair, "max_length",
                end_or(last->max_length >= 0, (double)last->max_length, INFINITY),
                end_or(next->max_length >= 0, (double)next->max_length, INFINITY), 1);
}

static bool has_value(const struct field_rule *rule, const struct field_rule *other, size_t index)
{
    for (size_t i = 0; i < rule->n_words; i++) {
        if (rule->words && other->words && strcmp(rule->words[i], other->words[index]) == 0)
            return true;
        if (rule->numbers && other->numbers && rule->numbers[i] == other->numbers[index])
            return true;
    }
    return false;
}

/* The values of `rule` that `other` has not, as "A, B, ...". Returns how many. */
static size_t list_extra(const struct field_rule *rule, const struct field_rule *other, char *out,
                         size_t size)
{
    size_t n = 0;
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < rule->n_words; i++) {
        char number[NUMBER_TEXT_SIZE] = "";
        if (has_value(other, rule, i))
            continue;
        if (rule->numbers)
            (void)number_format(rule->numbers[i], number);
        n++;
        if (at < size)
            at += (size_t)snprintf(out + at, size - at, "%s%s", at ? ", " : "",
                                   rule->words ? rule->words[i] : number);
    }
    return n;
}

static void compare_enums(struct comparison *comparison, const struct pair *pair)
{
    char list[200];
    const struct field_rule *last = pair->last;
    const struct field_rule *next = pair->next;
    if (last->n_words == 0 && next->n_words == 0)
        return;
    if (last->n_words == 0) {
        FIND(comparison, pair->name, "enum_added", BREAKS_BACKWARD, "only listed values pass now");
    } else if (next->n_words == 0) {
        FIND(comparison, pair->name, "enum_removed", BREAKS_FORWARD,
             "values are not limited to a list any more");
    } else {
        if (list_extra(last, next, list, sizeof list) > 0)
            FIND(comparison, pair->name, "enum_narrowed", BREAKS_BACKWARD, "no longer: %s", list);
        if (list_extra(next, last, list, sizeof list) > 0)
            FIND(comparison, pair->name, "enum_widened", BREAKS_FORWARD, "new: %s", list);
    }
}

static void compare_patterns(struct comparison *comparison, const struct pair *pair)
{
    const char *last = pair->last->pattern;
    const char *next = pair->next->pattern;
    if (!last && next)
        FIND(comparison, pair->name, "pattern_added", BREAKS_BACKWARD, "it must match %s now",
             next);
    else if (last && !next)
        FIND(comparison, pair->name, "pattern_removed", BREAKS_FORWARD,
             "it need not match %s any more", last);
    else if (last && next && strcmp(last, next) != 0)
        FIND(comparison, pair->name, "pattern_changed", BREAKS_BOTH, "it was %s and is %s", last,
             next);
    if (pair->last->ulid != pair->next->ulid)
        FIND(comparison, pair->name, "format_changed",
             pair->next->ulid ? BREAKS_BACKWARD : BREAKS_FORWARD,
             pair->next->ulid ? "it must be a ULID now" : "it need not be a ULID any more");
}

static void compare_future(struct comparison *comparison, const struct pair *pair)
{
    int64_t last = pair->last->max_future_us;
    int64_t next = pair->next->max_future_us;
    if (last == next)
        return;
    bool tighter = next >= 0 && (last < 0 || next < last);
    FIND(comparison, pair->name, tighter ? "future_narrowed" : "future_widened",
         tighter ? BREAKS_BACKWARD : BREAKS_FORWARD,
         "times may lie %s ahead of the clock than before", tighter ? "less far" : "further");
}

static void compare_field(struct comparison *comparison, int last, int next)
{
    const struct schema *last_schema = contract_schema(comparison->last);
    const struct schema *next_schema = contract_schema(comparison->next);
    const struct pair pair = {
        .last_field = &last_schema->fields[last],
        .next_field = &next_schema->fields[next],
        .last = contract_rule(comparison->last, last),
        .next = contract_rule(comparison->next, next),
        .name = last_schema->fields[last].name,
    };
    compare_types(comparison, &pair);
    compare_presence(comparison, &pair);
    if (pair.last_field->type != pair.next_field->type)
        return; /* the rules of two types do not compare */
    compare_ranges(comparison, &pair);
    compare_enums(comparison, &pair);
    compare_patterns(comparison, &pair);
    compare_future(comparison, &pair);
}

/* A field that only the last version names. Its data is still let through unread unless the new
 * one refuses unknown members. */
static void removed_field(struct comparison *comparison, const struct field *field)
{
    int breaks = field->required ? BREAKS_FORWARD : BREAKS_NONE;
    if (!contract_additional_fields(comparison->next))
        breaks |= BREAKS_BACKWARD;
    FIND(comparison, field->name, "field_removed", breaks, "%s field \"%s\" is gone",
         field->required ? "required" : "optional", field->name);
}

static void added_field(struct comparison *comparison, const struct field *field)
{
    int breaks = field->required ? BREAKS_BACKWARD : BREAKS_NONE;
    if (!contract_additional_fields(comparison->last))
        breaks |= BREAKS_FORWARD;
    FIND(comparison, field->name, "field_added", breaks, "%s field \"%s\" is new",
         field->required ? "required" : "optional", field->name);
}

static const char *role_name(const struct schema *schema, int field)
{
    return field >= 0 ? schema->fields[field].name : "none";
}

static void compare_role(struct comparison *comparison, const char *role, int last, int next)
{
    const char *before = role_name(contract_schema(comparison->last), last);
    const char *after = role_name(contract_schema(comparison->next), next);
    if (strcmp(before, after) != 0)
        FIND(comparison, "", "role_changed", BREAKS_BOTH, "the %s was %s and is %s", role, before,
             after);
}

static bool has_check(const struct contract *contract, struct contract_check_rule wanted)
{
    for (size_t i = 0; i < contract_n_checks(contract); i++)
        if (strcmp(contract_check_at(contract, i).expression, wanted.expression) == 0)
            return true;
    return false;
}

static void compare_checks(struct comparison *comparison)
{
    for (size_t i = 0; i < contract_n_checks(comparison->last); i++) {
        struct contract_check_rule check = contract_check_at(comparison->last, i);
        if (!has_check(comparison->next, check))
            FIND(comparison, "", "check_removed", BREAKS_FORWARD, "%s: %s", check.name,
                 check.expression);
    }
    for (size_t i = 0; i < contract_n_checks(comparison->next); i++) {
        struct contract_check_rule check = contract_check_at(comparison->next, i);
        if (!has_check(comparison->last, check))
            FIND(comparison, "", "check_added", BREAKS_BACKWARD, "%s: %s", check.name,
                 check.expression);
    }
}

static void compare_whole(struct comparison *comparison)
{
    const struct schema *last = contract_schema(comparison->last);
    const struct schema *next = contract_schema(comparison->next);
    if (strcmp(last->name, next->name) != 0)
        FIND(comparison, "", "name_changed", BREAKS_BOTH, "the contract was %s and is %s",
             last->name, next->name);
    compare_role(comparison, "id", last->id, next->id);
    compare_role(comparison, "time", last->time, next->time);
    compare_role(comparison, "label", last->label, next->label);
    compare_role(comparison, "entity", last->entity, next->entity);
    bool open_last = contract_additional_fields(comparison->last);
    bool open_next = contract_additional_fields(comparison->next);
    if (open_last != open_next)
        FIND(comparison, "", "additional_fields_changed",
             open_next ? BREAKS_FORWARD : BREAKS_BACKWARD,
             open_next ? "members of other names pass now"
                       : "members of other names are refused now");
    int64_t within_last = contract_unique_within_us(comparison->last);
    int64_t within_next = contract_unique_within_us(comparison->next);
    if (within_last != within_next)
        FIND(comparison, "", "unique_changed",
             within_next > within_last ? BREAKS_BACKWARD : BREAKS_FORWARD,
             "an id may come again after a %s span",
             within_next > within_last ? "longer" : "shorter");
    compare_checks(comparison);
}

enum status compat_compare(const struct contract *last, const struct contract *next,
                           struct compat_report *report, struct error *error)
{
    struct comparison comparison = {.last = last, .next = next, .report = report};
    const struct schema *before = contract_schema(last);
    const struct schema *after = contract_schema(next);
    *report = (struct compat_report){0};
    compare_whole(&comparison);
    for (size_t i = 0; i < before->n_fields; i++) {
        int match = schema_find(after, before->fields[i].name);
        if (match >= 0)
            compare_field(&comparison, (int)i, match);
        else
            removed_field(&comparison, &before->fields[i]);
    }
    for (size_t i = 0; i < after->n_fields; i++)
        if (schema_find(before, after->fields[i].name) < 0)
            added_field(&comparison, &after->fields[i]);
    if (!comparison.no_memory)
        return STATUS_OK;
    return error_set(error, STATUS_MEMORY, "no memory to compare contracts");
}

void compat_free(struct compat_report *report)
{
    free(report->findings);
    *report = (struct compat_report){0};
}

bool compat_finding_breaks(const struct compat_finding *finding, enum compat_mode mode)
{
    return (mode != COMPAT_FORWARD && finding->breaks_backward) ||
           (mode != COMPAT_BACKWARD && finding->breaks_forward);
}

size_t compat_breaks(const struct compat_report *report, enum compat_mode mode)
{
    size_t n = 0;
    for (size_t i = 0; i < report->n_findings; i++)
        n += compat_finding_breaks(&report->findings[i], mode);
    return n;
}

static const char *const mode_names[] = {
    [COMPAT_BACKWARD] = "backward", [COMPAT_FORWARD] = "forward", [COMPAT_FULL] = "full"};

const char *compat_mode_name(enum compat_mode mode)
{
    return (unsigned)mode <= COMPAT_FULL ? mode_names[mode] : "unknown";
}

bool compat_mode_parse(const char *word, enum compat_mode *mode)
{
    for (int i = 0; i <= COMPAT_FULL; i++)
        if (strcmp(word, mode_names[i]) == 0) {
            *mode = (enum compat_mode)i;
            return true;
        }
    return false;
}
