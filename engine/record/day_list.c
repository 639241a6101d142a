/* The days of the folder and those of tiers.db, in one list. */
#include "engine/record/day_list.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/record/reader_priv.h"
#include "engine/record/tiers_priv.h"

static enum status look_at_live(struct reader *reader, size_t i, struct tier_day *day,
                                struct error *error)
{
    char path[PATH_SIZE];
    struct stat about;
    struct day_head head;
    enum status status = reader_day_head(reader, i, &head, error);
    if (status != STATUS_OK)
        return status;
    *day = (struct tier_day){.day = reader->days[i],
                             .tier = TIER_LIVE,
                             .first_index = head.first_index,
                             .tree_size = head.tree_size,
                             .seal_index = -1,
                             .delete_index = -1};
    memcpy(day->root, head.root, SHA256_SIZE);
    if (day_path(path, reader->dir, day->day) && stat(path, &about) == 0)
        day->plain.bytes = about.st_size;
    return STATUS_OK;
}

static enum status fill(struct reader *reader, struct tier_day *days, size_t *n,
                        struct error *error)
{
    enum status status = STATUS_OK;
    size_t i = 0;
    for (; i < tiers_count(reader->tiers) && tiers_at(reader->tiers, i)->tier == TIER_DELETED; i++)
        days[(*n)++] = *tiers_at(reader->tiers, i);
    for (i = 0; i < reader->n_days && status == STATUS_OK; i++) {
        const struct tier_day *sealed = reader_sealed(reader, i);
        if (sealed)
            days[*n] = *sealed;
        else
            status = look_at_live(reader, i, &days[*n], error);
        *n += status == STATUS_OK;
        if (status == STATUS_NOT_FOUND)
            status = STATUS_OK;
    }
    return status;
}

enum status ledger_days(const char *dir, struct tier_day **days, size_t *n, struct error *error)
{
    struct reader *reader = NULL;
    *days = NULL;
    *n = 0;
    enum status status = reader_open(dir, &reader, error);
    if (status != STATUS_OK)
        return status;
    *days = calloc(reader->n_days + tiers_count(reader->tiers) + 1, sizeof **days);
    status =
        *days ? fill(reader, *days, n, error) : error_set(error, STATUS_MEMORY, "out of memory");
    reader_close(reader);
    if (status != STATUS_OK) {
        free(*days);
        *days = NULL;
    }
    return status;
}
