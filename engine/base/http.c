/* One HTTP request and its answer, by libcurl's easy interface. A handle per call: the callers are
 * webhooks and the command line, a few requests a minute. Any thread.
 *
 * What comes back is another machine's: its body is cut at the reply buffer's maximum, its
 * redirects are reported and not followed, and only http and https are spoken. Error messages name
 * scheme, host and port but never the path, because a webhook's path is its password. */
#include "engine/base/http_priv.h"

#include <curl/curl.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

#define UNREAD_REPLY_MAXIMUM ((size_t)1 << 20) /* of a body nobody asked for */

struct reply {
    struct buffer *out; /* may be NULL: the body is read and dropped */
    size_t dropped;
    bool cut;
};

/* libcurl wants this once per process, before any handle. It only fails for lack of memory, which
 * curl_easy_init then reports. */
static void initialise(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

void http_library_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, initialise);
}

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
    struct reply *reply = context;
    size_t bytes = size * count;
    if (!reply->out) {
        reply->dropped += bytes;
        reply->cut = reply->dropped > UNREAD_REPLY_MAXIMUM;
        return reply->cut ? 0 : bytes;
    }
    size_t room = reply->out->maximum - reply->out->size;
    reply->cut = bytes > room;
    if (!buffer_append(reply->out, data, reply->cut ? room : bytes))
        reply->cut = true;
    return reply->cut ? 0 : bytes;
}

static bool is_loopback(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
           strcmp(host, "[::1]") == 0;
}

enum status http_origin(const char *url, char origin[ORIGIN_SIZE], bool *loopback,
                        struct error *error)
{
    char *scheme = NULL, *host = NULL, *port = NULL;
    CURLU *parts = curl_url();
    if (!parts)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status = STATUS_OK;
    if (curl_url_set(parts, CURLUPART_URL, url, 0) ||
        curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) ||
        curl_url_get(parts, CURLUPART_HOST, &host, 0) ||
        curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT)) {
        status = error_set(error, STATUS_INVALID, "not a URL; write http://HOST:PORT/PATH");
        goto out;
    }
    if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0) {
        status = error_set(error, STATUS_INVALID, "%.16s:// is not spoken; use http:// or https://",
                           scheme);
        goto out;
    }
    snprintf(origin, ORIGIN_SIZE, "%s://%.255s:%s", scheme, host, port);
    *loopback = is_loopback(host);
out:
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parts);
    return status;
}

static enum status add_header(struct curl_slist **list, const char *header, struct error *error)
{
    if (strpbrk(header, "\r\n"))
        return error_set(error, STATUS_INVALID, "a header line may not contain a line break");
    struct curl_slist *longer = curl_slist_append(*list, header);
    if (!longer)
        return error_set(error, STATUS_MEMORY, "out of memory");
    *list = longer;
    return STATUS_OK;
}

static enum status collect_headers(const struct http_call *call, struct curl_slist **list,
                                   struct error *error)
{
    /* Without this libcurl asks first for bodies over 1 MiB and waits a second for servers that
     * do not know the question. */
    enum status status = add_header(list, "Expect:", error);
    for (size_t i = 0; status == STATUS_OK && call->headers && call->headers[i]; i++)
        status = add_header(list, call->headers[i], error);
    return status;
}

static CURLcode set_method(CURL *curl, const struct http_call *call)
{
    if (strcmp(call->method, "GET") == 0 && call->body.size == 0)
        return curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    if (strcmp(call->method, "HEAD") == 0)
        return curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    CURLcode code =
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body.data ? call->body.data : "");
    if (!code)
        code = curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.size);
    return code ? code : curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
}

static CURLcode set_options(CURL *curl, const struct http_call *call, struct curl_slist *headers,
                            struct reply *reply, bool loopback)
{
    CURLcode code = set_method(curl, call);
#define SET(option, value) code = code ? code : curl_easy_setopt(curl, option, value)
    SET(CURLOPT_URL, call->url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
    SET(CURLOPT_NOSIGNAL, 1L); /* timeouts in threads, no SIGALRM */
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_USERAGENT, "binnacle/" BINNACLE_VERSION);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, reply);
    if (loopback)
        SET(CURLOPT_PROXY, ""); /* this machine is never behind a proxy */
#undef SET
    return code;
}

static enum status perform(CURL *curl, const struct http_call *call, const char *origin,
                           const struct reply *reply, int *code, int64_t *retry_after_s,
                           struct error *error)
{
    CURLcode result = curl_easy_perform(curl);
    long answered = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answered);
    if (result == CURLE_WRITE_ERROR && reply->cut && answered > 0)
        result = CURLE_OK; /* the answer is known; its body was longer than we keep */
    if (result != CURLE_OK) {
        enum status status = error_set(error, STATUS_UNAVAILABLE, "%s %s: %s", call->method, origin,
                                       curl_easy_strerror(result));
        if (error)
            error->retriable = true;
        return status;
    }
    *code = (int)answered;
    curl_off_t wait_s = 0;
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &wait_s);
    if (retry_after_s)
        *retry_after_s = wait_s > 0 ? (int64_t)wait_s : -1;
    return STATUS_OK;
}

enum status http_perform(const struct http_call *call, int *code, struct buffer *reply_body,
                         int64_t *retry_after_s, struct error *error)
{
    http_library_init();
    *code = 0;
    if (retry_after_s)
        *retry_after_s = -1;
    char origin[ORIGIN_SIZE];
    bool loopback = false;
    enum status status = http_origin(call->url, origin, &loopback, error);
    if (status != STATUS_OK)
        return status;
    struct reply reply = {.out = reply_body};
    struct curl_slist *headers = NULL;
    CURL *curl = curl_easy_init();
    if (!curl)
        return error_set(error, STATUS_MEMORY, "out of memory");
    status = collect_headers(call, &headers, error);
    if (status != STATUS_OK)
        goto out;
    CURLcode option = set_options(curl, call, headers, &reply, loopback);
    if (option != CURLE_OK) {
        status = error_set(error, STATUS_INVALID, "%s: %s", origin, curl_easy_strerror(option));
        goto out;
    }
    status = perform(curl, call, origin, &reply, code, retry_after_s, error);
    if (reply.cut && reply_body)
        reply_body->overflow = true;
out:
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return status;
}
