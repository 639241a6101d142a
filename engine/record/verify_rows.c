/* Rows of a range of a day file, read column by column and hashed anew. Several threads, each with
 * a reader and a block of its own.
 *
 * A leaf is made of what the columns mean, so a column is looked at as it is stored first: its
 * type, its size, its range. Else a number that is cut to 32 bits, or a NaN with other bits, would
 * give the same leaf and nobody would see that it had been touched. */
#include "engine/base/array.h"
#include "engine/record/verify_priv.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/hash.h"
#include "engine/record/codec_priv.h"
#include "engine/record/files_priv.h"

#define CANONICAL_NAN 0x7fc00000u
#define MAX_PROBLEMS  256 /* per block: then they are counted */

enum column_kind {
    C_INT,
    C_INT32,
    C_NAME,
    C_TEXT,
    C_FLOAT,
    C_FLOATS,
    C_REASONS,
    C_SHADOWS,
    C_ID16,
    C_SET,
    C_HASH,
    C_SMALL
};

struct column {
    const char *name;
    enum column_kind kind;
    int64_t maximum; /* C_SMALL */
};

static const struct column DECISION_COLUMNS[] = {
    {"idx", C_INT, 0},
    {"event_id", C_TEXT, 0},
    {"entity", C_TEXT, 0},
    {"event_us", C_INT, 0},
    {"decided_us", C_INT, 0},
    {"source", C_NAME, 0},
    {"part", C_INT32, 0},
    {"offset", C_INT, 0},
    {"contract", C_NAME, 0},
    {"contract_version", C_NAME, 0},
    {"input", C_TEXT, 0},
    {"feature_set", C_SET, 0},
    {"features", C_FLOATS, 0},
    {"score", C_FLOAT, 0},
    {"margin", C_FLOAT, 0},
    {"decision", C_SMALL, DECISION_COUNT - 1},
    {"rule", C_NAME, 0},
    {"reasons", C_REASONS, 0},
    {"model", C_NAME, 0},
    {"model_version", C_NAME, 0},
    {"variant", C_SMALL, VARIANT_COUNT - 1},
    {"shadows", C_SHADOWS, 0},
    {"trace_id", C_ID16, 0},
    {"latency_us", C_INT, 0},
    {"leaf_hash", C_HASH, 0},
};
static const struct column LABEL_COLUMNS[] = {
    {"idx", C_INT, 0},         {"event_id", C_TEXT, 0}, {"label", C_SMALL, 1},
    {"observed_us", C_INT, 0}, {"at_us", C_INT, 0},     {"source", C_NAME, 0},
    {"part", C_INT32, 0},      {"offset", C_INT, 0},    {"leaf_hash", C_HASH, 0},
};
static const struct column ACTION_COLUMNS[] = {
    {"idx", C_INT, 0},    {"at_us", C_INT, 0},      {"who", C_TEXT, 0},
    {"what", C_TEXT, 0},  {"arguments", C_TEXT, 0}, {"source", C_NAME, 0},
    {"part", C_INT32, 0}, {"offset", C_INT, 0},     {"leaf_hash", C_HASH, 0},
};
static const struct {
    const char *table;
    const struct column *columns;
    int n;
} TABLES[] = {
    [ROW_DECISION] = {"decisions", DECISION_COLUMNS,
                      sizeof DECISION_COLUMNS / sizeof *DECISION_COLUMNS},
    [ROW_LABEL] = {"labels", LABEL_COLUMNS, sizeof LABEL_COLUMNS / sizeof *LABEL_COLUMNS},
    [ROW_ACTION] = {"actions", ACTION_COLUMNS, sizeof ACTION_COLUMNS / sizeof *ACTION_COLUMNS},
};
static const enum row_kind ALL_KINDS[] = {ROW_DECISION, ROW_LABEL, ROW_ACTION};

bool row_reader_init(struct row_reader *rows, struct verify *verify)
{
    *rows = (struct row_reader){.verify = verify};
    rows->storage = malloc(sizeof *rows->storage);
    buffer_init(&rows->leaf, (size_t)256 << 20);
    return rows->storage != NULL;
}

static void close_file(struct row_reader *rows)
{
    for (size_t i = 0; i < sizeof rows->ranges / sizeof *rows->ranges; i++) {
        db_finish(rows->ranges[i]);
        rows->ranges[i] = NULL;
    }
    db_finish(rows->heads);
    rows->heads = NULL;
    day_reader_close(&rows->reader);
}

void row_reader_free(struct row_reader *rows)
{
    close_file(rows);
    feature_lists_free(rows->lists);
    free(rows->storage);
    buffer_free(&rows->leaf);
}

void block_free(struct block *block)
{
    free(block->groups);
    free(block->rows);
    free(block->problems);
    free(block->heads);
    *block = (struct block){0};
}

static enum status open_file(struct row_reader *rows, int64_t day, struct error *error)
{
    if (rows->reader.db && rows->reader.day == day)
        return STATUS_OK;
    close_file(rows);
    enum status status = day_reader_open(rows->verify->options->dir, day, &rows->lists,
                                         rows->storage, &rows->reader, error);
    for (size_t i = 0; i < sizeof ALL_KINDS / sizeof *ALL_KINDS && status == STATUS_OK; i++)
        status =
            day_reader_select(&rows->reader, ALL_KINDS[i], "idx >= ?1 AND idx < ?2 ORDER BY idx",
                              &rows->ranges[ALL_KINDS[i]], error);
    if (status == STATUS_OK && rows->reader.version >= 2)
        status =
            db_prepare(rows->reader.db,
                       HEAD_SQL " WHERE tree_size >= ?1 AND tree_size <= ?2 ORDER BY tree_size",
                       &rows->heads, error);
    if (status != STATUS_OK)
        close_file(rows);
    return status;
}

/* Records of `stride` bytes: so many numbers of names, and floats at these offsets that are
 * canonical. */
static bool records_good(const struct day_reader *reader, struct slice blob, size_t stride,
                         size_t n_names, size_t first_float, size_t end_float)
{
    if (blob.size % stride != 0)
        return false;
    for (size_t at = 0; at < blob.size; at += stride) {
        for (size_t i = 0; i < n_names; i++) {
            uint32_t name;
            memcpy(&name, blob.data + at + i * sizeof name, sizeof name);
            if (name > reader->names.n)
                return false;
        }
        for (size_t i = first_float; i < end_float; i += sizeof(float)) {
            float number;
            uint32_t bits;
            memcpy(&number, blob.data + at + i, sizeof number);
            memcpy(&bits, blob.data + at + i, sizeof bits);
            if (number != number && bits != CANONICAL_NAN)
                return false;
        }
    }
    return true;
}

static bool column_good(const struct day_reader *reader, struct db_stmt *stmt, int i,
                        const struct column *column)
{
    enum db_type type = db_type(stmt, i);
    int64_t number = type == DB_INT ? db_int(stmt, i) : 0;
    switch (column->kind) {
    case C_INT:
        return type == DB_INT;
    case C_INT32:
        return type == DB_INT && number >= INT32_MIN && number <= INT32_MAX;
    case C_SMALL:
        return type == DB_INT && number >= 0 && number <= column->maximum;
    case C_NAME:
        return type == DB_INT && number >= 0 && number <= (int64_t)reader->names.n;
    case C_SET:
        return type == DB_INT && number <= (int64_t)reader->n_sets &&
               number >= (db_blob(stmt, i + 1).size > 0); /* the features come next */
    case C_TEXT:
        return type == DB_TEXT;
    case C_FLOAT:
        if (type != DB_REAL)
            return type == DB_NULL;
        return db_double(stmt, i) == (double)(float)db_double(stmt, i);
    case C_FLOATS:
        return type == DB_BLOB &&
               records_good(reader, db_blob(stmt, i), sizeof(float), 0, 0, sizeof(float));
    case C_REASONS:
        return type == DB_BLOB && records_good(reader, db_blob(stmt, i), 16, 1, 8, 16);
    case C_SHADOWS:
        return type == DB_BLOB && records_good(reader, db_blob(stmt, i), 12, 2, 8, 12);
    case C_ID16:
        return type == DB_BLOB && db_blob(stmt, i).size == 16;
    case C_HASH:
        return type == DB_BLOB && db_blob(stmt, i).size == SHA256_SIZE;
    }
    return false;
}

/* The first column that is not as binnacle writes it; -1: none. Called after day_reader_row(),
 * which loads names and feature sets. */
static int odd_column(const struct day_reader *reader, struct db_stmt *stmt, enum row_kind kind)
{
    for (int i = 0; i < TABLES[kind].n; i++)
        if (!column_good(reader, stmt, i, &TABLES[kind].columns[i]))
            return i;
    return -1;
}

/* NULL: there are too many already. */
static struct row_problem *add_problem(struct block *block, uint64_t index, enum row_kind kind,
                                       struct slice event_id)
{
    struct row_problem *problems = NULL;
    if (block->n_problems < MAX_PROBLEMS)
        problems = array_grow(block->problems, block->n_problems, &block->problems_capacity,
                              sizeof *problems);
    if (!problems) {
        block->n_dropped++;
        return NULL;
    }
    block->problems = problems;
    struct row_problem *problem = &problems[block->n_problems++];
    *problem = (struct row_problem){.index = index, .kind = kind};
    snprintf(problem->event_id, sizeof problem->event_id, SLICE_FORMAT, SLICE_ARGS(event_id));
    return problem;
}

static void note_odd(struct row_problem *problem, enum row_kind kind, int column)
{
    snprintf(problem->where, sizeof problem->where, "%s.%s is not what binnacle writes there",
             TABLES[kind].table, TABLES[kind].columns[column].name);
}

static void take_row(struct row_reader *rows, struct block *block, enum row_kind kind,
                     struct db_stmt *stmt)
{
    struct ledger_row row;
    struct error error = {.message = ""};
    uint8_t computed[SHA256_SIZE];
    uint64_t index = (uint64_t)db_int(stmt, 0);
    struct row_mark *mark = &block->rows[index - block->first];
    struct row_problem *problem = NULL;
    bool twice = mark->kind != 0;
    rows->reader.leaf_hash = (struct slice){0};
    enum status status = day_reader_row(&rows->reader, kind, stmt, &row, &error);
    struct slice stored = rows->reader.leaf_hash;
    buffer_reset(&rows->leaf);
    int odd = odd_column(&rows->reader, stmt, kind);
    bool encoded = status == STATUS_OK && leaf_encode(&row, &rows->leaf) &&
                   tree_leaf_hash(buffer_slice(&rows->leaf), computed) == STATUS_OK;
    bool hashed = stored.size == SHA256_SIZE;
    bool unequal = encoded && hashed && memcmp(stored.data, computed, SHA256_SIZE) != 0;
    if (!encoded || odd >= 0 || unequal || twice)
        problem = add_problem(block, index, kind, row.event_id);
    if (problem && twice)
        snprintf(problem->where, sizeof problem->where, "%s",
                 "decisions.idx, labels.idx or actions.idx: two rows have this index");
    else if (problem && odd >= 0)
        note_odd(problem, kind, odd);
    else if (problem && !encoded)
        snprintf(problem->where, sizeof problem->where, "%s: %.120s", TABLES[kind].table,
                 error.message);
    if (problem && unequal) {
        problem->unequal = true;
        memcpy(problem->computed, computed, SHA256_SIZE);
    }
    if (twice)
        return;
    mark->kind = (uint8_t)kind;
    mark->at_us = row.at_us;
    mark->key = kind == ROW_DECISION ? hash64(row.event_id.data, row.event_id.size, 0) : 0;
    if (hashed || encoded)
        memcpy(mark->hash, hashed ? (const uint8_t *)stored.data : computed, SHA256_SIZE);
}

static enum status read_rows(struct row_reader *rows, struct block *block, struct error *error)
{
    for (size_t i = 0; i < sizeof ALL_KINDS / sizeof *ALL_KINDS; i++) {
        enum row_kind kind = ALL_KINDS[i];
        struct db_stmt *stmt = rows->ranges[kind];
        enum status status;
        db_bind_int(stmt, 1, (int64_t)block->first);
        db_bind_int(stmt, 2, (int64_t)block->end);
        while ((status = db_step(stmt, error)) == STATUS_OK) {
            uint64_t index = (uint64_t)db_int(stmt, 0);
            if (index >= block->first && index < block->end)
                take_row(rows, block, kind, stmt);
        }
        db_reset(stmt);
        if (status != STATUS_END)
            return status;
    }
    return STATUS_OK;
}

static enum status read_heads(struct row_reader *rows, struct block *block, struct error *error)
{
    enum status status = STATUS_END;
    if (!rows->heads)
        return STATUS_OK;
    db_bind_int(rows->heads, 1, (int64_t)(block->opens ? block->first : block->first + 1));
    db_bind_int(rows->heads, 2, (int64_t)block->end);
    while ((status = db_step(rows->heads, error)) == STATUS_OK) {
        struct head_mark *heads =
            array_grow(block->heads, block->n_heads, &block->heads_capacity, sizeof *heads);
        if (!heads)
            return error_set(error, STATUS_MEMORY, "out of memory");
        block->heads = heads;
        struct head_mark *mark = &heads[block->n_heads++];
        mark->valid = head_take(rows->heads, &mark->head) &&
                      (!rows->verify->has_key ||
                       head_check(&mark->head, rows->verify->public_key) == STATUS_OK);
    }
    db_reset(rows->heads);
    return status == STATUS_END ? STATUS_OK : status;
}

static int compare_problems(const void *a, const void *b)
{
    const struct row_problem *left = a, *right = b;
    return (left->index > right->index) - (left->index < right->index);
}

void row_reader_run(struct row_reader *rows, struct block *block)
{
    struct error error = {.message = ""};
    size_t n = (size_t)(block->end - block->first);
    block->n_problems = block->n_heads = 0;
    block->n_dropped = 0;
    block->failure[0] = '\0';
    memset(block->rows, 0, n * sizeof *block->rows);
    enum status status = open_file(rows, block->day, &error);
    if (status == STATUS_OK)
        status = read_rows(rows, block, &error);
    if (status == STATUS_OK)
        status = read_heads(rows, block, &error);
    if (status != STATUS_OK)
        snprintf(block->failure, sizeof block->failure, "%.250s", error.message);
    if (block->n_problems > 1)
        qsort(block->problems, block->n_problems, sizeof *block->problems, compare_problems);
}
