/* Calls to a running binnacle. One thread per call. */
#include "app/remote.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/http.h"
#include "engine/base/json.h"

#define TIMEOUT_MS 10000

enum status remote_call(const char *url, const char *method, const char *path,
                        const char *authorization, struct slice body, int *code,
                        struct buffer *reply, struct error *error)
{
    char whole[1024];
    const char *const headers[] = {"Content-Type: application/json", authorization, NULL};
    size_t length = strlen(url);
    while (length > 0 && url[length - 1] == '/')
        length--;
    snprintf(whole, sizeof whole, "%.*s%s", (int)length, url, path);
    struct http_call request = {
        .method = method, .url = whole, .headers = headers, .body = body, .timeout_ms = TIMEOUT_MS};
    enum status status = http_perform(&request, code, reply, NULL, error);
    if (status != STATUS_UNAVAILABLE || !error)
        return status;
    char said[sizeof error->message];
    memcpy(said, error->message, sizeof said);
    return error_set(error, status,
                     "%.300s; `binnacle run` must be listening there, --url says where", said);
}

enum status remote_refusal(const char *url, const char *path, int code, struct slice reply,
                           struct error *error)
{
    struct json *problem = NULL;
    const char *detail = "no reason given";
    if (json_parse(reply, &problem, NULL) == STATUS_OK)
        detail = json_as_text(json_get(problem, "detail"), detail);
    enum status status =
        error_set(error, STATUS_INVALID, "%s%s answered %d: %.300s", url, path, code, detail);
    json_destroy(problem);
    return status;
}

enum status remote_get(const char *url, const char *path, struct buffer *reply, struct error *error)
{
    int code;
    enum status status = remote_call(url, "GET", path, NULL, slice_of(""), &code, reply, error);
    if (status != STATUS_OK || code == 200)
        return status;
    return remote_refusal(url, path, code, buffer_slice(reply), error);
}
