/* Which field of a row was changed. The stored hash is of the row as it was; so a candidate for
 * what it was is right exactly when the hash fits again. Tried are: every single byte of the leaf,
 * and for fields of few values (decision, variant, label, names) every value. That finds most of
 * what happens by accident or by hand; two fields at once, or a text of another length, are not
 * named. Pure computation; any thread. */
#include "engine/record/verify_priv.h"

#include <stdio.h>

#include "engine/record/codec_priv.h"

#define MAX_LEAF  ((size_t)1 << 20)
#define MAX_TRIED ((size_t)4096) /* bytes of a leaf that are tried: 255 hashes each */
#define MAX_SPANS 80
#define NEAR      256

/* A field's bytes in the leaf. */
struct span {
    const char *name;
    size_t end;
};

struct spans {
    struct span items[MAX_SPANS];
    size_t n;
};

static void mark(struct spans *spans, const char *name, const struct cursor *in, const char *begin)
{
    if (spans->n < MAX_SPANS)
        spans->items[spans->n++] = (struct span){name, (size_t)(in->at - begin)};
}

enum step { S_U8, S_I32, S_I64, S_TEXT, S_ID16, S_FLOATS, S_FLOAT, S_REASONS, S_SHADOWS };

struct leaf_field {
    const char *name;
    enum step step;
};

static const struct leaf_field HEADER[] = {
    {"leaf version", S_U8}, {"kind", S_U8},  {"time", S_I64},
    {"source", S_TEXT},     {"part", S_I32}, {"offset", S_I64},
};
static const struct leaf_field DECISION[] = {
    {"event_id", S_TEXT},         {"entity", S_TEXT},
    {"event_us", S_I64},          {"contract", S_TEXT},
    {"contract_version", S_TEXT}, {"input", S_TEXT},
    {"feature_set", S_ID16},      {"features", S_FLOATS},
    {"score", S_FLOAT},           {"margin", S_FLOAT},
    {"decision", S_U8},           {"rule", S_TEXT},
    {"reasons", S_REASONS},       {"model", S_TEXT},
    {"model_version", S_TEXT},    {"variant", S_U8},
    {"shadows", S_SHADOWS},       {"trace_id", S_ID16},
    {"latency_us", S_I64},
};
static const struct leaf_field LABEL[] = {
    {"event_id", S_TEXT}, {"label", S_U8}, {"observed_us", S_I64}};
static const struct leaf_field ACTION[] = {
    {"who", S_TEXT}, {"what", S_TEXT}, {"arguments", S_TEXT}};

static const struct {
    const char *table, *time;
    const struct leaf_field *fields;
    size_t n;
} KINDS[] = {
    [ROW_DECISION] = {"decisions", "decided_us", DECISION, sizeof DECISION / sizeof *DECISION},
    [ROW_LABEL] = {"labels", "at_us", LABEL, sizeof LABEL / sizeof *LABEL},
    [ROW_ACTION] = {"actions", "at_us", ACTION, sizeof ACTION / sizeof *ACTION},
};

static void skip_field(struct cursor *in, enum step step)
{
    static const size_t sizes[] = {
        [S_U8] = 1, [S_I32] = 4, [S_I64] = 8, [S_ID16] = 16, [S_FLOAT] = 4};
    uint32_t n;
    switch (step) {
    case S_TEXT:
        get_text(in);
        return;
    case S_FLOATS:
        n = get_u32(in);
        get_bytes(in, n * sizeof(float));
        return;
    case S_REASONS:
        for (n = get_u32(in); n > 0 && !in->bad; n--) {
            get_text(in);
            get_bytes(in, 12);
        }
        return;
    case S_SHADOWS:
        for (n = get_u32(in); n > 0 && !in->bad; n--) {
            get_text(in);
            get_text(in);
            get_bytes(in, 4);
        }
        return;
    case S_U8:
    case S_I32:
    case S_I64:
    case S_ID16:
    case S_FLOAT:
        get_bytes(in, sizes[step]);
    }
}

static void find_spans(struct slice leaf, enum row_kind kind, struct spans *spans)
{
    struct cursor in = cursor_of(leaf);
    spans->n = 0;
    for (size_t i = 0; i < sizeof HEADER / sizeof *HEADER; i++) {
        skip_field(&in, HEADER[i].step);
        mark(spans, i == 2 ? KINDS[kind].time : HEADER[i].name, &in, leaf.data);
    }
    for (size_t i = 0; i < KINDS[kind].n; i++) {
        skip_field(&in, KINDS[kind].fields[i].step);
        mark(spans, KINDS[kind].fields[i].name, &in, leaf.data);
    }
}

/* The offset of the one byte that must be another for SHA-256 of prefix and bytes to be `expected`;
 * -1: it is not one byte. */
static int64_t repair_byte(uint8_t *bytes, size_t size, struct slice prefix,
                           const uint8_t expected[SHA256_SIZE])
{
    uint8_t digest[SHA256_SIZE];
    struct slice all = slice_make(bytes, size);
    for (size_t at = 0; at < size && at < MAX_TRIED; at++) {
        uint8_t was = bytes[at];
        for (unsigned change = 1; change < 256; change++) {
            bytes[at] = (uint8_t)(was ^ change);
            if (crypto_sha256(prefix, all, (struct slice){0}, digest) == STATUS_OK &&
                memcmp(digest, expected, SHA256_SIZE) == 0) {
                bytes[at] = was;
                return (int64_t)at;
            }
        }
        bytes[at] = was;
    }
    return -1;
}

static bool fits(const struct ledger_row *row, struct buffer *leaf, const uint8_t *stored)
{
    uint8_t digest[SHA256_SIZE];
    buffer_reset(leaf);
    return leaf_encode(row, leaf) && tree_leaf_hash(buffer_slice(leaf), digest) == STATUS_OK &&
           memcmp(digest, stored, SHA256_SIZE) == 0;
}

/* Fields that refer to a name: every name that the file has, and none. */
static const char *try_names(const struct ledger_row *row, const struct names *names,
                             struct buffer *leaf, const uint8_t *stored)
{
    struct ledger_row tried = *row;
    const struct {
        const char *name;
        struct slice *text;
    } fields[] = {
        {"source", &tried.source},
        {"contract", &tried.contract},
        {"contract_version", &tried.contract_version},
        {"rule", &tried.rule},
        {"model", &tried.model},
        {"model_version", &tried.model_version},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        struct slice was = *fields[i].text;
        for (int64_t id = 0; id <= (int64_t)names->n && id < 1000; id++) {
            *fields[i].text = names_text(names, id);
            if (fits(&tried, leaf, stored))
                return fields[i].name;
        }
        *fields[i].text = was;
    }
    return NULL;
}

static const char *try_values(const struct ledger_row *row, struct buffer *leaf,
                              const uint8_t *stored)
{
    struct ledger_row tried = *row;
    const char *found = NULL;
    for (int i = 0; i < DECISION_COUNT && !found; i++) {
        tried.decision = (enum decision)i;
        found = fits(&tried, leaf, stored) ? "decision" : NULL;
    }
    tried.decision = row->decision;
    tried.score = __builtin_nanf("");
    if (!found && fits(&tried, leaf, stored))
        found = "score";
    tried.score = row->score;
    tried.margin = __builtin_nanf("");
    return found ? found : fits(&tried, leaf, stored) ? "margin" : NULL;
}

static const char *try_lists(const struct ledger_row *row, const struct day_reader *reader,
                             struct buffer *leaf, const uint8_t *stored)
{
    struct ledger_row tried = *row;
    bool found = false;
    memset(tried.feature_set, 0, FEATURE_SET_SIZE);
    found = fits(&tried, leaf, stored);
    for (size_t i = 0; i < reader->n_sets && !found; i++) {
        memcpy(tried.feature_set, reader->sets[i]->digest, FEATURE_SET_SIZE);
        found = fits(&tried, leaf, stored);
    }
    return found ? "feature_set" : NULL;
}

/* Whole numbers a little off: more than one byte differs where a carry runs through. */
static const char *try_near(const struct ledger_row *row, struct buffer *leaf,
                            const uint8_t *stored)
{
    struct ledger_row tried = *row;
    const struct {
        const char *name;
        int64_t *number;
    } numbers[] = {
        {KINDS[row->kind].time, &tried.at_us}, {"offset", &tried.offset},
        {"event_us", &tried.event_us},         {"latency_us", &tried.latency_us},
        {"observed_us", &tried.observed_us},
    };
    for (int64_t off = -NEAR; off <= NEAR; off++) {
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
            int64_t was = *numbers[i].number;
            *numbers[i].number = (int64_t)((uint64_t)was + (uint64_t)off);
            if (fits(&tried, leaf, stored))
                return numbers[i].name;
            *numbers[i].number = was;
        }
        tried.part = (int32_t)((uint32_t)row->part + (uint32_t)off);
        if (fits(&tried, leaf, stored))
            return "part";
        tried.part = row->part;
    }
    return NULL;
}

/* Score and margin: any two bytes next to each other. */
static bool try_pair(float *number, const struct ledger_row *tried, struct buffer *leaf,
                     const uint8_t *stored)
{
    uint8_t bytes[sizeof(float)], was[sizeof(float)];
    memcpy(was, number, sizeof was);
    for (size_t at = 0; at + 1 < sizeof was; at++) {
        for (unsigned value = 0; value < 65536; value++) {
            memcpy(bytes, was, sizeof bytes);
            bytes[at] = (uint8_t)value;
            bytes[at + 1] = (uint8_t)(value >> 8);
            memcpy(number, bytes, sizeof bytes);
            if (fits(tried, leaf, stored))
                return true;
        }
    }
    memcpy(number, was, sizeof was);
    return false;
}

static const char *try_scores(const struct ledger_row *row, struct buffer *leaf,
                              const uint8_t *stored)
{
    struct ledger_row tried = *row;
    if (try_pair(&tried.score, &tried, leaf, stored))
        return "score";
    return try_pair(&tried.margin, &tried, leaf, stored) ? "margin" : NULL;
}

void repair_name_field(const struct ledger_row *row, const struct day_reader *reader,
                       const uint8_t stored[SHA256_SIZE], char *where, size_t size)
{
    static const char leaf_prefix[] = {0x00};
    struct buffer leaf;
    struct spans spans;
    const char *table = KINDS[row->kind].table, *name = NULL;
    buffer_init(&leaf, MAX_LEAF);
    if (row->kind == ROW_DECISION)
        name = try_values(row, &leaf, stored);
    if (!name)
        name = try_names(row, &reader->names, &leaf, stored);
    if (!name && row->kind == ROW_DECISION)
        name = try_lists(row, reader, &leaf, stored);
    if (!name)
        name = try_near(row, &leaf, stored);
    buffer_reset(&leaf);
    if (!name && leaf_encode(row, &leaf)) {
        int64_t at =
            repair_byte((uint8_t *)leaf.data, leaf.size, slice_make(leaf_prefix, 1), stored);
        find_spans(buffer_slice(&leaf), row->kind, &spans);
        for (size_t i = 0; at >= 0 && i < spans.n && !name; i++)
            if ((size_t)at < spans.items[i].end)
                name = spans.items[i].name;
    }
    if (!name && row->kind == ROW_DECISION)
        name = try_scores(row, &leaf, stored);
    if (name)
        snprintf(where, size, "%s.%s was changed", table, name);
    else
        snprintf(where, size, "%s: one or more fields were changed", table);
    buffer_free(&leaf);
}
