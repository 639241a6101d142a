/* A file of history that an earlier release wrote is read and goes on. */
#include "tests/unit/engine/history/fixture.h"

#include "engine/base/db.h"
#include "engine/history/disk.h"

/* Sums of scores had thousandths; here every score is a whole number of them. */
static void sum_as_before(struct cell *cell)
{
    assert_int_equal(cell->scalars[SCALAR_SCORE_MILLIONTHS] % 1000, 0);
    cell->scalars[SCALAR_SCORE_THOUSANDTHS] = cell->scalars[SCALAR_SCORE_MILLIONTHS] / 1000;
    cell->scalars[SCALAR_SCORE_MILLIONTHS] = 0;
}

/* The cells of a block as that release wrote them: all of a cell together, one frame a row. */
static void pack_as_before(struct row_cells cells, const struct layouts *layouts,
                           struct packer *packer, struct buffer *out)
{
    struct buffer plain;
    buffer_init(&plain, 1u << 24);
    buffer_reset(out);
    while (cells.n > 0) {
        struct packed_cell packed;
        assert_true(row_next(&cells, &packed));
        struct cell cell = {.labels = packed.labels, .layout = layouts_get(layouts, packed.layout)};
        assert_true(cell_unpack(&cell, &packed, SECTION_ALL, ALL_COLUMNS));
        sum_as_before(&cell);
        cell_encode(&cell, SECTION_ALL, &plain);
        cell_free(&cell);
    }
    assert_true(packer_pack(packer, buffer_slice(&plain), out));
    buffer_free(&plain);
}

/* The row at `start_s`, if there is one, becomes a row for each of its blocks. */
static void store_as_before(struct disk *disk, const struct layouts *layouts, struct db *db,
                            int shelf, int64_t start_s)
{
    struct row *row = row_create();
    struct packer *packer = packer_create();
    struct db_stmt *put;
    struct error error;
    struct buffer bytes;
    char sql[100];
    buffer_init(&bytes, 1u << 24);
    assert_int_equal(disk_read_row(disk, (enum shelf)shelf, start_s, row, &error), STATUS_OK);
    snprintf(sql, sizeof sql, "DELETE FROM piece%d WHERE start_s = %lld", shelf,
             (long long)start_s);
    assert_int_equal(db_exec(db, sql, &error), STATUS_OK);
    snprintf(sql, sizeof sql, "INSERT INTO piece%d VALUES (?1, ?2)", shelf);
    assert_int_equal(db_prepare(db, sql, &put, &error), STATUS_OK);
    for (size_t i = 0; i < row_size(row); i++) {
        pack_as_before(row_block(row, i), layouts, packer, &bytes);
        db_bind_int(put, 1, start_s + row_index(row, i) * shelf_shapes[shelf].width_s);
        db_bind_blob(put, 2, buffer_slice(&bytes));
        assert_int_equal(db_run(put, &error), STATUS_OK);
    }
    db_finish(put);
    buffer_free(&bytes);
    packer_destroy(packer);
    row_destroy(row);
}

/* Nobody has the file open. */
static void make_file_an_earlier_one(void)
{
    struct labels *labels = labels_create();
    struct layouts layouts = {0};
    struct disk_state disk_state;
    struct disk *disk;
    struct db *db;
    struct error error;
    assert_int_equal(disk_open(path, false, &disk, &error), STATUS_OK);
    assert_int_equal(disk_load(disk, labels, &layouts, &disk_state, &error), STATUS_OK);
    assert_int_equal(db_open(path, DB_WRITE, DB_SYNC_OFF, &db, &error), STATUS_OK);
    for (int shelf = 0; shelf < SHELVES; shelf++) {
        int64_t row_s = shelf_shapes[shelf].row_s;
        for (int64_t start_s = T0_S - 3 * 3600; start_s < T0_S + SPAN_S; start_s += row_s)
            store_as_before(disk, &layouts, db, shelf, start_s);
    }
    assert_int_equal(db_exec(db, "PRAGMA user_version=2", &error), STATUS_OK);
    disk_close(disk);
    db_close(db);
    for (int i = 0; i < layouts.n; i++)
        layout_destroy(layouts.list[i]);
    labels_destroy(labels);
}

static int64_t number_of(const char *sql)
{
    struct db *db;
    struct db_stmt *stmt;
    struct error error;
    assert_int_equal(db_open(path, DB_READ, DB_SYNC_OFF, &db, &error), STATUS_OK);
    assert_int_equal(db_prepare(db, sql, &stmt, &error), STATUS_OK);
    assert_int_equal(db_step(stmt, &error), STATUS_OK);
    int64_t number = db_int(stmt, 0);
    db_finish(stmt);
    db_close(db);
    return number;
}

/* Over four hours, of which the first half may be of the earlier release and the other of this one.
 */
static void check_mean_score(struct history_store *history)
{
    int64_t to_s = T0_S + 4 * 3600;
    double sum = 0;
    int n = 0;
    for (int i = 0; i < N_EVENTS; i++) {
        if (all[i].event_us >= T0 && all[i].event_us < to_s * US_PER_S) {
            sum += (double)all[i].score;
            n++;
        }
    }
    assert_true(n > N_EVENTS / 2);
    assert_true(fabs(value_at(history, "score_mean", T0_S, to_s) - sum / n) < 1e-6);
}

static void a_file_of_an_earlier_release_is_read_as_it_is(void **state)
{
    (void)state;
    history_destroy(fill());
    int64_t rows = number_of("SELECT count(*) FROM piece0");
    make_file_an_earlier_one();
    assert_true(number_of("SELECT count(*) FROM piece0") > 10 * rows);
    struct history_store *history = create(LIMIT_US);
    check_many(history);
    check_mean_score(history);
    history_destroy(history);
}

/* Late events come to minutes that the earlier release wrote. */
static void a_file_of_an_earlier_release_goes_on(void **state)
{
    (void)state;
    unlink(path);
    struct history_store *history = create(LIMIT_US);
    history_begin(history, T0);
    tell_range(history, 0, N_EVENTS / 2);
    history_destroy(history);
    make_file_an_earlier_one();
    history = create(LIMIT_US);
    history_begin(history, all[N_EVENTS / 2 - 1].at_us);
    tell_range(history, N_EVENTS / 2, N_EVENTS);
    check_many(history);
    check_mean_score(history);
    history_destroy(history);
    assert_int_equal(number_of("PRAGMA user_version"), 3);
    /* Half an hour that was written again is one row. */
    assert_int_equal(number_of("SELECT count(*) FROM piece1 WHERE start_s >= 1533088800 AND "
                               "start_s < 1533088800 + 1800"),
                     1);
    history = create(LIMIT_US);
    check_many(history);
    check_mean_score(history);
    history_destroy(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_of_an_earlier_release_is_read_as_it_is),
        cmocka_unit_test(a_file_of_an_earlier_release_goes_on),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
