/* `predict`: a model over a numeric CSV. */
#include <stdio.h>
#include <string.h>
#include <errno.h>

#include "app/commands.h"
#include "app/progress.h"
#include "engine/model/model.h"
#include "engine/model/predict_file.h"

static void warn(void *context, const char *message)
{
    (void)context;
    fprintf(stderr, "binnacle predict: %s\n", message);
}

static void show(void *context, int64_t position, int64_t size)
{
    struct progress *progress = context;
    progress_update(progress, size > 0 ? (double)position / (double)size : -1, position);
}

int command_predict(const struct cli_args *args)
{
    if (cli_need(args, "model") != EXIT_DONE)
        return EXIT_FAILED;
    if (cli_flag(args, "margin") && cli_flag(args, "contribs"))
        return cli_usage(args, "--contribs are in margin units already: leave --margin out");
    struct progress progress;
    struct predict_options options = {
        .margin = cli_flag(args, "margin"),
        .contribs = cli_flag(args, "contribs"),
        .best_iteration = cli_flag(args, "best-iteration"),
        .warn = warn,
        .progress = show,
        .context = &progress,
    };
    const char *path = cli_n_arguments(args) > 0 ? cli_argument(args, 0) : "-";
    struct model *model = NULL;
    struct error error;
    int64_t n_rows;
    progress_begin(&progress, "predict", "bytes");
    enum status status = model_load(cli_text(args, "model"), "model", "file", &model, &error);
    if (status == STATUS_OK)
        status = predict_file(model, path, stdout, &options, &n_rows, &error);
    progress_end(&progress);
    if (status == STATUS_OK && fflush(stdout) != 0)
        status = error_set(&error, STATUS_IO, "stdout: cannot be written: %s", strerror(errno));
    model_release(model);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}
