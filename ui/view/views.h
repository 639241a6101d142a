/* The views there are, for both screens: one row each. A view more is a row here and one drawing
 * function a screen. */
#ifndef BINNACLE_VIEW_VIEWS_H
#define BINNACLE_VIEW_VIEWS_H

#include <stddef.h>

enum view_id {
    VIEW_NOW,
    VIEW_SLO,
    VIEW_TRAFFIC,
    VIEW_DRIFT,
    VIEW_QUALITY,
    VIEW_DECISIONS,
    VIEW_LOGS,
    VIEW_SETTINGS,
    VIEW_HELP,
    VIEW_OWN,
    VIEW_COUNT
};

struct view_entry {
    const char *id; /* in URLs, `:id` and --screen: "slo" */
    char key; /* on the terminal '1' to '9' and '0'; in the browser after g, its first letter */
    const char *title;   /* "SLO" */
    const char *answers; /* what a person finds there, for help and titles */
};

/* In order of enum view_id; VIEW_COUNT rows. */
extern const struct view_entry view_entries[VIEW_COUNT];

/* The view that a typed word means: its id, or the beginning of just one; -1 when there is none, -2
 * when there are several. */
int view_find(const char *word);

#endif
