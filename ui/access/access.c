/* Bearer tokens (RFC 6750) from a file. A token is compared by its SHA-256 digest, with every entry
 * of the file, so that neither length nor place of a near miss shows in the time taken. */
#include "ui/access/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "engine/base/crypto.h"
#include "engine/base/input.h"

#define MAX_TOKENS     256
#define MIN_TOKEN_SIZE 16
#define MAX_LINE       ((size_t)1024)

struct token {
    char name[ACCESS_NAME_SIZE];
    uint8_t digest[SHA256_SIZE];
};

struct access {
    bool required;
    size_t n_tokens;
    struct token tokens[MAX_TOKENS];
};

static enum status digest_of(struct slice token, uint8_t digest[SHA256_SIZE])
{
    return crypto_sha256(token, slice_make(NULL, 0), slice_make(NULL, 0), digest);
}

static enum status check_mode(const char *path, struct error *error)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return error_set(error, STATUS_NOT_FOUND, "%s: there is no such token file", path);
    if (about.st_mode & 077)
        return error_set(error, STATUS_DENIED, "%s: others can read the tokens; chmod 600 it",
                         path);
    return STATUS_OK;
}

/* One line: NAME TOKEN, blank, or a comment. */
static enum status read_line(struct access *access, const char *path, long long number,
                             struct slice line, struct error *error)
{
    line = slice_trim(line);
    if (line.size == 0 || line.data[0] == '#')
        return STATUS_OK;
    const char *gap = memchr(line.data, ' ', line.size);
    size_t name_size = gap ? (size_t)(gap - line.data) : line.size;
    struct slice token = slice_trim(slice_make(line.data + name_size, line.size - name_size));
    if (name_size >= ACCESS_NAME_SIZE || token.size < MIN_TOKEN_SIZE ||
        memchr(token.data, ' ', token.size))
        return error_set(error, STATUS_INVALID,
                         "%s:%lld: write NAME TOKEN with a token of at least %d characters", path,
                         number, MIN_TOKEN_SIZE);
    if (access->n_tokens == MAX_TOKENS)
        return error_set(error, STATUS_FULL, "%s: more than %d tokens", path, MAX_TOKENS);
    struct token *entry = &access->tokens[access->n_tokens];
    memcpy(entry->name, line.data, name_size);
    if (digest_of(token, entry->digest) != STATUS_OK)
        return error_set(error, STATUS_UNAVAILABLE, "SHA-256 is not available");
    access->n_tokens++;
    return STATUS_OK;
}

static enum status read_tokens(struct access *access, const char *path, struct error *error)
{
    enum status status = check_mode(path, error);
    if (status != STATUS_OK)
        return status;
    struct input *input = NULL;
    status = input_open(path, MAX_LINE, &input, error);
    if (status != STATUS_OK)
        return status;
    struct slice line;
    while ((status = input_line(input, &line, error)) == STATUS_OK) {
        status = read_line(access, path, (long long)input_line_number(input), line, error);
        if (status != STATUS_OK)
            break;
    }
    input_close(input);
    if (status != STATUS_END)
        return status;
    if (access->n_tokens == 0)
        return error_set(error, STATUS_INVALID, "%s: it holds no token", path);
    return STATUS_OK;
}

enum status access_create(const char *token_file, struct access **out, struct error *error)
{
    struct access *access = calloc(1, sizeof *access);
    if (!access)
        return error_set(error, STATUS_MEMORY, "out of memory");
    access->required = token_file != NULL;
    enum status status = token_file ? read_tokens(access, token_file, error) : STATUS_OK;
    if (status != STATUS_OK) {
        free(access);
        return status;
    }
    *out = access;
    return STATUS_OK;
}

void access_destroy(struct access *access)
{
    free(access);
}

static struct slice bearer(const char *authorization)
{
    if (!authorization || strncasecmp(authorization, "Bearer ", 7) != 0)
        return slice_make(NULL, 0);
    return slice_trim(slice_of(authorization + 7));
}

static const struct token *find(const struct access *access, struct slice token)
{
    uint8_t digest[SHA256_SIZE];
    const struct token *found = NULL;
    if (token.size == 0 || digest_of(token, digest) != STATUS_OK)
        return NULL;
    for (size_t i = 0; i < access->n_tokens; i++) {
        if (crypto_equal(digest, access->tokens[i].digest, sizeof digest))
            found = &access->tokens[i];
    }
    return found;
}

void access_check(const struct access *access, const struct access_request *request,
                  struct access_answer *answer)
{
    *answer = (struct access_answer){.allowed = true, .status = 200, .reason = ""};
    const struct token *token = find(access, bearer(request->authorization));
    snprintf(answer->actor, sizeof answer->actor, "%s",
             token              ? token->name
             : access->required ? "anonymous"
                                : "local");
    if (!access->required || !request->changes_state || token)
        return;
    answer->allowed = false;
    answer->status = 401;
    answer->reason = request->authorization
                         ? "this token is not one of those in the token file"
                         : "changing state here needs a token: Authorization: Bearer TOKEN";
}
