/* --head FILE and --public-key FILE: what somebody kept elsewhere to check a ledger with. */
#ifndef BINNACLE_APP_KEPT_HEADS_H
#define BINNACLE_APP_KEPT_HEADS_H

#include <stdbool.h>
#include <stddef.h>

#include "app/cli.h"
#include "engine/record/head.h"

struct kept_heads {
    struct signed_head *heads;
    size_t n, capacity;
    bool has_key;
    uint8_t public_key[PUBLIC_KEY_SIZE];
};

/* Of the options that are given; neither is an error. To be freed in any case. */
MUST_USE enum status kept_heads_read(const struct cli_args *args, struct kept_heads *kept,
                                     struct error *error);
void kept_heads_free(struct kept_heads *kept);

#endif
