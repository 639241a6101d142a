/* The hash tree against the test vectors of the Certificate Transparency project's Merkle tree
 * (RFC 9162, 2.1; the eight-leaf tree in its reference tests) and against the recursive definition
 * of the RFC, computed here from all leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/record/tree.h"

static const char *const LEAVES[8] = {"",
                                      "00",
                                      "10",
                                      "2021",
                                      "3031",
                                      "40414243",
                                      "5051525354555657",
                                      "606162636465666768696a6b6c6d6e6f"};
static const char *const ROOTS[9] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

static void gives_the_published_roots_of_the_eight_leaf_tree(void **state)
{
    (void)state;
    struct tree tree = {0};
    for (int n = 0; n <= 8; n++) {
        uint8_t root[SHA256_SIZE];
        char hex[2 * SHA256_SIZE + 1];
        assert_int_equal(tree_root(&tree, root), STATUS_OK);
        assert_string_equal(hex_encode(root, sizeof root, hex), ROOTS[n]);
        if (n == 8)
            break;
        uint8_t leaf[16], hash[SHA256_SIZE];
        size_t size = strlen(LEAVES[n]) / 2;
        assert_true(hex_decode(slice_of(LEAVES[n]), leaf, size));
        assert_int_equal(tree_leaf_hash(slice_make(leaf, size), hash), STATUS_OK);
        assert_int_equal(tree_append(&tree, hash), STATUS_OK);
    }
}

/* MTH(D[n]) as RFC 9162, 2.1.1 defines it. */
static void recursive_root(uint8_t (*leaves)[SHA256_SIZE], size_t n, uint8_t out[SHA256_SIZE])
{
    if (n == 1) {
        memcpy(out, leaves[0], SHA256_SIZE);
        return;
    }
    size_t k = 1;
    while (k * 2 < n)
        k *= 2;
    uint8_t left[SHA256_SIZE], right[SHA256_SIZE];
    recursive_root(leaves, k, left);
    recursive_root(leaves + k, n - k, right);
    assert_int_equal(crypto_sha256(slice_make("\x01", 1), slice_make(left, SHA256_SIZE),
                                   slice_make(right, SHA256_SIZE), out),
                     STATUS_OK);
}

static void equals_the_recursive_definition_at_every_size(void **state)
{
    (void)state;
    enum { N = 300 };
    uint8_t(*leaves)[SHA256_SIZE] = malloc(N * SHA256_SIZE);
    struct tree tree = {0};
    for (size_t n = 0; n < N; n++) {
        uint8_t expected[SHA256_SIZE], root[SHA256_SIZE];
        assert_int_equal(tree_leaf_hash(slice_make(&n, sizeof n), leaves[n]), STATUS_OK);
        assert_int_equal(tree_append(&tree, leaves[n]), STATUS_OK);
        recursive_root(leaves, n + 1, expected);
        assert_int_equal(tree_root(&tree, root), STATUS_OK);
        assert_memory_equal(root, expected, SHA256_SIZE);
    }
    free(leaves);
}

static void saves_and_loads_its_edge_and_refuses_one_of_another_size(void **state)
{
    (void)state;
    struct tree tree = {0}, loaded;
    uint8_t hash[SHA256_SIZE], edges[TREE_EDGES_SIZE], before[SHA256_SIZE], after[SHA256_SIZE];
    for (uint64_t n = 0; n < 45; n++) {
        assert_int_equal(tree_leaf_hash(slice_make(&n, sizeof n), hash), STATUS_OK);
        assert_int_equal(tree_append(&tree, hash), STATUS_OK);
    }
    size_t size = tree_save(&tree, edges);
    assert_int_equal(size, 4 * SHA256_SIZE); /* 45 = 101101b */
    assert_true(tree_load(&loaded, 45, slice_make(edges, size)));
    assert_int_equal(tree_append(&tree, hash), STATUS_OK);
    assert_int_equal(tree_append(&loaded, hash), STATUS_OK);
    assert_int_equal(tree_root(&tree, before), STATUS_OK);
    assert_int_equal(tree_root(&loaded, after), STATUS_OK);
    assert_memory_equal(before, after, SHA256_SIZE);
    assert_false(tree_load(&loaded, 44, slice_make(edges, size)));
    assert_false(tree_load(&loaded, 45, slice_make(edges, size - 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_published_roots_of_the_eight_leaf_tree),
        cmocka_unit_test(equals_the_recursive_definition_at_every_size),
        cmocka_unit_test(saves_and_loads_its_edge_and_refuses_one_of_another_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
