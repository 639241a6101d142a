/* State files: whole or not there, and every damage is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/state_file.h"

static const struct state_file_kind kind = {"TEST", 3};

struct place {
    char folder[64], path[96], aside[112];
};

static void enter(struct place *place)
{
    snprintf(place->folder, sizeof place->folder, "/tmp/binnacle-state-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->path, sizeof place->path, "%s/state", place->folder);
    snprintf(place->aside, sizeof place->aside, "%s.new", place->path);
}

static void leave(const struct place *place)
{
    unlink(place->path);
    unlink(place->aside);
    assert_int_equal(rmdir(place->folder), 0);
}

static void write_state(const char *path, const void *bytes, size_t size, size_t piece)
{
    struct state_file *file;
    struct error error;
    assert_int_equal(state_file_create(path, &kind, &file, &error), STATUS_OK);
    for (size_t at = 0; at < size; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        assert_int_equal(state_file_put(file, (const char *)bytes + at, n, &error), STATUS_OK);
    }
    assert_int_equal(state_file_commit(file, &error), STATUS_OK);
}

/* STATUS_OK: exactly these bytes were there. */
static enum status read_state(const char *path, const void *bytes, size_t size, size_t piece)
{
    struct state_file *file;
    struct error error;
    enum status status = state_file_open(path, &kind, &file, &error);
    if (status != STATUS_OK)
        return status;
    char *got = calloc(1, size + 1);
    assert_non_null(got);
    for (size_t at = 0; status == STATUS_OK && at < size; at += piece)
        status = state_file_get(file, got + at, size - at < piece ? size - at : piece, &error);
    if (status == STATUS_OK)
        status = state_file_end(file, &error);
    if (status == STATUS_OK)
        assert_memory_equal(got, bytes, size);
    free(got);
    state_file_close(file);
    return status;
}

static void gives_back_what_was_put_in_whatever_pieces(void **state)
{
    (void)state;
    static unsigned char bytes[700001];
    static const size_t sizes[] = {0, 1, 262143, 262144, 262145, 524288, sizeof bytes};
    struct place place;
    enter(&place);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 13);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        write_state(place.path, bytes, sizes[i], 65521);
        assert_int_equal(read_state(place.path, bytes, sizes[i], 4099), STATUS_OK);
        if (sizes[i] > 0) /* one byte fewer, one more */
            assert_int_equal(read_state(place.path, bytes, sizes[i] - 1, 4099), STATUS_CORRUPT);
        if (sizes[i] < sizeof bytes)
            assert_int_equal(read_state(place.path, bytes, sizes[i] + 1, 4099), STATUS_CORRUPT);
    }
    struct stat info;
    assert_int_equal(stat(place.path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    leave(&place);
}

static void every_flipped_bit_and_every_cut_is_found(void **state)
{
    (void)state;
    static const char text[] = "what a start would rather not make again";
    struct place place;
    char whole[512];
    enter(&place);
    write_state(place.path, text, sizeof text, 7);
    FILE *file = fopen(place.path, "r");
    assert_non_null(file);
    size_t size = fread(whole, 1, sizeof whole, file);
    fclose(file);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        whole[bit / 8] = (char)(whole[bit / 8] ^ 1 << bit % 8);
        file = fopen(place.path, "w");
        assert_int_equal(fwrite(whole, 1, size, file), size);
        fclose(file);
        assert_int_not_equal(read_state(place.path, text, sizeof text, 7), STATUS_OK);
        whole[bit / 8] = (char)(whole[bit / 8] ^ 1 << bit % 8);
    }
    for (size_t cut = 0; cut < size; cut++) {
        file = fopen(place.path, "w");
        assert_int_equal(fwrite(whole, 1, cut, file), cut);
        fclose(file);
        assert_int_equal(read_state(place.path, text, sizeof text, 7), STATUS_CORRUPT);
    }
    leave(&place);
}

static void the_old_file_stays_until_the_new_one_is_whole(void **state)
{
    (void)state;
    struct place place;
    struct state_file *file;
    struct error error;
    enter(&place);
    write_state(place.path, "old", 3, 3);
    assert_int_equal(state_file_create(place.path, &kind, &file, &error), STATUS_OK);
    assert_int_equal(state_file_put(file, "new", 3, &error), STATUS_OK);
    assert_int_equal(read_state(place.path, "old", 3, 3), STATUS_OK);
    state_file_abandon(file);
    assert_int_equal(access(place.aside, F_OK), -1);
    assert_int_equal(read_state(place.path, "old", 3, 3), STATUS_OK);
    leave(&place);
}

static void files_of_another_kind_or_version_are_refused(void **state)
{
    (void)state;
    struct place place;
    struct state_file *file;
    struct error error;
    static const struct {
        struct state_file_kind kind;
        enum status status;
    } others[] = {
        {{"TEST", 4}, STATUS_CORRUPT}, /* the file is of an older version */
        {{"TEST", 2}, STATUS_UNSUPPORTED},
        {{"TESTS", 3}, STATUS_CORRUPT},
    };
    enter(&place);
    write_state(place.path, "x", 1, 1);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(state_file_open(place.path, &others[i].kind, &file, &error),
                         others[i].status);
    unlink(place.path);
    assert_int_equal(state_file_open(place.path, &kind, &file, &error), STATUS_NOT_FOUND);
    assert_int_equal(state_file_create("/nowhere/at/all", &kind, &file, &error), STATUS_IO);
    assert_non_null(strstr(error.message, "/nowhere/at/all"));
    leave(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_what_was_put_in_whatever_pieces),
        cmocka_unit_test(every_flipped_bit_and_every_cut_is_found),
        cmocka_unit_test(the_old_file_stays_until_the_new_one_is_whole),
        cmocka_unit_test(files_of_another_kind_or_version_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
