/* Dictionaries of few values. Values are only ever added, so that finding one takes no lock. Keys
 * are made for a batch, label by label. */
#include "engine/history/labels.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/thread.h"
#include "engine/base/dictionary.h"

#define NAMED     64
#define MAX_WORDS ((size_t)LABEL_FIRST + LABEL_VALUES - LABEL_NONE) /* "", "other", values */

enum label_kind { LABEL_UNUSED, LABEL_VARIANT, LABEL_DECISION, LABEL_REASON, LABEL_FIELD };

struct label {
    char name[NAME_SIZE];
    enum label_kind kind;
    int field;
    atomic_int n;             /* codes below are known */
    atomic_int named[NAMED];  /* codes of values that have a number; 0: not met */
    struct dictionary *words; /* the value of number i has the code LABEL_NONE + i */
    char values[LABEL_FIRST + LABEL_VALUES][NAME_SIZE];
};

struct labels {
    struct lock lock; /* of adding */
    int n;
    struct label labels[MAX_LABELS];
};

struct labels *labels_create(void)
{
    struct labels *labels = calloc(1, sizeof *labels);
    if (labels)
        lock_init(&labels->lock, "history_labels");
    return labels;
}

void labels_destroy(struct labels *labels)
{
    if (!labels)
        return;
    for (int i = 0; i < MAX_LABELS; i++)
        dictionary_destroy(labels->labels[i].words);
    lock_destroy(&labels->lock);
    free(labels);
}

/* ---- which there are ---- */

int labels_count(const struct labels *labels)
{
    return labels->n;
}

int labels_find(const struct labels *labels, const char *name)
{
    for (int i = 0; i < labels->n; i++) {
        if (strcmp(labels->labels[i].name, name) == 0)
            return i;
    }
    return -1;
}

const char *labels_name(const struct labels *labels, int position)
{
    return labels->labels[position].name;
}

bool labels_restore(struct labels *labels, int position, const char *name)
{
    if (position < 0 || position >= MAX_LABELS || position > labels->n)
        return false;
    struct label *label = &labels->labels[position];
    struct dictionary *known = dictionary_create(MAX_WORDS);
    if (!known || !dictionary_add(known, slice_of("")) ||
        !dictionary_add(known, slice_of("other"))) {
        dictionary_destroy(known);
        return false;
    }
    dictionary_destroy(label->words);
    label->words = known;
    snprintf(label->name, sizeof label->name, "%s", name);
    snprintf(label->values[LABEL_OTHER], NAME_SIZE, "other");
    atomic_store(&label->n, LABEL_FIRST);
    if (position == labels->n)
        labels->n++;
    return true;
}

enum status labels_use(struct labels *labels, const char *name, const struct schema *schema,
                       struct error *error)
{
    static const char *const words[] = {"variant", "decision", "reason"};
    enum label_kind kind = LABEL_FIELD;
    for (int i = 0; i < 3; i++)
        kind = strcmp(name, words[i]) == 0 ? (enum label_kind)(LABEL_VARIANT + i) : kind;
    int field = kind == LABEL_FIELD ? schema_find(schema, name) : -1;
    if (kind == LABEL_FIELD && (field < 0 || strlen(name) >= NAME_SIZE))
        return error_set(error, STATUS_INVALID,
                         "\"%.60s\" is neither variant, decision, reason nor a field of the "
                         "contract",
                         name);
    if (field >= 0 && (schema->fields[field].pii || field == schema->id || field == schema->time))
        return error_set(error, STATUS_INVALID,
                         "\"%s\" has too many values or is personal: history is kept by fields of "
                         "few values",
                         name);
    int position = labels_find(labels, name);
    if (position < 0 && labels_restore(labels, labels->n, name))
        position = labels->n - 1;
    if (position < 0)
        return error_set(error, STATUS_INVALID,
                         "history has been kept by %d labels; there is no room for \"%s\"",
                         MAX_LABELS, name);
    labels->labels[position].kind = kind;
    labels->labels[position].field = field;
    return STATUS_OK;
}

/* ---- values ---- */

static int find_value(const struct label *label, struct slice text)
{
    int number = dictionary_find(label->words, text);
    return number < 0 ? -1 : LABEL_NONE + number;
}

static bool is_full(const struct label *label)
{
    return atomic_load_explicit(&label->n, memory_order_acquire) == LABEL_FIRST + LABEL_VALUES;
}

static int add_value(struct label *label, struct slice text)
{
    int code = atomic_load(&label->n);
    if (is_full(label) || text.size >= NAME_SIZE || memchr(text.data, '\0', text.size))
        return LABEL_OTHER;
    memcpy(label->values[code], text.data, text.size);
    label->values[code][text.size] = '\0';
    if (!dictionary_add(label->words, slice_make(label->values[code], text.size)))
        return LABEL_OTHER;
    atomic_store_explicit(&label->n, code + 1, memory_order_release);
    return code;
}

static uint64_t value_code(struct labels *labels, struct label *label, struct slice text)
{
    int code = find_value(label, text);
    if (code >= 0)
        return (uint64_t)code;
    if (is_full(label) || text.size >= NAME_SIZE)
        return LABEL_OTHER;
    lock_take(&labels->lock);
    code = find_value(label, text);
    if (code < 0)
        code = add_value(label, text);
    lock_release(&labels->lock);
    return (uint64_t)code;
}

/* Of a value with a number, whose text is not looked at again. What found no room is asked again:
 * there may be some by then. */
static uint64_t named_code(struct labels *labels, struct label *label, size_t number,
                           struct slice name)
{
    if (number >= NAMED)
        return value_code(labels, label, name);
    int code = atomic_load_explicit(&label->named[number], memory_order_relaxed);
    if (code == 0) {
        code = (int)value_code(labels, label, name);
        if (code != LABEL_OTHER)
            atomic_store_explicit(&label->named[number], code, memory_order_relaxed);
    }
    return (uint64_t)code;
}

static uint64_t enum_code(struct labels *labels, struct label *label, unsigned value,
                          const char *name)
{
    return named_code(labels, label, value, slice_of(name));
}

bool labels_restore_value(struct labels *labels, int position, int code, const char *text)
{
    if (position < 0 || position >= labels->n)
        return false;
    struct label *label = &labels->labels[position];
    struct slice slice = slice_of(text);
    return code == atomic_load(&label->n) && add_value(label, slice) == code;
}

const char *labels_value(const struct labels *labels, int position, int code)
{
    return labels->labels[position].values[code];
}

int labels_values(const struct labels *labels, int position)
{
    return atomic_load_explicit(&labels->labels[position].n, memory_order_acquire);
}

int labels_code(const struct labels *labels, int position, struct slice text)
{
    return find_value(&labels->labels[position], text);
}

/* ---- keys ---- */

/* The rule of the outcome before, which often is that of the next one. */
struct reason_memory {
    const char *rule;
    uint64_t code;
};

static uint64_t field_code(struct labels *labels, struct label *label, const struct event *event)
{
    char text[32];
    if (!event || !event->values)
        return LABEL_NONE;
    const struct value *value = &event->values[label->field];
    switch (value->type) {
    case VALUE_STRING:
        return value->word > 0 ? named_code(labels, label, value->word, value->string)
                               : value_code(labels, label, value->string);
    case VALUE_BOOL:
        return value_code(labels, label, slice_of(value->boolean ? "true" : "false"));
    case VALUE_NUMBER:
        snprintf(text, sizeof text, "%.17g", value->number);
        return value_code(labels, label, slice_of(text));
    case VALUE_NULL:
    case VALUE_TIME:
        break;
    }
    return LABEL_NONE;
}

/* Rules are told apart by where their names stand: within a batch that does not change. */
static uint64_t reason_code(struct labels *labels, struct label *label, const char *rule,
                            struct reason_memory *last)
{
    if (rule != last->rule) {
        last->rule = rule;
        last->code = rule ? value_code(labels, label, slice_of(rule)) : LABEL_NONE;
    }
    return last->code;
}

static uint64_t outcome_code(struct labels *labels, struct label *label,
                             const struct outcome *outcome, struct reason_memory *last)
{
    switch (label->kind) {
    case LABEL_VARIANT:
        return enum_code(labels, label, outcome->variant, variant_name(outcome->variant));
    case LABEL_DECISION:
        return enum_code(labels, label, outcome->decision, decision_name(outcome->decision));
    case LABEL_REASON:
        return reason_code(labels, label, outcome->rule, last);
    case LABEL_FIELD:
        return field_code(labels, label, outcome->event);
    case LABEL_UNUSED:
        break;
    }
    return LABEL_NONE;
}

void labels_of_outcomes(struct labels *labels, const struct outcome *const *outcomes, size_t n,
                        uint64_t *keys)
{
    memset(keys, 0, n * sizeof *keys);
    for (int i = 0; i < labels->n; i++) {
        struct reason_memory last = {.rule = NULL, .code = LABEL_NONE};
        for (size_t k = 0; k < n; k++)
            keys[k] |= outcome_code(labels, &labels->labels[i], outcomes[k], &last) << (8 * i);
    }
}

/* Values of an event that was refused may be anything: only those that are known are told apart,
 * so that rubbish does not fill the dictionaries. */
uint64_t labels_of_refusal(struct labels *labels, const struct event *event, const char *reason)
{
    uint64_t key = 0;
    for (int i = 0; i < labels->n; i++) {
        struct label *label = &labels->labels[i];
        int code = LABEL_NONE;
        if (label->kind == LABEL_REASON)
            code = (int)value_code(labels, label, slice_of(reason));
        else if (label->kind == LABEL_FIELD && event && event->values &&
                 event->values[label->field].type == VALUE_STRING)
            code = labels_code(labels, i, event->values[label->field].string);
        key |= (uint64_t)(code < 0 ? LABEL_OTHER : code) << (8 * i);
    }
    return key;
}

uint64_t labels_of_nothing(const struct labels *labels)
{
    uint64_t key = 0;
    for (int i = 0; i < labels->n; i++)
        key |= (uint64_t)LABEL_NONE << (8 * i);
    return key;
}

uint64_t labels_of_shadow(struct labels *labels)
{
    uint64_t key = labels_of_nothing(labels);
    for (int i = 0; i < labels->n; i++) {
        struct label *label = &labels->labels[i];
        if (label->kind == LABEL_VARIANT)
            key ^= (LABEL_NONE ^
                    enum_code(labels, label, VARIANT_SHADOW, variant_name(VARIANT_SHADOW)))
                   << (8 * i);
    }
    return key;
}

struct shadow_keys labels_shadow(const struct labels *labels)
{
    int position = labels_find(labels, "variant");
    int code =
        position < 0 ? -1 : labels_code(labels, position, slice_of(variant_name(VARIANT_SHADOW)));
    if (code < 0)
        return (struct shadow_keys){0, 0};
    return (struct shadow_keys){label_mask(position), (uint64_t)code << (8 * position)};
}
