/* What explanations compare, in a file: the memory of those that were made, member by member, then
 * the slices. The trouble before a restart is no more what is usual than it was without one. Run by
 * whoever saves or starts. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/buffer.h"
#include "engine/base/state_file.h"
#include "engine/monitor/explain.h"
#include "engine/observe/varint.h"

#define MAX_FILE   ((size_t)64 << 20)
#define BRIDGED_US ((SLICE_CELLS - 30) * SLICE_CELL_US)

/* Another order of members, or of the kinds of a series, is another version. */
static const struct state_file_kind kind = {"BNRECENT", 4};

static const char *const symptom_names[SYMPTOM_KINDS] = {
    [SYMPTOM_COMMIT] = "commit",   [SYMPTOM_RECORD] = "record",     [SYMPTOM_ANSWER] = "answer",
    [SYMPTOM_LATENCY] = "latency", [SYMPTOM_ERRORS] = "errors",     [SYMPTOM_MISSING] = "missing",
    [SYMPTOM_INVALID] = "invalid", [SYMPTOM_VALUES] = "values",     [SYMPTOM_REFUSED] = "refused",
    [SYMPTOM_COHORT] = "cohort",   [SYMPTOM_AGE] = "age",           [SYMPTOM_VOLUME] = "volume",
    [SYMPTOM_LABELS] = "labels",   [SYMPTOM_DECISION] = "decision", [SYMPTOM_SCORE] = "score",
};
_Static_assert(SYMPTOM_KINDS == SYMPTOM_SCORE + 1, "each kind has a name");

/* ---- members, in one order whether they are written or read ---- */

struct passage {
    struct buffer *out; /* NULL: they are read */
    struct slice *in;
    bool whole;
};

static void pass_signed(struct passage *passage, int64_t *value)
{
    if (passage->out)
        varint_put_signed(passage->out, *value);
    else
        passage->whole = passage->whole && varint_take_signed(passage->in, value);
}

static void pass_unsigned(struct passage *passage, uint64_t *value)
{
    int64_t wide = (int64_t)*value;
    pass_signed(passage, &wide);
    *value = (uint64_t)wide;
}

/* From 0 to `most`. */
static void pass_count(struct passage *passage, int *value, int most)
{
    int64_t wide = *value;
    pass_signed(passage, &wide);
    passage->whole = passage->whole && wide >= 0 && wide <= most;
    *value = passage->whole ? (int)wide : 0;
}

static void pass_flag(struct passage *passage, bool *value)
{
    int number = *value;
    pass_count(passage, &number, 1);
    *value = number == 1;
}

static void pass_number(struct passage *passage, double *value)
{
    if (passage->out)
        buffer_append(passage->out, value, sizeof *value);
    else
        passage->whole = passage->whole && varint_take_bytes(passage->in, value, sizeof *value);
}

static void pass_text(struct passage *passage, char *text, size_t room)
{
    if (passage->out)
        varint_put_text(passage->out, text);
    else
        passage->whole = passage->whole && varint_take_text(passage->in, text, room);
}

static void pass_kind(struct passage *passage, enum symptom_kind *value)
{
    char name[16];
    int i = 0;
    snprintf(name, sizeof name, "%s", symptom_names[*value]);
    pass_text(passage, name, sizeof name);
    while (i < SYMPTOM_KINDS && strcmp(symptom_names[i], name) != 0)
        i++;
    passage->whole = passage->whole && i < SYMPTOM_KINDS;
    *value = passage->whole ? (enum symptom_kind)i : SYMPTOM_COMMIT;
}

static void pass_symptom(struct passage *passage, struct symptom *symptom)
{
    pass_kind(passage, &symptom->kind);
    pass_count(passage, &symptom->from, SLICE_CELLS);
    pass_count(passage, &symptom->to, SLICE_CELLS);
    pass_flag(passage, &symptom->since_change);
    pass_flag(passage, &symptom->recovered);
    pass_number(passage, &symptom->strength);
    pass_number(passage, &symptom->base);
    pass_number(passage, &symptom->now);
    pass_unsigned(passage, &symptom->n_base);
    pass_unsigned(passage, &symptom->n_now);
    symptom->series = NULL; /* it is known by its name */
}

static void pass_cause(struct passage *passage, struct explained_cause *cause)
{
    pass_text(passage, cause->cause, sizeof cause->cause);
    pass_text(passage, cause->slice, sizeof cause->slice);
    pass_number(passage, &cause->share_of_excess);
    pass_signed(passage, &cause->changed_at_us);
    pass_signed(passage, &cause->recovered_at_us);
    pass_text(passage, cause->evidence, sizeof cause->evidence);
}

static void pass_explanation(struct passage *passage, struct explanation *explanation)
{
    pass_text(passage, explanation->incident, sizeof explanation->incident);
    pass_signed(passage, &explanation->since_us);
    pass_signed(passage, &explanation->until_us);
    pass_signed(passage, &explanation->at_us);
    pass_count(passage, &explanation->n_causes, MAX_CAUSES);
    for (int i = 0; i < explanation->n_causes; i++)
        pass_cause(passage, &explanation->causes[i]);
    pass_number(passage, &explanation->requests);
    pass_number(passage, &explanation->users);
    pass_number(passage, &explanation->errors);
    pass_number(passage, &explanation->money);
    pass_number(passage, &explanation->decisions);
    pass_text(passage, explanation->money_field, sizeof explanation->money_field);
    pass_text(passage, explanation->action, sizeof explanation->action);
}

static void pass_counts(struct passage *passage, struct explain_counts *counts)
{
    for (int i = 0; i < SLICED_KINDS; i++)
        pass_unsigned(passage, &counts->events[i]);
    for (int i = 0; i < DECISION_COUNT; i++)
        pass_unsigned(passage, &counts->decisions[i]);
    pass_number(passage, &counts->amount);
}

/* False: what was read is none. */
static bool pass_memory(struct passage passage, struct explain_memory *memory)
{
    pass_count(&passage, &memory->n_troubles, EXPLAIN_TROUBLES);
    for (int i = 0; i < memory->n_troubles; i++) {
        pass_signed(&passage, &memory->troubles[i].from_us);
        pass_signed(&passage, &memory->troubles[i].to_us);
    }
    pass_explanation(&passage, &memory->last);
    pass_symptom(&passage, &memory->symptom);
    pass_text(&passage, memory->series, sizeof memory->series);
    pass_signed(&passage, &memory->counted_us);
    pass_counts(&passage, &memory->basis.usual);
    pass_counts(&passage, &memory->basis.since);
    return passage.whole;
}

/* ---- the file ---- */

enum status explain_save(struct slices *slices, const struct explain_memory *memory, int64_t now_us,
                         const char *path, struct error *error)
{
    struct buffer content;
    struct explain_memory kept = *memory;
    buffer_init(&content, MAX_FILE);
    bool whole = pass_memory((struct passage){.out = &content, .whole = true}, &kept);
    assert(whole);
    (void)whole;
    slices_encode(slices, now_us, &content);
    enum status status = state_file_write(path, &kind, &content, error);
    buffer_free(&content);
    return status;
}

/* While nobody was there to look, an incident neither went on nor recovered; that can be told as
 * long as cells of it are known. What is of a time to come, after the clock was set back, says
 * nothing. */
static void bridge(struct explain_memory *memory, int64_t now_us)
{
    int64_t away_us = now_us - memory->last.at_us;
    if (away_us < 0)
        *memory = (struct explain_memory){.n_troubles = 0};
    else if (memory->last.n_causes > 0 && memory->last.until_us == 0 && away_us < BRIDGED_US)
        memory->last.at_us = now_us;
}

enum status explain_load(struct slices *slices, struct explain_memory *memory, int64_t now_us,
                         const char *path, struct error *error)
{
    struct buffer content;
    struct explain_memory kept = {.n_troubles = 0};
    buffer_init(&content, MAX_FILE);
    enum status status = state_file_read(path, &kind, &content, error);
    struct slice bytes = buffer_slice(&content);
    if (status == STATUS_OK &&
        (!pass_memory((struct passage){.in = &bytes, .whole = true}, &kept) ||
         !slices_decode(slices, &bytes, now_us)))
        status = error_set(error, STATUS_CORRUPT, "%s: damaged", path);
    if (status == STATUS_OK) {
        bridge(&kept, now_us);
        *memory = kept;
    }
    buffer_free(&content);
    return status;
}
