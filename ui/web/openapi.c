/* The OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0), written from the route table,
 * the parameters and the schemas: what is served and what is documented cannot differ. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "engine/base/json.h"
#include "ui/web/web_priv.h"

/* The shapes that travel as something other than JSON. */
static const struct {
    const char *schema, *type;
} other_types[] = {
    {"EventLines", "application/x-ndjson"},
    {"DecisionLines", "application/x-ndjson"},
    {"Metrics", "text/plain"},
    {"Problem", "application/problem+json"},
    {"ContractProblem", "application/problem+json"},
};

static const char *content_type_of(const char *schema)
{
    for (size_t i = 0; i < sizeof other_types / sizeof *other_types; i++)
        if (strcmp(other_types[i].schema, schema) == 0)
            return other_types[i].type;
    return "application/json";
}

static void put_content(struct json_writer *json, const char *name)
{
    char reference[128];
    snprintf(reference, sizeof reference, "#/components/schemas/%s", name);
    json_object(json, "content");
    json_object(json, content_type_of(name));
    json_object(json, "schema");
    json_text(json, "$ref", reference);
    json_object_end(json);
    json_object_end(json);
    json_object_end(json);
}

static void put_answer(struct json_writer *json, const char *code, const char *description,
                       const char *schema)
{
    json_object(json, code);
    json_text(json, "description", description);
    if (schema)
        put_content(json, schema);
    json_object_end(json);
}

static void put_answers(struct json_writer *json, const struct http_route *route)
{
    json_object(json, "responses");
    put_answer(json, "200", "Done", route->response_schema);
    if (strcmp(route->path, "/v1/score") == 0) {
        put_answer(json, "409", "The event_id was used for other content", "Problem");
        put_answer(json, "422", "The event breaks the contract and is in quarantine",
                   "ContractProblem");
    }
    if (route->closes) {
        if (strcmp(route->method, "GET") == 0)
            put_answer(json, "304", "As If-None-Match says it was", NULL);
        put_answer(json, "429", "This caller asks too often: see Retry-After and RateLimit",
                   "Problem");
    }
    put_answer(json, "403",
               route->changes_state ? "The Host or Origin is not one that may change state"
                                    : "The Host is not one that a local instance is read under",
               "Problem");
    if (route->changes_state) {
        put_answer(json, "401", "A token is needed", "Problem");
        put_answer(json, "413", "The body is larger than this path takes", "Problem");
        put_answer(json, "503", "Overloaded or not ready: see Retry-After", "Problem");
    }
    put_answer(json, "default", "Anything else that went wrong", "Problem");
    json_object_end(json);
}

static void put_parameters(struct json_writer *json, const struct http_route *route)
{
    json_array(json, "parameters");
    for (const struct web_parameter *parameter = web_parameters; parameter->path; parameter++) {
        if (strcmp(parameter->path, route->path) != 0)
            continue;
        json_object(json, NULL);
        json_text(json, "name", parameter->name);
        json_text(json, "in", "query");
        json_bool(json, "required", route->needs && strcmp(route->needs, parameter->name) == 0);
        json_text(json, "description", parameter->description);
        json_raw(json, "schema", slice_of(parameter->schema));
        json_object_end(json);
    }
    json_array_end(json);
}

/* "POST /v1/score/batch" to "post_v1_score_batch". */
static void operation_id(const struct http_route *route, char *out, size_t size)
{
    snprintf(out, size, "%s%s", route->method, route->path);
    for (char *place = out; *place; place++) {
        if (*place >= 'A' && *place <= 'Z')
            *place = (char)(*place - 'A' + 'a');
        else if (!((*place >= 'a' && *place <= 'z') || (*place >= '0' && *place <= '9')))
            *place = '_';
    }
}

static void put_operation(struct json_writer *json, const struct http_route *route)
{
    char method[8], id[96];
    snprintf(method, sizeof method, "%s", route->method);
    for (char *place = method; *place; place++)
        *place = (char)(*place - 'A' + 'a');
    operation_id(route, id, sizeof id);
    json_object(json, method);
    json_text(json, "operationId", id);
    json_text(json, "summary", route->summary);
    if (route->detail)
        json_text(json, "description", route->detail);
    put_parameters(json, route);
    if (route->request_schema) {
        json_object(json, "requestBody");
        json_bool(json, "required", true);
        put_content(json, route->request_schema);
        json_object_end(json);
    }
    put_answers(json, route);
    if (route->changes_state)
        json_raw(json, "security", slice_of("[{},{\"token\":[]}]"));
    json_object_end(json);
}

/* Rows of one path stand together in the document, wherever they are in the table. */
static bool is_first_of_path(const struct http_route *route)
{
    for (const struct http_route *earlier = web_routes; earlier < route; earlier++) {
        if (strcmp(earlier->path, route->path) == 0)
            return false;
    }
    return route->summary != NULL;
}

static void put_paths(struct json_writer *json)
{
    json_object(json, "paths");
    for (const struct http_route *route = web_routes; route->method; route++) {
        if (!is_first_of_path(route))
            continue;
        json_object(json, route->path);
        for (const struct http_route *same = route; same->method; same++) {
            if (strcmp(same->path, route->path) == 0)
                put_operation(json, same);
        }
        json_object_end(json);
    }
    json_object(json, WEB_LIVE_PATH);
    json_raw(
        json, "get",
        slice_of("{\"operationId\":\"get_live\",\"summary\":\"The live picture by WebSocket\","
                 "\"description\":\"A text frame with a Snapshot at once; after every tick "
                 "{schema, seq, base, delta}, what changed since the picture number base: "
                 "[[place, value], ...], or [place, n, [values]] for a list that lost n at its "
                 "front and got values behind; places are JSON Pointers. A whole Snapshot "
                 "where that is shorter. A slow client misses frames and is never queued for: "
                 "whoever holds another picture than base sends any text and gets the whole "
                 "one.\","
                 "\"responses\":{\"101\":{\"description\":\"Switching to WebSocket\"},"
                 "\"426\":{\"description\":\"Asked for without an upgrade\"},"
                 "\"503\":{\"description\":\"As many as are held are open\"}}}"));
    json_object_end(json);
    json_object_end(json);
}

static void put_components(struct json_writer *json)
{
    json_object(json, "components");
    json_object(json, "schemas");
    for (const struct web_schema *schema = web_schemas; schema->name; schema++)
        json_raw(json, schema->name, slice_of(schema->json));
    json_object_end(json);
    json_raw(json, "securitySchemes",
             slice_of("{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\",\"description\":"
                      "\"Asked for only where the configuration names a token file.\"}}"));
    json_object_end(json);
}

void web_openapi(struct buffer *out)
{
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    json_text(&json, "openapi", "3.1.0");
    json_object(&json, "info");
    json_text(&json, "title", "binnacle");
    json_text(&json, "version", BINNACLE_VERSION);
    json_text(
        &json, "description",
        "Decisions on events, the truth about them, and the live picture of both. Errors are "
        "problem documents (RFC 9457). Times are UTC, null means no data. What screens read has "
        "an ETag, comes gzipped to who takes that, and counts against api_rate, of which "
        "RateLimit says what is left. A query parameter that a path of /api/v1 does not have is "
        "refused with 400, which names the nearest one that it has.");
    json_raw(&json, "license", slice_of("{\"name\":\"Apache-2.0\",\"identifier\":\"Apache-2.0\"}"));
    json_object_end(&json);
    json_raw(&json, "servers", slice_of("[{\"url\":\"/\"}]"));
    put_paths(&json);
    put_components(&json);
    json_object_end(&json);
}
