/* A row an incident in SQLite; its explanation is the JSON that the API answers with. */
#include "engine/record/incident_list.h"

#include <stdlib.h>

#include "engine/base/db.h"

static const char *const steps[] = {
    "CREATE TABLE incidents(opened_us INTEGER PRIMARY KEY, closed_us INTEGER NOT NULL,"
    " triggers TEXT NOT NULL, explanation TEXT NOT NULL);",
};

enum { PUT, PRUNE, READ, STATEMENTS };
static const char *const sql[STATEMENTS] = {
    [PUT] = "INSERT INTO incidents(opened_us, closed_us, triggers, explanation)"
            " VALUES(?1, ?2, ?3, ?4) ON CONFLICT(opened_us) DO UPDATE SET"
            " closed_us = excluded.closed_us, triggers = excluded.triggers,"
            " explanation = excluded.explanation",
    [PRUNE] = "DELETE FROM incidents WHERE opened_us NOT IN"
              " (SELECT opened_us FROM incidents ORDER BY opened_us DESC LIMIT ?1)",
    [READ] = "SELECT opened_us, closed_us, triggers, explanation FROM"
             " (SELECT * FROM incidents ORDER BY opened_us DESC LIMIT ?1) ORDER BY opened_us",
};

struct incident_list {
    struct db *db;
    struct db_stmt *statements[STATEMENTS];
};

enum status incident_list_open(const char *path, struct incident_list **list, struct error *error)
{
    *list = NULL;
    struct incident_list *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status =
        db_open(path ? path : ":memory:", DB_WRITE, DB_SYNC_NORMAL, &made->db, error);
    if (status == STATUS_OK)
        status = db_migrate(made->db, steps, (int)(sizeof steps / sizeof *steps), error);
    for (int i = 0; i < STATEMENTS && status == STATUS_OK; i++)
        status = db_prepare(made->db, sql[i], &made->statements[i], error);
    if (status != STATUS_OK) {
        incident_list_close(made);
        return status;
    }
    *list = made;
    return STATUS_OK;
}

void incident_list_close(struct incident_list *list)
{
    if (!list)
        return;
    for (int i = 0; i < STATEMENTS; i++)
        db_finish(list->statements[i]);
    db_close(list->db);
    free(list);
}

enum status incident_list_put(struct incident_list *list, const struct incident_row *row,
                              struct error *error)
{
    struct db_stmt *put = list->statements[PUT], *prune = list->statements[PRUNE];
    db_bind_int(put, 1, row->opened_us);
    db_bind_int(put, 2, row->closed_us);
    db_bind_text(put, 3, row->triggers);
    db_bind_text(put, 4, row->explanation);
    enum status status = db_run(put, error);
    if (status != STATUS_OK)
        return status;
    db_bind_int(prune, 1, INCIDENTS_KEPT);
    return db_run(prune, error);
}

enum status incident_list_read(struct incident_list *list, size_t most,
                               void (*each)(void *context, const struct incident_row *row),
                               void *context, struct error *error)
{
    struct db_stmt *read = list->statements[READ];
    enum status status;
    db_bind_int(read, 1, (int64_t)most);
    while ((status = db_step(read, error)) == STATUS_OK) {
        struct incident_row row = {db_int(read, 0), db_int(read, 1), db_text(read, 2),
                                   db_text(read, 3)};
        each(context, &row);
    }
    db_reset(read);
    return status == STATUS_END ? STATUS_OK : status;
}
