/* Inclusion and consistency proofs out of the day files.
 *
 * PATH() and SUBPROOF() of RFC 9162, 2.1.3.1 and 2.1.4.1, which ask for the hashes of whole ranges
 * of leaves. A range that is a whole subtree of at least NODE_LEVEL levels was kept when it became
 * whole, unless it was a right child; then its left half was. Everything smaller is hashed from the
 * stored leaf hashes, so that a proof reads a few thousand of them at most. One thread. */
#include "engine/record/proof.h"

#include <stdlib.h>

#include "engine/record/day_priv.h"
#include "engine/record/reader_priv.h"
#include "engine/record/tree.h"

/* One day file's leaves: [first, end). */
struct span {
    size_t day; /* place in reader->days */
    uint64_t first, end;
};

struct proofs {
    struct reader *reader;
    struct span *spans; /* ascending, without those that hold no leaf */
    size_t n;
    uint64_t size;
    struct tree deleted; /* the rows that are gone by policy: [0, deleted.size) */
};

static enum status load_spans(struct proofs *proofs, struct error *error)
{
    struct reader *reader = proofs->reader;
    const struct tier_day *last = tiers_last_deleted(reader->tiers);
    if (last) {
        enum status status = tiers_tree(reader->tiers, last->day, &proofs->deleted, error);
        if (status != STATUS_OK)
            return status;
        proofs->size = proofs->deleted.size;
    }
    for (size_t i = 0; i < reader->n_days; i++) {
        struct day_head head;
        enum status status = reader_day_head(reader, i, &head, error);
        if (status == STATUS_NOT_FOUND)
            continue;
        if (status != STATUS_OK)
            return status;
        if (head.tree_size > head.first_index)
            proofs->spans[proofs->n++] = (struct span){i, head.first_index, head.tree_size};
        proofs->size = head.tree_size;
    }
    return STATUS_OK;
}

enum status proofs_open(struct reader *reader, struct proofs **proofs, struct error *error)
{
    enum status status = reader_look(reader, error);
    if (status != STATUS_OK)
        return status;
    struct proofs *opened = calloc(1, sizeof *opened);
    if (opened)
        opened->spans = calloc(reader->n_days + 1, sizeof *opened->spans);
    if (!opened || !opened->spans) {
        free(opened);
        return error_set(error, STATUS_MEMORY, "out of memory");
    }
    opened->reader = reader;
    status = load_spans(opened, error);
    if (status != STATUS_OK) {
        proofs_close(opened);
        return status;
    }
    *proofs = opened;
    return STATUS_OK;
}

void proofs_close(struct proofs *proofs)
{
    if (!proofs)
        return;
    free(proofs->spans);
    free(proofs);
}

static enum status missing(uint64_t index, struct error *error)
{
    return error_set(error, STATUS_CORRUPT,
                     "ledger row %llu is missing or damaged: run `binnacle ledger verify`",
                     (unsigned long long)index);
}

/* Opens the file that holds `index`. */
static enum status open_span(struct proofs *proofs, uint64_t index, const struct span **span,
                             struct error *error)
{
    size_t low = 0, high = proofs->n; /* the first that begins beyond index */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (proofs->spans[middle].first <= index)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || proofs->spans[low - 1].end <= index)
        return missing(index, error);
    *span = &proofs->spans[low - 1];
    return reader_open_day(proofs->reader, (*span)->day, error);
}

/* Adds the stored hashes of the leaves [from, to), all in the open file. */
static enum status append_leaves(struct day_reader *file, uint64_t from, uint64_t to,
                                 struct tree *tree, struct error *error)
{
    struct db_stmt *select;
    enum status status =
        db_prepare(file->db,
                   "SELECT idx, leaf_hash FROM decisions WHERE idx >= ?1 AND idx < ?2 UNION ALL"
                   " SELECT idx, leaf_hash FROM labels WHERE idx >= ?1 AND idx < ?2 UNION ALL"
                   " SELECT idx, leaf_hash FROM actions WHERE idx >= ?1 AND idx < ?2 ORDER BY 1",
                   &select, error);
    if (status != STATUS_OK)
        return status;
    db_bind_int(select, 1, (int64_t)from);
    db_bind_int(select, 2, (int64_t)to);
    uint64_t next = from;
    while ((status = db_step(select, error)) == STATUS_OK) {
        struct slice hash = db_blob(select, 1);
        if ((uint64_t)db_int(select, 0) != next || hash.size != SHA256_SIZE ||
            tree_append(tree, (const uint8_t *)hash.data) != STATUS_OK)
            break;
        next++;
    }
    db_finish(select);
    if (status == STATUS_END && next == to)
        return STATUS_OK;
    return status == STATUS_OK || status == STATUS_END ? missing(next, error) : status;
}

static enum status hash_leaves(struct proofs *proofs, uint64_t start, uint64_t n,
                               uint8_t hash[SHA256_SIZE], struct error *error)
{
    struct tree tree = {0};
    for (uint64_t at = start, to; at < start + n; at = to) {
        const struct span *span;
        enum status status = open_span(proofs, at, &span, error);
        if (status != STATUS_OK)
            return status;
        to = span->end < start + n ? span->end : start + n;
        status = append_leaves(proofs->reader->file, at, to, &tree, error);
        if (status != STATUS_OK)
            return status;
    }
    return tree_root(&tree, hash);
}

/* STATUS_NOT_FOUND: it was not kept. */
static enum status kept_node(struct proofs *proofs, uint64_t start, int level,
                             uint8_t hash[SHA256_SIZE], struct error *error)
{
    const struct span *span;
    struct db_stmt *select;
    enum status status = open_span(proofs, start + (UINT64_C(1) << level) - 1, &span, error);
    if (status != STATUS_OK || proofs->reader->file->version < 2)
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    status =
        db_prepare(proofs->reader->file->db,
                   "SELECT hash FROM nodes WHERE level = ?1 AND position = ?2", &select, error);
    if (status != STATUS_OK)
        return status;
    db_bind_int(select, 1, level);
    db_bind_int(select, 2, (int64_t)(start >> level));
    status = db_step(select, error);
    struct slice kept = status == STATUS_OK ? db_blob(select, 0) : (struct slice){0};
    if (kept.size == SHA256_SIZE)
        memcpy(hash, kept.data, SHA256_SIZE);
    else if (status == STATUS_OK)
        status = STATUS_NOT_FOUND;
    db_finish(select);
    return status == STATUS_END ? STATUS_NOT_FOUND : status;
}

/* The largest power of two below n > 1. */
static uint64_t split_of(uint64_t n)
{
    return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

static enum status hash_range(struct proofs *proofs, uint64_t start, uint64_t n,
                              uint8_t hash[SHA256_SIZE], struct error *error);

static enum status hash_halves(struct proofs *proofs, uint64_t start, uint64_t n,
                               uint8_t hash[SHA256_SIZE], struct error *error)
{
    uint8_t left[SHA256_SIZE], right[SHA256_SIZE];
    uint64_t split = split_of(n);
    enum status status = hash_range(proofs, start, split, left, error);
    if (status == STATUS_OK)
        status = hash_range(proofs, start + split, n - split, right, error);
    return status == STATUS_OK ? tree_node_hash(left, right, hash) : status;
}

/* A range that begins among deleted rows. Of those the subtrees on their tree's right edge are
 * known, and these are the ones that a proof about later rows asks for. */
static enum status hash_deleted(struct proofs *proofs, uint64_t start, uint64_t n,
                                uint8_t hash[SHA256_SIZE], struct error *error)
{
    uint64_t end = proofs->deleted.size;
    int level = __builtin_ctzll(n);
    bool whole = n == UINT64_C(1) << level && end & n && (end & ~(2 * n - 1)) == start;
    if (whole) {
        memcpy(hash, proofs->deleted.edge[level], SHA256_SIZE);
        return STATUS_OK;
    }
    if (n > 1)
        return hash_halves(proofs, start, n, hash, error);
    return error_set(error, STATUS_NOT_FOUND,
                     "rows 0 to %llu were deleted by policy: what leads to row %llu is gone",
                     (unsigned long long)end - 1, (unsigned long long)start);
}

/* MTH() over the leaves [start, start + n); the depth is the logarithm of n. */
static enum status hash_range(struct proofs *proofs, uint64_t start, uint64_t n,
                              uint8_t hash[SHA256_SIZE], struct error *error)
{
    if (start < proofs->deleted.size)
        return hash_deleted(proofs, start, n, hash, error);
    if (n < UINT64_C(1) << NODE_LEVEL)
        return hash_leaves(proofs, start, n, hash, error);
    int level = __builtin_ctzll(n);
    if (n == UINT64_C(1) << level && start % n == 0) {
        enum status status = kept_node(proofs, start, level, hash, error);
        if (status != STATUS_NOT_FOUND)
            return status;
    }
    if (n == UINT64_C(1) << NODE_LEVEL)
        return hash_leaves(proofs, start, n, hash, error);
    return hash_halves(proofs, start, n, hash, error);
}

static enum status add_range(struct proofs *proofs, uint64_t start, uint64_t n,
                             struct proof_path *path, struct error *error)
{
    if (path->n == PROOF_MAX_PATH)
        return error_set(error, STATUS_INVALID, "a tree of more than 2^64 leaves");
    return hash_range(proofs, start, n, path->hashes[path->n++], error);
}

enum status proof_root(struct proofs *proofs, uint64_t size, uint8_t root[SHA256_SIZE],
                       struct error *error)
{
    if (size > proofs->size)
        return error_set(error, STATUS_NOT_FOUND, "the ledger has %llu rows, not %llu",
                         (unsigned long long)proofs->size, (unsigned long long)size);
    if (size == 0)
        return tree_root(&(struct tree){0}, root);
    return hash_range(proofs, 0, size, root, error);
}

/* PATH(index, leaves [start, start + n)). */
static enum status walk_path(struct proofs *proofs, uint64_t index, uint64_t start, uint64_t n,
                             struct proof_path *path, struct error *error)
{
    if (n == 1)
        return STATUS_OK;
    uint64_t split = split_of(n);
    bool left = index < split;
    enum status status =
        left ? walk_path(proofs, index, start, split, path, error)
             : walk_path(proofs, index - split, start + split, n - split, path, error);
    if (status != STATUS_OK)
        return status;
    return left ? add_range(proofs, start + split, n - split, path, error)
                : add_range(proofs, start, split, path, error);
}

enum status proof_inclusion(struct proofs *proofs, uint64_t index, uint64_t size,
                            struct proof_path *path, struct error *error)
{
    path->n = 0;
    if (index >= size || size > proofs->size)
        return error_set(error, STATUS_INVALID, "row %llu is not among the first %llu rows",
                         (unsigned long long)index, (unsigned long long)size);
    return walk_path(proofs, index, 0, size, path, error);
}

/* SUBPROOF(m, leaves [start, start + n), whole): whole means that the verifier knows the hash. */
static enum status walk_subproof(struct proofs *proofs, uint64_t m, uint64_t start, uint64_t n,
                                 bool whole, struct proof_path *path, struct error *error)
{
    if (m == n)
        return whole ? STATUS_OK : add_range(proofs, start, n, path, error);
    uint64_t split = split_of(n);
    bool left = m <= split;
    enum status status =
        left ? walk_subproof(proofs, m, start, split, whole, path, error)
             : walk_subproof(proofs, m - split, start + split, n - split, false, path, error);
    if (status != STATUS_OK)
        return status;
    return left ? add_range(proofs, start + split, n - split, path, error)
                : add_range(proofs, start, split, path, error);
}

enum status proof_consistency(struct proofs *proofs, uint64_t first, uint64_t second,
                              struct proof_path *path, struct error *error)
{
    path->n = 0;
    if (first == 0 || first > second || second > proofs->size)
        return error_set(error, STATUS_INVALID,
                         "trees of %llu and %llu rows: needed is 1 <= first <= second <= %llu",
                         (unsigned long long)first, (unsigned long long)second,
                         (unsigned long long)proofs->size);
    return walk_subproof(proofs, first, 0, second, true, path, error);
}

bool proof_includes(const uint8_t leaf_hash[SHA256_SIZE], uint64_t index, uint64_t size,
                    const struct proof_path *path, const uint8_t root[SHA256_SIZE])
{
    uint8_t hash[SHA256_SIZE];
    uint64_t at = index, last = size - 1;
    if (index >= size)
        return false;
    memcpy(hash, leaf_hash, SHA256_SIZE);
    for (size_t i = 0; i < path->n; i++) {
        if (last == 0)
            return false;
        bool right = at % 2 == 1 || at == last;
        enum status status = right ? tree_node_hash(path->hashes[i], hash, hash)
                                   : tree_node_hash(hash, path->hashes[i], hash);
        if (status != STATUS_OK)
            return false;
        while (right && at % 2 == 0 && at != 0) {
            at >>= 1;
            last >>= 1;
        }
        at >>= 1;
        last >>= 1;
    }
    return last == 0 && memcmp(hash, root, SHA256_SIZE) == 0;
}
