/* Reads the ledger's key and computes one pseudonym with it. */
#include "app/entity.h"

#include <stdio.h>

#include "engine/base/crypto.h"

enum status entity_pseudonym(const char *ledger_dir, struct slice entity, char out[PSEUDONYM_SIZE],
                             struct error *error)
{
    char path[4096];
    uint8_t key[KEY_SIZE];
    struct pseudonyms *pseudonyms = NULL;
    snprintf(path, sizeof path, "%s/keys/pseudonym.key", ledger_dir);
    enum status status = crypto_key_file(path, false, key, error);
    if (status == STATUS_OK)
        status = pseudonyms_create(key, 16, NULL, NULL, &pseudonyms, error);
    if (status == STATUS_OK)
        status = pseudonym_of(pseudonyms, entity, out);
    pseudonyms_destroy(pseudonyms);
    return status;
}
