/* `run --demo`: everything embedded. Puts the configuration into a state folder of the user's and
 * trains a model there, once. */
#ifndef BINNACLE_APP_DEMO_H
#define BINNACLE_APP_DEMO_H

#include "engine/base/status.h"

/* Paths are owned by the struct. */
struct demo {
    char *folder; /* $XDG_STATE_HOME/binnacle/demo, by default under ~/.local/state */
    char *config; /* its configuration folder, rewritten at each start */
    char *model;
    char *canary; /* a model that gets no traffic until somebody gives it some */
    char *ledger;
};

/* Makes what is not there yet; training takes a few seconds and says so on stderr. */
MUST_USE enum status demo_prepare(struct demo *demo, struct error *error);
void demo_free(struct demo *demo);

/* Writes the demo's configuration into a folder that is there. */
MUST_USE enum status demo_write_config(const char *folder, struct error *error);

#endif
