/* Files packed and unpacked; SHA-256 against sha256sum, the format against zstd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/packed_file.h"

struct place {
    char folder[64], plain[96], packed[96], again[96];
};

static int enter(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    snprintf(place->folder, sizeof place->folder, "/tmp/binnacle-packed-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->plain, sizeof place->plain, "%s/plain", place->folder);
    snprintf(place->packed, sizeof place->packed, "%s/plain.zst", place->folder);
    snprintf(place->again, sizeof place->again, "%s/again", place->folder);
    *state = place;
    return 0;
}

static int leave(void **state)
{
    char command[128];
    struct place *place = *state;
    snprintf(command, sizeof command, "rm -r '%s'", place->folder);
    assert_int_equal(system(command), 0);
    free(place);
    return 0;
}

static void write_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < size; i++)
        putc((int)(i * i % 251), file);
    assert_int_equal(fclose(file), 0);
}

static int shell(const char *format, const char *path)
{
    char command[512];
    snprintf(command, sizeof command, format, path, path, path);
    return system(command);
}

static void gives_files_of_any_size_back(void **state)
{
    struct place *place = *state;
    static const size_t sizes[] = {0, 1, 262143, 262144, 262145, 3000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct file_sum plain, packed, again, read;
        struct error error = {0};
        write_file(place->plain, sizes[i]);
        assert_int_equal(file_pack(place->plain, place->packed, &plain, &packed, &error),
                         STATUS_OK);
        assert_int_equal(plain.bytes, sizes[i]);
        assert_int_equal(
            file_unpack(place->packed, place->again, plain.bytes, &again, &read, &error),
            STATUS_OK);
        assert_memory_equal(&again, &plain, sizeof plain);
        assert_memory_equal(&read, &packed, sizeof packed);
        assert_int_equal(shell("cmp '%s' \"$(dirname '%s')/again\"", place->plain), 0);
        unlink(place->packed);
        unlink(place->again);
    }
}

static void sums_as_sha256sum_does(void **state)
{
    struct place *place = *state;
    struct file_sum sum;
    struct error error = {0};
    char hex[2 * SHA256_SIZE + 1], format[200];
    write_file(place->plain, 700001);
    assert_int_equal(file_sum(place->plain, &sum, &error), STATUS_OK);
    assert_int_equal(sum.bytes, 700001);
    snprintf(format, sizeof format, "echo '%s  %%s' | sha256sum --quiet -c -",
             hex_encode(sum.sha256, SHA256_SIZE, hex));
    assert_int_equal(shell(format, place->plain), 0);
}

static void is_what_zstd_reads_and_writes(void **state)
{
    struct place *place = *state;
    struct file_sum plain, again;
    struct error error = {0};
    write_file(place->plain, 500000);
    assert_int_equal(file_pack(place->plain, place->packed, &plain, NULL, &error), STATUS_OK);
    assert_int_equal(shell("zstd -q -d -c '%s.zst' | cmp - '%s'", place->plain), 0);
    assert_int_equal(shell("zstd -q -19 -f '%s'", place->plain), 0);
    assert_int_equal(file_unpack(place->packed, NULL, 500000, &again, NULL, &error), STATUS_OK);
    assert_memory_equal(&again, &plain, sizeof plain);
}

static void refuses_what_was_damaged_cut_or_lengthened(void **state)
{
    struct place *place = *state;
    static const char *const harm[] = {
        "truncate -s -3 '%s.zst'",
        "printf x >> '%s.zst'",
        "printf '\\377' | dd of='%s.zst' bs=1 seek=40 conv=notrunc status=none",
        "printf '\\377' | dd of='%s.zst' bs=1 seek=0 conv=notrunc status=none",
        ": > '%s.zst'",
    };
    for (size_t i = 0; i < sizeof harm / sizeof *harm; i++) {
        struct error error = {0};
        write_file(place->plain, 500000);
        unlink(place->packed);
        assert_int_equal(file_pack(place->plain, place->packed, NULL, NULL, &error), STATUS_OK);
        assert_int_equal(shell(harm[i], place->plain), 0);
        assert_int_equal(file_unpack(place->packed, place->again, 1 << 20, NULL, NULL, &error),
                         STATUS_CORRUPT);
        assert_int_not_equal(access(place->again, F_OK), 0);
    }
}

static void stops_at_more_than_was_packed(void **state)
{
    struct place *place = *state;
    struct error error = {0};
    write_file(place->plain, 500000);
    assert_int_equal(file_pack(place->plain, place->packed, NULL, NULL, &error), STATUS_OK);
    assert_int_equal(file_unpack(place->packed, NULL, 499999, NULL, NULL, &error), STATUS_CORRUPT);
}

static void leaves_nothing_of_what_the_disk_refuses(void **state)
{
    struct place *place = *state;
    struct error error = {0};
    write_file(place->plain, 500000);
    assert_int_equal(file_pack(place->plain, "/dev/full/x", NULL, NULL, &error), STATUS_IO);
    assert_int_equal(file_pack("/nowhere/plain", place->packed, NULL, NULL, &error),
                     STATUS_NOT_FOUND);
    assert_int_not_equal(access(place->packed, F_OK), 0);
    write_file(place->packed, 1);
    assert_int_equal(file_pack(place->plain, place->packed, NULL, NULL, &error), STATUS_CONFLICT);
    assert_int_equal(access(place->packed, F_OK), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
    const struct CMUnitTest tests[] = {
        TEST(gives_files_of_any_size_back),  TEST(sums_as_sha256sum_does),
        TEST(is_what_zstd_reads_and_writes), TEST(refuses_what_was_damaged_cut_or_lengthened),
        TEST(stops_at_more_than_was_packed), TEST(leaves_nothing_of_what_the_disk_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
