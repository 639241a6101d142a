/* Who may change state, and who may read a local instance: the rules against web pages of other
 * sites.
 *
 * DNS rebinding: a page of evil.example makes its own name point here, so its requests arrive with
 * that name as Host. An IP address is no name that could be pointed elsewhere, so it passes, as do
 * localhost, the name that was listened on and those that the operator allows.
 * Cross-site request forgery: a browser adds Origin to what a page sends elsewhere; it has to be
 * this very scheme, host and port. Any thread; reads only. */
#include "engine/base/httpd_priv.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define HOST_SIZE 256

/* "host", "host:port", "[v6]", "[v6]:port" without the port and brackets. */
static bool host_name(const char *authority, char name[HOST_SIZE])
{
    const char *start = authority, *end;
    if (*start == '[') {
        start++;
        end = strchr(start, ']');
        if (!end || (end[1] != '\0' && end[1] != ':'))
            return false;
    } else {
        end = strchr(start, ':');
        if (!end)
            end = start + strlen(start);
    }
    size_t size = (size_t)(end - start);
    if (size == 0 || size >= HOST_SIZE)
        return false;
    memcpy(name, start, size);
    name[size] = '\0';
    return true;
}

static bool is_ip_address(const char *name)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

static bool host_is_ours(const struct httpd *httpd, const char *name)
{
    if (is_ip_address(name) || strcasecmp(name, "localhost") == 0 ||
        strcasecmp(name, httpd->listen_host) == 0)
        return true;
    for (const char *const *allowed = httpd->allowed_hosts; allowed && *allowed; allowed++) {
        if (strcasecmp(name, *allowed) == 0)
            return true;
    }
    return false;
}

/* A browser sends scheme, host and port in lower case and leaves out the scheme's own port in both
 * headers, so plain comparison is enough. A proxy in front may speak TLS where we do not. */
static bool origin_is_host(const char *origin, const char *host)
{
    if (strncasecmp(origin, "http://", 7) == 0)
        origin += 7;
    else if (strncasecmp(origin, "https://", 8) == 0)
        origin += 8;
    else
        return false; /* "null" too: a sandboxed frame or a file */
    return strcasecmp(origin, host) == 0;
}

static const char unknown_host[] = "this Host name is not known here; if it should be, add it to "
                                   "access: {allowed_hosts: [...]} in "
                                   "binnacle.yaml";

static bool is_loopback(const char *name)
{
    unsigned char v4[4], v6[16];
    static const unsigned char one[16] = {[15] = 1};
    return strcasecmp(name, "localhost") == 0 ||
           (inet_pton(AF_INET, name, v4) == 1 && v4[0] == 127) ||
           (inet_pton(AF_INET6, name, v6) == 1 && memcmp(v6, one, sizeof v6) == 0);
}

const char *httpd_guard_read(const struct httpd *httpd, const char *host)
{
    char name[HOST_SIZE];
    if (!host || !is_loopback(httpd->listen_host))
        return NULL; /* browsers always send one; whoever listens wider is known by many names */
    if (!host_name(host, name) || !host_is_ours(httpd, name))
        return unknown_host;
    return NULL;
}

const char *httpd_guard(const struct httpd *httpd, const char *host, const char *origin,
                        const char *fetch_site)
{
    char name[HOST_SIZE];
    if (!host || !host_name(host, name))
        return "the request has no usable Host header";
    if (!host_is_ours(httpd, name))
        return unknown_host;
    if (origin && !origin_is_host(origin, host))
        return "the request comes from a page of another site (Origin is not this Host)";
    if (!origin && fetch_site && strcasecmp(fetch_site, "cross-site") == 0)
        return "the request comes from a page of another site (Sec-Fetch-Site)";
    return NULL;
}
