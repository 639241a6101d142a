/* Who may do what: one policy that every route, command and screen asks. */
#ifndef BINNACLE_ACCESS_ACCESS_H
#define BINNACLE_ACCESS_ACCESS_H

#include <stdbool.h>

#include "engine/base/slice.h"
#include "engine/base/status.h"

#define ACCESS_NAME_SIZE 64

struct access; /* immutable: any thread may ask */

/* `token_file` holds a line `NAME TOKEN` for each caller, `#` begins a comment; tokens have at
 * least 16 characters and the file must not be readable by others (mode 0600). NULL: no tokens are
 * asked for. Only digests of the tokens stay in memory. */
MUST_USE enum status access_create(const char *token_file, struct access **access,
                                   struct error *error);
void access_destroy(struct access *access); /* NULL is ignored */

/* What is known of a request. Where it comes from (Host, Origin) was judged before it got here. */
struct access_request {
    bool changes_state;
    const char *authorization; /* the header's value, or NULL */
};

struct access_answer {
    bool allowed;
    int status;                   /* of the HTTP answer when not: 401 */
    const char *reason;           /* for a person; static */
    char actor[ACCESS_NAME_SIZE]; /* who it is: the token's name, "local" without tokens */
};

/* Reading needs no token; changing state does when there are tokens. Takes the same time for every
 * wrong token. */
void access_check(const struct access *access, const struct access_request *request,
                  struct access_answer *answer);

#endif
