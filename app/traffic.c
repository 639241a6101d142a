/* `traffic` and `traffic set`: the split of a running binnacle, over its API. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/remote.h"
#include "engine/base/json.h"
#include "engine/base/secret.h"

#define REPLY_BYTES (1u << 20)
#define MAX_SPLIT   16

/* One arm of the running split. */
struct arm {
    char variant[16];
    char model[64];
    char version[64];
    double share_percent;
};

#define TRAFFIC_PATH "/api/v1/traffic"

static enum status call(const struct cli_args *args, const char *method, const char *authorization,
                        struct slice body, struct buffer *reply, struct error *error)
{
    int code;
    const char *url = cli_text(args, "url");
    enum status status =
        remote_call(url, method, TRAFFIC_PATH, authorization, body, &code, reply, error);
    if (status != STATUS_OK || code == 200)
        return status;
    return remote_refusal(url, TRAFFIC_PATH, code, buffer_slice(reply), error);
}

static enum status read_split(struct slice text, struct arm *arms, int *n, struct error *error)
{
    struct json *document;
    enum status status = json_parse(text, &document, error);
    if (status != STATUS_OK)
        return status;
    const struct json *list = json_get(document, "traffic");
    *n = 0;
    for (const struct json *item = list ? json_first(list) : NULL; item && *n < MAX_SPLIT;
         item = json_next(item)) {
        struct arm *arm = &arms[(*n)++];
        snprintf(arm->variant, sizeof arm->variant, "%s",
                 json_as_text(json_get(item, "variant"), ""));
        snprintf(arm->model, sizeof arm->model, "%s", json_as_text(json_get(item, "model"), ""));
        snprintf(arm->version, sizeof arm->version, "%s",
                 json_as_text(json_get(item, "version"), ""));
        arm->share_percent = json_as_number(json_get(item, "share"), 0);
    }
    json_destroy(document);
    return STATUS_OK;
}

static enum status get_split(const struct cli_args *args, struct buffer *reply, struct arm *arms,
                             int *n, struct error *error)
{
    enum status status = call(args, "GET", NULL, slice_of(""), reply, error);
    return status == STATUS_OK ? read_split(buffer_slice(reply), arms, n, error) : status;
}

static void print_split(const struct arm *arms, int n)
{
    for (int i = 0; i < n; i++)
        printf("%-9s %6.2f %%  %s %s\n", arms[i].variant, arms[i].share_percent, arms[i].model,
               arms[i].version);
}

int command_traffic_show(const struct cli_args *args)
{
    struct arm arms[MAX_SPLIT];
    int n;
    struct error error;
    struct buffer reply;
    buffer_init(&reply, REPLY_BYTES);
    enum status status = get_split(args, &reply, arms, &n, &error);
    if (status == STATUS_OK && cli_flag(args, "json"))
        printf(SLICE_FORMAT "\n", SLICE_ARGS(slice_trim(buffer_slice(&reply))));
    else if (status == STATUS_OK)
        print_split(arms, n);
    buffer_free(&reply);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}

/* ARM=SHARE, ARM being a variant, or MODEL@VERSION where a variant stands more than once. */
static int change_split(const struct cli_args *args, struct arm *arms, int n)
{
    for (int i = 0; i < cli_n_arguments(args); i++) {
        const char *text = cli_argument(args, i), *equals = strchr(text, '=');
        char *end = NULL;
        double share = equals ? strtod(equals + 1, &end) : -1;
        if (!equals || end == equals + 1 || *end != '\0' || !(share >= 0 && share <= 100))
            return cli_usage(args, "'%s' is not ARM=SHARE with a share from 0 to 100", text);
        int found = 0;
        for (int j = 0; j < n; j++) {
            char full[160];
            snprintf(full, sizeof full, "%s@%s", arms[j].model, arms[j].version);
            size_t length = (size_t)(equals - text);
            bool same =
                (strlen(full) == length && strncmp(full, text, length) == 0) ||
                (strlen(arms[j].variant) == length && strncmp(arms[j].variant, text, length) == 0);
            if (same)
                arms[j].share_percent = share;
            found += same;
        }
        if (found != 1)
            return cli_usage(
                args, "'%.*s' is %s; `binnacle traffic` lists the arms", (int)(equals - text), text,
                found ? "more than one arm: name it as MODEL@VERSION" : "no arm of the split");
    }
    return EXIT_DONE;
}

/* The champion takes what is left, so its share is not sent. */
static void split_json(const struct arm *arms, int n, const char *reason, struct buffer *out)
{
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    json_array(&json, "traffic");
    for (int i = 0; i < n; i++) {
        bool champion = strcmp(arms[i].variant, "champion") == 0;
        json_object(&json, NULL);
        json_text(&json, "variant", arms[i].variant);
        json_text(&json, "model", arms[i].model);
        json_text(&json, "version", arms[i].version);
        if (!champion)
            json_number(&json, "share", arms[i].share_percent);
        json_object_end(&json);
    }
    json_array_end(&json);
    if (reason)
        json_text(&json, "reason", reason);
    json_object_end(&json);
}

int command_traffic_set(const struct cli_args *args)
{
    struct arm arms[MAX_SPLIT];
    int n = 0, code = EXIT_DONE;
    char authorization[SECRET_BEARER_SIZE] = "";
    struct error error;
    struct buffer reply, body;
    buffer_init(&reply, REPLY_BYTES);
    buffer_init(&body, REPLY_BYTES);
    enum status status = STATUS_OK;
    if (cli_has(args, "token"))
        status = secret_bearer(cli_text(args, "token"), authorization, &error);
    if (status == STATUS_OK)
        status = get_split(args, &reply, arms, &n, &error);
    if (status == STATUS_OK)
        code = change_split(args, arms, n);
    if (status == STATUS_OK && code == EXIT_DONE) {
        split_json(arms, n, cli_text(args, "reason"), &body);
        buffer_reset(&reply);
        status = call(args, "PUT", authorization[0] ? authorization : NULL, buffer_slice(&body),
                      &reply, &error);
    }
    if (status == STATUS_OK && code == EXIT_DONE)
        status = read_split(buffer_slice(&reply), arms, &n, &error);
    if (status == STATUS_OK && code == EXIT_DONE)
        print_split(arms, n);
    buffer_free(&body);
    buffer_free(&reply);
    if (status != STATUS_OK)
        return cli_fail(args, &error);
    return code;
}
