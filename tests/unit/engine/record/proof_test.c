/* Proofs out of day files, against the recursive definitions and the published paths. */
#include "tests/unit/engine/record/fixture.h"

#include "engine/base/db.h"
#include "engine/record/proof.h"
#include "engine/record/tree.h"

static struct proofs *open_proofs(struct reader *reader)
{
    struct proofs *proofs = NULL;
    struct error error = {0};
    if (proofs_open(reader, &proofs, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return proofs;
}

/* RFC 9162, 2.1.4.2, written from its text. */
static bool consistent(uint64_t first, uint64_t second, const uint8_t *first_root,
                       const uint8_t *second_root, const struct proof_path *path)
{
    if (first == second)
        return path->n == 0 && memcmp(first_root, second_root, SHA256_SIZE) == 0;
    uint64_t fn = first - 1, sn = second - 1;
    bool whole = (first & (first - 1)) == 0;
    uint8_t fr[SHA256_SIZE], sr[SHA256_SIZE];
    if (!whole && path->n == 0)
        return false;
    memcpy(fr, whole ? first_root : path->hashes[0], SHA256_SIZE);
    memcpy(sr, fr, SHA256_SIZE);
    for (; fn & 1; fn >>= 1)
        sn >>= 1;
    for (size_t i = whole ? 0 : 1; i < path->n; i++) {
        const uint8_t *c = path->hashes[i];
        if (sn == 0)
            return false;
        if (fn & 1 || fn == sn) {
            assert_int_equal(tree_node_hash(c, fr, fr), STATUS_OK);
            assert_int_equal(tree_node_hash(c, sr, sr), STATUS_OK);
            while (!(fn & 1) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            assert_int_equal(tree_node_hash(sr, c, sr), STATUS_OK);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && memcmp(fr, first_root, SHA256_SIZE) == 0 &&
           memcmp(sr, second_root, SHA256_SIZE) == 0;
}

/* Leaf hashes are replaced by those of the well-known tree of Certificate Transparency. */
static const char *const LEAVES[] = {"",
                                     "00",
                                     "10",
                                     "2021",
                                     "3031",
                                     "40414243",
                                     "5051525354555657",
                                     "606162636465666768696a6b6c6d6e6f"};

static void write_known_leaves(const char *dir)
{
    char path[4200];
    struct db *db;
    struct db_stmt *update;
    struct error error = {0};
    snprintf(path, sizeof path, "%s/2018-08-08.db", dir);
    assert_int_equal(db_open(path, DB_WRITE, DB_SYNC_FULL, &db, &error), STATUS_OK);
    assert_int_equal(
        db_prepare(db, "UPDATE decisions SET leaf_hash = ?1 WHERE idx = ?2", &update, &error),
        STATUS_OK);
    for (int i = 0; i < 8; i++) {
        uint8_t leaf[16], hash[SHA256_SIZE];
        size_t size = strlen(LEAVES[i]) / 2;
        assert_true(hex_decode(slice_of(LEAVES[i]), leaf, size));
        assert_int_equal(tree_leaf_hash(slice_make(leaf, size), hash), STATUS_OK);
        db_bind_blob(update, 1, slice_make(hash, sizeof hash));
        db_bind_int(update, 2, i);
        assert_int_equal(db_run(update, &error), STATUS_OK);
    }
    db_finish(update);
    db_close(db);
}

static void assert_path(const struct proof_path *path, const char *const *expected, size_t n)
{
    assert_int_equal(path->n, n);
    for (size_t i = 0; i < n; i++) {
        char hex[2 * SHA256_SIZE + 1];
        assert_string_equal(hex_encode(path->hashes[i], SHA256_SIZE, hex), expected[i]);
    }
}

/* The paths that certificate-transparency's merkle_tree_test.cc publishes for this tree. */
static void gives_the_published_paths_of_the_eight_leaf_tree(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    struct proof_path path;
    struct error error = {0};
    submit_decisions(ledger, 0, 8, DAY_ONE, 1, -1);
    close_ledger(ledger);
    write_known_leaves(*state);
    struct reader *reader = open_reader(*state);
    struct proofs *proofs = open_proofs(reader);
    static const char *const of_0_in_8[] = {
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"};
    static const char *const of_5_in_8[] = {
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"};
    static const char *const of_1_in_5[] = {
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"};
    static const char *const from_6_to_8[] = {
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"};
    static const char *const from_2_to_5[] = {
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"};
    assert_int_equal(proof_inclusion(proofs, 0, 8, &path, &error), STATUS_OK);
    assert_path(&path, of_0_in_8, 3);
    assert_int_equal(proof_inclusion(proofs, 5, 8, &path, &error), STATUS_OK);
    assert_path(&path, of_5_in_8, 3);
    assert_int_equal(proof_inclusion(proofs, 1, 5, &path, &error), STATUS_OK);
    assert_path(&path, of_1_in_5, 3);
    assert_int_equal(proof_consistency(proofs, 6, 8, &path, &error), STATUS_OK);
    assert_path(&path, from_6_to_8, 3);
    assert_int_equal(proof_consistency(proofs, 2, 5, &path, &error), STATUS_OK);
    assert_path(&path, from_2_to_5, 2);
    assert_int_equal(proof_consistency(proofs, 1, 1, &path, &error), STATUS_OK);
    assert_path(&path, NULL, 0);
    proofs_close(proofs);
    reader_close(reader);
    clock_destroy(clock);
}

/* Every leaf and every pair of a small tree over three days, and chosen ones of a large tree, where
 * kept nodes take the place of leaves. */
static void proves_every_leaf_and_every_growth(void **state)
{
    enum { N = 70 };
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    struct error error = {0};
    uint8_t roots[N + 1][SHA256_SIZE], leaves[N][SHA256_SIZE];
    struct tree tree = {0};
    struct proof_path path;
    submit_decisions(ledger, 0, N, DAY_ONE, US_PER_HOUR, -1);
    close_ledger(ledger);
    struct reader *reader = open_reader(*state);
    for (uint64_t i = 0; i < N; i++) {
        struct buffer leaf;
        buffer_init(&leaf, 1 << 20);
        assert_int_equal(reader_leaf(reader, i, &leaf, leaves[i], &error), STATUS_OK);
        buffer_free(&leaf);
        assert_int_equal(tree_append(&tree, leaves[i]), STATUS_OK);
        assert_int_equal(tree_root(&tree, roots[i + 1]), STATUS_OK);
    }
    struct proofs *proofs = open_proofs(reader);
    for (uint64_t size = 1; size <= N; size++) {
        for (uint64_t i = 0; i < size; i++) {
            assert_int_equal(proof_inclusion(proofs, i, size, &path, &error), STATUS_OK);
            assert_true(proof_includes(leaves[i], i, size, &path, roots[size]));
            assert_false(proof_includes(leaves[i], i + 1, size, &path, roots[size]));
            assert_false(proof_includes(leaves[(i + 1) % N], i, size, &path, roots[size]));
            assert_int_equal(proof_consistency(proofs, i + 1, size, &path, &error), STATUS_OK);
            assert_true(consistent(i + 1, size, roots[i + 1], roots[size], &path));
        }
    }
    uint8_t root[SHA256_SIZE];
    assert_int_equal(proof_inclusion(proofs, N, N, &path, &error), STATUS_INVALID);
    assert_int_equal(proof_consistency(proofs, 0, 5, &path, &error), STATUS_INVALID);
    assert_int_equal(proof_consistency(proofs, 5, N + 1, &path, &error), STATUS_INVALID);
    assert_int_equal(proof_root(proofs, N + 1, root, &error), STATUS_NOT_FOUND);
    proofs_close(proofs);
    reader_close(reader);
    clock_destroy(clock);
}

static void check_large(const char *dir, uint8_t roots[][SHA256_SIZE], const uint64_t *sizes,
                        size_t n)
{
    struct reader *reader = open_reader(dir);
    struct proofs *proofs = open_proofs(reader);
    struct proof_path path;
    struct error error = {0};
    for (size_t i = 0; i < n; i++) {
        uint8_t root[SHA256_SIZE], leaf_hash[SHA256_SIZE];
        struct buffer leaf;
        assert_int_equal(proof_root(proofs, sizes[i], root, &error), STATUS_OK);
        assert_memory_equal(root, roots[i], SHA256_SIZE);
        uint64_t index = sizes[i] * 7 / 11;
        buffer_init(&leaf, 1 << 20);
        assert_int_equal(reader_leaf(reader, index, &leaf, leaf_hash, &error), STATUS_OK);
        buffer_free(&leaf);
        assert_int_equal(proof_inclusion(proofs, index, sizes[i], &path, &error), STATUS_OK);
        assert_true(proof_includes(leaf_hash, index, sizes[i], &path, root));
        for (size_t j = 0; j <= i; j++) {
            assert_int_equal(proof_consistency(proofs, sizes[j], sizes[i], &path, &error),
                             STATUS_OK);
            assert_true(consistent(sizes[j], sizes[i], roots[j], roots[i], &path));
        }
    }
    proofs_close(proofs);
    reader_close(reader);
}

static void large_trees_use_the_nodes_that_were_kept_and_need_none(void **state)
{
    static const uint64_t sizes[] = {1, 1023, 1024, 1025, 2048, 5000, 8191, 8192, 9000};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    static uint8_t roots[SIZES][SHA256_SIZE];
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    struct ledger_stats stats;
    for (size_t i = 0; i < SIZES; i++) {
        uint64_t from = i ? sizes[i - 1] : 0;
        submit_decisions(ledger, from, sizes[i] - from, DAY_ONE + (int64_t)from * 13000000,
                         13000000, -1);
        flush_ledger(ledger);
        ledger_stats(ledger, &stats);
        memcpy(roots[i], stats.root, SHA256_SIZE);
    }
    close_ledger(ledger);
    check_large(*state, roots, sizes, SIZES);

    char path[4200];
    struct db *db;
    struct error error = {0};
    snprintf(path, sizeof path, "%s/2018-08-08.db", (const char *)*state);
    assert_int_equal(db_open(path, DB_WRITE, DB_SYNC_FULL, &db, &error), STATUS_OK);
    assert_int_equal(db_exec(db, "DELETE FROM nodes", &error), STATUS_OK);
    assert_in_range(db_changes(db), 5, 9);
    db_close(db);
    check_large(*state, roots, sizes, SIZES);
    clock_destroy(clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(gives_the_published_paths_of_the_eight_leaf_tree),
        IN_FOLDER(proves_every_leaf_and_every_growth),
        IN_FOLDER(large_trees_use_the_nodes_that_were_kept_and_need_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
