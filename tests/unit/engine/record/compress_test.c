/* A disk that is full, or fails, while a day is compressed: the sealed file stays, nothing half
 * written is left, who looks after the ledger is told, and the next pass goes on. */
#include "tests/unit/disk/disk.h"
#include "tests/unit/engine/record/tiers_fixture.h"

#include <errno.h>

static void assert_sealed(const char *dir)
{
    for (int day = 0; day < 2; day++) {
        assert_true(exists(dir, day, ".db"));
        assert_false(exists(dir, day, ".db.zst"));
        assert_false(exists(dir, day, ".db.zst.new"));
    }
    assert_untouched(dir);
}

static void a_day_stays_sealed_when_it_cannot_be_compressed(void **state)
{
    static const struct disk_fault faults[] = {
        {.call = CALL_OPEN, .name = ".db.zst.new", .times = 100, .error = ENOSPC},
        {.call = CALL_WRITE, .name = ".db.zst.new", .times = 100, .error = ENOSPC},
        {.call = CALL_WRITE, .name = ".db.zst.new", .after = 1, .times = 100, .error = ENOSPC},
        {.call = CALL_SYNC, .name = ".db.zst.new", .times = 100, .error = EIO},
    };
    const char *dir = *state;
    const struct tier_policy policy = {.cache_bytes = 1 << 30};
    fill_ledger(dir);
    keep(dir, KEEPER_SEAL);
    assert_sealed(dir);
    disk_watch(dir);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct error error = {0};
        disk_fail(&faults[i]);
        enum status status = keep_as(dir, &policy, KEEPER_COMPRESS, YEARS, &error);
        if (disk_failed() == 0 && faults[i].after > 0)
            continue; /* it is written in one piece */
        if (status != STATUS_IO || !strstr(error.message, "2018-08-08.db.zst"))
            fail_msg("fault %zu: %s: %s", i, status_name(status), error.message);
        disk_fail(NULL);
        assert_sealed(dir);
    }
    disk_fail(NULL);
    keep(dir, KEEPER_COMPRESS);
    assert_true(exists(dir, 0, ".db.zst") && !exists(dir, 0, ".db"));
    assert_untouched(dir);
    disk_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_day_stays_sealed_when_it_cannot_be_compressed),
    };
    disk_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
