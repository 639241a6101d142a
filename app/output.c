/* Writes beside the target and renames, so that nobody reads half a result. */
#include "app/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A device, pipe or socket is written to: a file must not take its place. */
static bool is_special(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && !S_ISREG(facts.st_mode);
}

enum status output_open(const char *path, struct output *output, struct error *error)
{
    *output = (struct output){0};
    if (strcmp(path, "-") == 0) {
        output->file = stdout;
        return STATUS_OK;
    }
    output->path = strdup(path);
    if (!output->path)
        return error_set(error, STATUS_MEMORY, "out of memory");
    bool special = is_special(path);
    if (!special && asprintf(&output->temporary, "%s.part", path) < 0) {
        output->temporary = NULL;
        return error_set(error, STATUS_MEMORY, "out of memory");
    }
    output->file = fopen(special ? path : output->temporary, "w");
    if (!output->file)
        return error_set(error, STATUS_IO, "%s: cannot be written: %s", path, strerror(errno));
    return STATUS_OK;
}

enum status output_commit(struct output *output, struct error *error)
{
    const char *name = output->path ? output->path : "stdout";
    bool failed = fflush(output->file) != 0;
    if (output->path) {
        failed = failed || (output->temporary && fsync(fileno(output->file)) != 0);
        failed = fclose(output->file) != 0 || failed;
        output->file = NULL;
        failed = failed || (output->temporary && rename(output->temporary, output->path) != 0);
    }
    if (failed)
        return error_set(error, STATUS_IO, "%s: cannot be written: %s", name, strerror(errno));
    free(output->temporary);
    output->temporary = NULL;
    return STATUS_OK;
}

void output_discard(struct output *output)
{
    if (output->file && output->path)
        fclose(output->file);
    if (output->temporary)
        unlink(output->temporary);
    free(output->temporary);
    free(output->path);
    *output = (struct output){0};
}

enum status output_write(FILE *file, const char *name, struct slice text, struct error *error)
{
    if (text.size > 0 && fwrite(text.data, 1, text.size, file) != text.size)
        return error_set(error, STATUS_IO, "%s: cannot be written: %s",
                         strcmp(name, "-") == 0 ? "stdout" : name, strerror(errno));
    return STATUS_OK;
}
