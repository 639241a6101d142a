/* S3 by libcurl, which signs (AWS Signature Version 4; "Authenticating Requests", Amazon S3 API
 * reference). A handle per request: requests are few and large. The payload's SHA-256 is given
 * beforehand, so that a body is streamed from or to a file and the signature covers it. */
#include "engine/base/object_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <curl/curl.h>

#include "engine/base/file.h"
#include "engine/base/http_priv.h"

#define CONNECT_TIMEOUT_MS 5000L
#define SLOW_BYTES_PER_S   1024L
#define SLOW_FOR_S         20L
#define SHORT_TIMEOUT_MS   20000L /* of requests without a body */
#define EMPTY_SHA256       "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define PROBLEM_BYTES      1024

/* One request. */
struct exchange {
    const struct object_store *store;
    const char *method, *name;
    const char *path; /* the file that is sent or written; NULL: none */
    int fd;           /* of it; -1: not open */
    CURL *curl;
    struct curl_slist *headers;
    char url[1024], signing[128], user[520], origin[ORIGIN_SIZE];
    bool loopback;
    /* what comes back */
    struct crypto_sum *sum; /* NULL: not wanted */
    int64_t bytes, max_bytes;
    bool too_long, disk_failed;
    int disk_error;
    char problem[PROBLEM_BYTES]; /* the store's own words */
    size_t n_problem;
};

static bool all_of(const char *text, const char *allowed)
{
    return text[0] != '\0' && text[strspn(text, allowed)] == '\0';
}

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

enum status object_store_check(const struct object_store *store, struct error *error)
{
    const char *host = strstr(store->endpoint, "://");
    if (!host ||
        (strncmp(store->endpoint, "http://", 7) != 0 &&
         strncmp(store->endpoint, "https://", 8) != 0) ||
        strpbrk(host + 3, "/?#@ ") || host[3] == '\0')
        return error_set(error, STATUS_INVALID,
                         "endpoint: \"%.100s\" is not http://HOST:PORT or https://HOST",
                         store->endpoint);
    if (!all_of(store->bucket, NAME_CHARACTERS))
        return error_set(error, STATUS_INVALID, "bucket: \"%.60s\" is no bucket's name",
                         store->bucket);
    if (!all_of(store->region, NAME_CHARACTERS))
        return error_set(error, STATUS_INVALID, "region: \"%.60s\" is no region's name",
                         store->region);
    return STATUS_OK;
}

/* ---- bodies ---- */

static size_t send_body(char *data, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    ssize_t n = read(exchange->fd, data, size * count);
    if (n < 0) {
        exchange->disk_failed = true;
        exchange->disk_error = errno;
        return CURL_READFUNC_ABORT;
    }
    return (size_t)n;
}

/* An answer of 200 is the object; of any other, the store's reason. */
static size_t take_body(char *data, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    size_t n = size * count;
    long code = 0;
    curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &code);
    if (code != 200 || !exchange->sum) {
        size_t room = PROBLEM_BYTES - 1 - exchange->n_problem, kept = n < room ? n : room;
        memcpy(exchange->problem + exchange->n_problem, data, kept);
        exchange->n_problem += kept;
        return n;
    }
    exchange->bytes += (int64_t)n;
    exchange->too_long = exchange->bytes > exchange->max_bytes;
    if (exchange->too_long)
        return 0;
    if (exchange->fd >= 0 && !file_write_all(exchange->fd, data, n)) {
        exchange->disk_failed = true;
        exchange->disk_error = errno;
        return 0;
    }
    crypto_sum_add(exchange->sum, data, n);
    return n;
}

/* ---- one request ---- */

static enum status add_header(struct exchange *exchange, const char *name, const char *value,
                              struct error *error)
{
    char line[2200];
    snprintf(line, sizeof line, "%s: %s", name, value);
    if (strpbrk(line, "\r\n"))
        return error_set(error, STATUS_INVALID, "%s may not contain a line break", name);
    struct curl_slist *longer = curl_slist_append(exchange->headers, line);
    if (!longer)
        return error_set(error, STATUS_MEMORY, "out of memory");
    exchange->headers = longer;
    return STATUS_OK;
}

static enum status add_headers(struct exchange *exchange, const char *sha256, struct error *error)
{
    enum status status = add_header(exchange, "x-amz-content-sha256", sha256, error);
    if (status == STATUS_OK && exchange->store->token[0])
        status = add_header(exchange, "x-amz-security-token", exchange->store->token, error);
    return status;
}

static CURLcode set_options(struct exchange *exchange, int64_t body_bytes)
{
    CURL *curl = exchange->curl;
    CURLcode code = CURLE_OK;
#define SET(option, value) code = code ? code : curl_easy_setopt(curl, option, value)
    SET(CURLOPT_URL, exchange->url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_AWS_SIGV4, exchange->signing);
    SET(CURLOPT_USERPWD, exchange->user);
    SET(CURLOPT_HTTPHEADER, exchange->headers);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_USERAGENT, "binnacle/" BINNACLE_VERSION);
    SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    SET(CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES_PER_S);
    SET(CURLOPT_LOW_SPEED_TIME, SLOW_FOR_S);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, exchange);
    if (exchange->loopback)
        SET(CURLOPT_PROXY, "");
    if (body_bytes >= 0) {
        SET(CURLOPT_UPLOAD, 1L);
        SET(CURLOPT_READFUNCTION, send_body);
        SET(CURLOPT_READDATA, exchange);
        SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)body_bytes);
    } else if (!exchange->sum) {
        SET(CURLOPT_TIMEOUT_MS, SHORT_TIMEOUT_MS);
        SET(CURLOPT_CUSTOMREQUEST, exchange->method);
    }
#undef SET
    return code;
}

/* The text of <Code> in the store's answer. */
static void read_code(const struct exchange *exchange, char out[64])
{
    const char *begin = strstr(exchange->problem, "<Code>");
    const char *end = begin ? strstr(begin, "</Code>") : NULL;
    snprintf(out, 64, "%.*s", end ? (int)(end - begin - 6) : 0, begin ? begin + 6 : "");
    for (char *at = out; *at; at++)
        if (!strchr(NAME_CHARACTERS, *at))
            *at = '?';
}

static enum status judge(const struct exchange *exchange, struct error *error)
{
    char reason[64];
    long code = 0;
    curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &code);
    if (code >= 200 && code < 300)
        return STATUS_OK;
    enum status status = code == 404                  ? STATUS_NOT_FOUND
                         : code == 401 || code == 403 ? STATUS_DENIED
                         : code == 429 || code >= 500 ? STATUS_UNAVAILABLE
                                                      : STATUS_INVALID;
    read_code(exchange, reason);
    error_set(error, status, "%s/%s: %s of %s is answered with %ld%s%s", exchange->origin,
              exchange->store->bucket, exchange->method, exchange->name, code, reason[0] ? " " : "",
              reason);
    if (error)
        error->retriable = status == STATUS_UNAVAILABLE;
    return status;
}

static enum status perform(struct exchange *exchange, struct error *error)
{
    CURLcode result = curl_easy_perform(exchange->curl);
    if (exchange->disk_failed)
        return error_set(error, STATUS_IO, "%s: %s", exchange->path,
                         strerror(exchange->disk_error));
    if (exchange->too_long)
        return error_set(error, STATUS_CORRUPT, "%s/%s: %s is longer than what was put there",
                         exchange->origin, exchange->store->bucket, exchange->name);
    if (result == CURLE_OK)
        return judge(exchange, error);
    enum status status = error_set(error, STATUS_UNAVAILABLE, "%s/%s: %s of %s: %s",
                                   exchange->origin, exchange->store->bucket, exchange->method,
                                   exchange->name, curl_easy_strerror(result));
    if (error)
        error->retriable = true;
    return status;
}

static enum status prepare(struct exchange *exchange, const char *sha256, int64_t body_bytes,
                           struct error *error)
{
    const struct object_store *store = exchange->store;
    enum status status = object_store_check(store, error);
    if (status == STATUS_OK && !all_of(exchange->name, NAME_CHARACTERS "/"))
        status =
            error_set(error, STATUS_INVALID, "\"%.100s\": not a name of an object", exchange->name);
    int size = snprintf(exchange->url, sizeof exchange->url, "%s/%s/%s", store->endpoint,
                        store->bucket, exchange->name);
    if (status == STATUS_OK && size >= (int)sizeof exchange->url)
        status = error_set(error, STATUS_INVALID, "the address of an object is too long");
    if (status == STATUS_OK)
        status = http_origin(exchange->url, exchange->origin, &exchange->loopback, error);
    snprintf(exchange->signing, sizeof exchange->signing, "aws:amz:%s:s3", store->region);
    snprintf(exchange->user, sizeof exchange->user, "%s:%s", store->access_key, store->secret_key);
    if (status == STATUS_OK)
        status = add_headers(exchange, sha256, error);
    if (status != STATUS_OK)
        return status;
    exchange->curl = curl_easy_init();
    if (!exchange->curl)
        return error_set(error, STATUS_MEMORY, "out of memory");
    CURLcode code = set_options(exchange, body_bytes);
    return code == CURLE_OK ? STATUS_OK
                            : error_set(error, STATUS_INVALID, "%s: %s", exchange->origin,
                                        curl_easy_strerror(code));
}

static enum status run(struct exchange *exchange, const char *sha256, int64_t body_bytes,
                       struct error *error)
{
    http_library_init();
    enum status status = prepare(exchange, sha256, body_bytes, error);
    if (status == STATUS_OK)
        status = perform(exchange, error);
    curl_slist_free_all(exchange->headers);
    curl_easy_cleanup(exchange->curl);
    explicit_bzero(exchange->user, sizeof exchange->user);
    return status;
}

enum status object_put(const struct object_store *store, const char *name, const char *path,
                       const struct file_sum *sum, struct error *error)
{
    char sha256[2 * SHA256_SIZE + 1];
    struct exchange exchange = {.store = store, .method = "PUT", .name = name, .path = path};
    if (sum->bytes > OBJECT_MAX_BYTES)
        return error_set(error, STATUS_UNSUPPORTED,
                         "%s is larger than the 5 GiB that one object takes: it stays here", path);
    exchange.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (exchange.fd < 0)
        return error_set(error, STATUS_IO, "%s: %s", path, strerror(errno));
    enum status status =
        run(&exchange, hex_encode(sum->sha256, SHA256_SIZE, sha256), sum->bytes, error);
    close(exchange.fd);
    return status;
}

static enum status end_get(struct exchange *exchange, struct file_sum *sum, enum status status,
                           struct error *error)
{
    sum->bytes = exchange->bytes;
    enum status summed = crypto_sum_end(exchange->sum, sum->sha256);
    if (status == STATUS_OK && summed != STATUS_OK)
        status = error_set(error, summed, "cannot sum what was fetched");
    if (status == STATUS_OK && exchange->fd >= 0 && fsync(exchange->fd) != 0)
        status = error_set(error, STATUS_IO, "%s: %s", exchange->path, strerror(errno));
    if (exchange->fd >= 0)
        close(exchange->fd);
    if (exchange->fd >= 0 && status != STATUS_OK)
        unlink(exchange->path);
    return status;
}

enum status object_get(const struct object_store *store, const char *name, const char *path,
                       int64_t max_bytes, struct file_sum *sum, struct error *error)
{
    struct exchange exchange = {.store = store,
                                .method = "GET",
                                .name = name,
                                .path = path,
                                .fd = -1,
                                .max_bytes = max_bytes};
    exchange.sum = crypto_sum_begin();
    if (!exchange.sum)
        return error_set(error, STATUS_MEMORY, "out of memory");
    if (path)
        exchange.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    enum status status = path && exchange.fd < 0
                             ? error_set(error, STATUS_IO, "%s: %s", path, strerror(errno))
                             : run(&exchange, EMPTY_SHA256, -1, error);
    return end_get(&exchange, sum, status, error);
}

enum status object_delete(const struct object_store *store, const char *name, struct error *error)
{
    struct exchange exchange = {.store = store, .method = "DELETE", .name = name, .fd = -1};
    enum status status = run(&exchange, EMPTY_SHA256, -1, error);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}
