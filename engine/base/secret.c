/* One line from a small file. A line that does not fit is refused: cut short it would be wrong in
 * a way that only the other side could tell. */
#include "engine/base/secret.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool others_may_read(FILE *file)
{
    struct stat about;
    return fstat(fileno(file), &about) != 0 || (about.st_mode & 077) != 0;
}

static enum status read_line(FILE *file, const char *path, char *out, size_t size,
                             struct error *error)
{
    if (!fgets(out, (int)size, file))
        out[0] = '\0';
    size_t length = strcspn(out, "\r\n");
    int next = out[length] ? '\n' : fgetc(file);
    out[length] = '\0';
    if (length == 0)
        return error_set(error, STATUS_INVALID, "%s: is empty", path);
    if (next != EOF && next != '\n' && next != '\r')
        return error_set(error, STATUS_INVALID, "%s: the line is longer than %zu bytes", path,
                         size - 1);
    return STATUS_OK;
}

enum status secret_read(const char *folder, const char *name, bool only_owner, char *out,
                        size_t size, struct error *error)
{
    char path[4096];
    bool absolute = name[0] == '/';
    int length =
        snprintf(path, sizeof path, "%s%s%s", absolute ? "" : folder, absolute ? "" : "/", name);
    out[0] = '\0';
    FILE *file = length < (int)sizeof path ? fopen(path, "re") : NULL;
    if (!file)
        return error_set(error, STATUS_NOT_FOUND, "%s: cannot be read: %s", path,
                         strerror(length < (int)sizeof path ? errno : ENAMETOOLONG));
    enum status status = STATUS_OK;
    if (only_owner && others_may_read(file))
        status = error_set(error, STATUS_DENIED, "%s: others may read it: chmod 600 it", path);
    if (status == STATUS_OK)
        status = read_line(file, path, out, size, error);
    fclose(file);
    return status;
}

enum status secret_bearer(const char *path, char out[SECRET_BEARER_SIZE], struct error *error)
{
    static const char scheme[] = "Authorization: Bearer ";
    char line[SECRET_BEARER_SIZE - sizeof scheme];
    enum status status = secret_read(".", path, false, line, sizeof line, error);
    if (status != STATUS_OK)
        return status;
    const char *space = strrchr(line, ' ');
    if (space && !space[1])
        return error_set(error, STATUS_INVALID,
                         "%s: its first line ends with a blank: NAME TOKEN was expected", path);
    snprintf(out, SECRET_BEARER_SIZE, "%s%s", scheme, space ? space + 1 : line);
    return STATUS_OK;
}
