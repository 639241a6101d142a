/* `detect`: drift detectors over a stream of numbers, one a line. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/output.h"
#include "engine/base/input.h"
#include "engine/base/json.h"
#include "engine/base/number.h"
#include "engine/stats/detector.h"

#define LINE_BYTES 4096
#define JSON_BYTES ((size_t)1 << 31)

struct detection {
    enum detector_method method;
    double values[DETECTOR_MAX_PARAMETERS];
    struct detector *detector;
    const char *path;
    bool json;
    int64_t n;
    struct json_writer writer; /* of the positions */
    struct buffer positions;
};

static int choose_method(const struct cli_args *args, struct detection *detection)
{
    static const char methods[] = "adwin, ddm, eddm, hddm_a, ph or kswin";
    const char *name = cli_text(args, "method"), *assignment;
    struct error error;
    if (!name)
        return cli_usage(args, "--method is needed: %s", methods);
    if (!detector_find(name, &detection->method))
        return cli_usage(args, "--method %s: there are %s", name, methods);
    detector_defaults(detection->method, detection->values);
    for (int i = 0; (assignment = cli_value(args, "set", i)); i++) {
        if (detector_set(detection->method, slice_of(assignment), detection->values, &error))
            return cli_usage(args, "--set %s", error.message);
    }
    return EXIT_DONE;
}

static void write_parameters(const struct detection *detection, struct json_writer *writer)
{
    const struct detector_parameter *parameters = detector_parameters(detection->method);
    json_object(writer, "parameters");
    for (int i = 0; parameters[i].name; i++) {
        double value = detection->values[i];
        if (parameters[i].kind == DETECTOR_WORD)
            json_text(writer, parameters[i].name, parameters[i].words[(int)value]);
        else if (parameters[i].kind == DETECTOR_BOOL)
            json_bool(writer, parameters[i].name, value != 0);
        else if (parameters[i].kind == DETECTOR_INTEGER)
            json_int(writer, parameters[i].name, (int64_t)value);
        else
            json_number(writer, parameters[i].name, value);
    }
    json_object_end(writer);
}

static void found(struct detection *detection, int64_t position)
{
    if (detection->json)
        json_int(&detection->writer, NULL, position);
    else
        printf("%" PRId64 "\n", position);
}

static enum status take_line(struct detection *detection, struct input *input, struct slice line,
                             struct error *error)
{
    double number;
    bool fired;
    struct slice text = slice_trim(line);
    if (!number_parse(text, &number))
        return error_set(error, STATUS_INVALID,
                         "%s, line %" PRId64 ": a number is needed, not \"%.*s\"", detection->path,
                         input_line_number(input), (int)(text.size < 40 ? text.size : 40),
                         text.size ? text.data : "");
    enum status status = detector_update(detection->detector, number, &fired, error);
    if (status != STATUS_OK) {
        error_prefix(error, "%s, line %" PRId64, detection->path, input_line_number(input));
        return status;
    }
    if (fired)
        found(detection, detection->n);
    detection->n++;
    return STATUS_OK;
}

static enum status read_numbers(struct detection *detection, struct error *error)
{
    struct input *input;
    struct slice line;
    enum status status = input_open(detection->path, LINE_BYTES, &input, error);
    if (status != STATUS_OK)
        return status;
    while ((status = input_line(input, &line, error)) == STATUS_OK || status == STATUS_FULL) {
        status = take_line(detection, input, line, error);
        if (status != STATUS_OK)
            break;
    }
    input_close(input);
    return status == STATUS_END ? STATUS_OK : status;
}

static enum status print_json(const struct detection *detection, struct error *error)
{
    struct json_writer writer;
    struct buffer text;
    buffer_init(&text, JSON_BYTES);
    json_begin(&writer, &text);
    json_object(&writer, NULL);
    json_text(&writer, "method", detector_name(detection->method));
    write_parameters(detection, &writer);
    json_int(&writer, "n", detection->n);
    json_raw(&writer, "positions", buffer_slice(&detection->positions));
    json_object_end(&writer);
    buffer_append_char(&text, '\n');
    enum status status = text.overflow || detection->positions.overflow
                             ? error_set(error, STATUS_MEMORY, "out of memory for the positions")
                             : output_write(stdout, "-", buffer_slice(&text), error);
    buffer_free(&text);
    return status;
}

static enum status detect(struct detection *detection, struct error *error)
{
    enum status status =
        detector_create(detection->method, detection->values, &detection->detector, error);
    json_begin(&detection->writer, &detection->positions);
    json_array(&detection->writer, NULL);
    if (status == STATUS_OK)
        status = read_numbers(detection, error);
    json_array_end(&detection->writer);
    if (status == STATUS_OK && detection->json)
        status = print_json(detection, error);
    if (status == STATUS_OK && fflush(stdout) != 0)
        status = error_set(error, STATUS_IO, "stdout: cannot be written: %s", strerror(errno));
    detector_destroy(detection->detector);
    return status;
}

int command_detect(const struct cli_args *args)
{
    struct detection detection = {
        .json = cli_flag(args, "json"),
        .path = cli_n_arguments(args) ? cli_argument(args, 0) : "-",
    };
    struct error error;
    int code = choose_method(args, &detection);
    if (code != EXIT_DONE)
        return code;
    buffer_init(&detection.positions, JSON_BYTES);
    enum status status = detect(&detection, &error);
    buffer_free(&detection.positions);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}
