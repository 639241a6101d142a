/* Pictures that were seen, to go back to; a file of what was seen; and such a file as a source of
 * pictures and documents. The drawing thread's. */
#ifndef BINNACLE_TUI_TAPE_H
#define BINNACLE_TUI_TAPE_H

#include "engine/observe/snapshot.h"
#include "ui/tui/feed.h"

/* ---- the newest pictures, and a thinning choice of older ones ---- */
#define TAPE_PICTURES 64
struct tape {
    const struct snapshot *pictures[TAPE_PICTURES]; /* acquired; oldest first */
    int n;
};
/* Keeps it (a reference is taken) unless it is the newest already. */
void tape_add(struct tape *tape, struct snapshot_board *board);
void tape_free(struct tape *tape);
/* The index of the newest picture that is not later than time_us; -1: all are. */
int tape_find(const struct tape *tape, int64_t time_us);

/* ---- recording ---- */
struct recorder;
/* A new file (STATUS_IO when there is one of that name), of mode 0600, with a line
 * {"at","target","code","body"} for each document that came. One thread. */
MUST_USE enum status recorder_create(const char *path, struct recorder **recorder,
                                     struct error *error);
void recorder_note(struct recorder *recorder, const struct feed_arrival *arrival);
/* A picture of this very process. */
void recorder_note_snapshot(struct recorder *recorder, const struct snapshot *snapshot);
/* STATUS_IO when something could not be written. A file without a line goes. */
MUST_USE enum status recorder_close(struct recorder *recorder, struct error *error);

/* ---- playing ---- */
struct player;
MUST_USE enum status player_create(const char *path, struct player **player, struct error *error);
void player_destroy(struct player *player); /* NULL is ignored */
/* The source of its documents: those that had come by the picture that is shown. */
struct feed_source player_source(struct player *player);
/* The last line was not whole and is left out. */
bool player_is_cut(const struct player *player);
int player_pictures(const struct player *player);
/* Reads picture `index` into *snapshot. */
MUST_USE enum status player_picture(struct player *player, int index, struct snapshot *snapshot,
                                    struct error *error);

#endif
