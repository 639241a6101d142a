/* The configuration as it is in effect, for the screens. */
#ifndef BINNACLE_APP_SETTINGS_H
#define BINNACLE_APP_SETTINGS_H

#include "app/config.h"
#include "engine/base/buffer.h"

/* What the command line gave instead of a key's configured value. */
struct settings_given {
    const char *key;    /* "listen" */
    const char *option; /* "--listen" */
    const char *value;  /* NULL: it was not given */
};

/* Appends {"folder","settings":[{"key","value","from","file","line","column","secret","help"}]}:
 * every value of binnacle.yaml, of the contract, the feature views and the rules with the place
 * where it stands (`from` "file"), then the keys that nobody set with their defaults ("default").
 * Those of `given` (ended by a NULL key) that were given stand in the place of what a file says
 * ("command line"). Values that are secrets are null with "secret" true; addresses lose the
 * password and, where their path is one, the path. Files are read again: one that cannot be is left
 * out. Any thread. */
void settings_json(const struct config *config, const struct settings_given *given,
                   struct buffer *out);

#endif
