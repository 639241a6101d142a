/* What tests of the ledger's tiers share: a ledger of three days, a keeper over it, and all that
 * can be read from it as one digest. */
#ifndef BINNACLE_TESTS_RECORD_TIERS_FIXTURE_H
#define BINNACLE_TESTS_RECORD_TIERS_FIXTURE_H

#include "tests/unit/engine/record/verify_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "engine/record/keeper.h"
#include "engine/record/tree.h"

#define KEEP_PACKED (KEEPER_SEAL | KEEPER_COMPRESS)
#define YEARS       (20 * 366 * US_PER_DAY)

/* A process that has the ledger open, and its keeper. */
struct keeping {
    struct clock *clock;
    struct ledger *ledger;
    struct keeper *keeper;
};

static inline void keeping_open(struct keeping *keeping, const char *dir,
                                const struct tier_policy *policy)
{
    struct error error = {0};
    keeping->clock = clock_create_event(DAY_ONE + 3 * US_PER_DAY - 1);
    keeping->ledger = open_ledger(dir, keeping->clock);
    struct keeper_options options = {
        .dir = dir, .ledger = keeping->ledger, .clock = keeping->clock, .policy = *policy};
    if (keeper_create(&options, &keeping->keeper, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static inline void keeping_close(struct keeping *keeping)
{
    keeper_destroy(keeping->keeper);
    close_ledger(keeping->ledger);
    clock_destroy(keeping->clock);
}

/* One pass `later_us` from now. */
static inline enum status keep_as(const char *dir, const struct tier_policy *policy, unsigned steps,
                                  int64_t later_us, struct error *error)
{
    struct keeping keeping;
    struct clock *wall = clock_create_wall();
    struct keeper_pass pass = {.steps = steps, .now_us = clock_now_us(wall) + later_us};
    keeping_open(&keeping, dir, policy);
    enum status status = keeper_run(keeping.keeper, &pass, error);
    keeping_close(&keeping);
    clock_destroy(wall);
    return status;
}

static inline void keep(const char *dir, unsigned steps)
{
    struct error error = {0};
    struct tier_policy policy = {.cache_bytes = 1 << 30};
    if (keep_as(dir, &policy, steps, YEARS, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static inline void day_name(char path[4200], const char *dir, int day, const char *ending)
{
    assert_true(snprintf(path, 4200, "%s/2018-08-%02d%s", dir, 8 + day, ending) < 4200);
}

static inline bool exists(const char *dir, int day, const char *ending)
{
    char path[4200];
    day_name(path, dir, day, ending);
    return access(path, F_OK) == 0;
}

static inline void flip_byte(const char *path, int64_t from_end)
{
    unsigned char byte;
    assert_int_equal(chmod(path, 0644), 0);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    off_t at = lseek(fd, 0, SEEK_END) - from_end;
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

struct content {
    struct tree tree;
    struct buffer leaf;
    uint64_t n;
};

static inline enum status add_to_content(void *context, const struct ledger_row *row,
                                         struct error *error)
{
    struct content *content = context;
    uint8_t hash[SHA256_SIZE];
    (void)error;
    buffer_reset(&content->leaf);
    assert_true(leaf_encode(row, &content->leaf));
    assert_int_equal(tree_leaf_hash(buffer_slice(&content->leaf), hash), STATUS_OK);
    return tree_append(&content->tree, hash);
}

/* The root over the first `n` rows as they are read, not as it is stored. */
static inline void read_content(const char *dir, uint64_t n, uint8_t root[SHA256_SIZE])
{
    struct content content = {.n = n};
    struct reader *reader = open_reader(dir);
    struct error error = {0};
    buffer_init(&content.leaf, 1 << 20);
    for (uint64_t i = 0; i < n; i += 50) { /* single rows, too */
        struct ledger_row row;
        if (reader_row(reader, i, &row, &error) != STATUS_OK)
            fail_msg("%s", error.message);
        assert_int_equal(row.index, i);
    }
    if (reader_scan(reader, 0, add_to_content, &content, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_true(content.tree.size >= n);
    reader_close(reader);
    buffer_free(&content.leaf);
    assert_int_equal(tree_root(&content.tree, root), STATUS_OK);
}

#endif
