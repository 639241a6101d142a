/* Compiled together with civetweb's own file, whose private fields it reads; see
 * packaging/civetweb. Threads: mg_detach() in the connection's worker, the rest in whichever thread
 * owns it then. */
#include "civetweb.c"

#include "civetweb_detach.h"

void mg_detach(struct mg_connection *connection, struct mg_detached *detached)
{
    int early = connection->data_len - connection->request_len;
    detached->fd = connection->client.sock;
    detached->tls = connection->ssl;
    detached->early = connection->buf + connection->request_len;
    detached->early_size = early > 0 ? (size_t)early : 0;
    set_non_blocking_mode(detached->fd);
    if (detached->tls)
        SSL_set_mode(detached->tls,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (detached->tls)
        SSL_set_app_data(detached->tls, NULL); /* the connection is the next client's soon */
    connection->client.sock = INVALID_SOCKET;
    connection->ssl = NULL;
    connection->must_close = 1;
}

int mg_count_waiting(struct mg_context *context)
{
    pthread_mutex_lock(&context->thread_mutex);
    int n = context->sq_head - context->sq_tail;
    pthread_mutex_unlock(&context->thread_mutex);
    return n;
}

void mg_hang_up(struct mg_connection *connection)
{
    if (connection->client.sock != INVALID_SOCKET)
        shutdown(connection->client.sock, SHUT_RD);
}

static long tls_result(const struct mg_detached *detached, int result)
{
    if (result > 0)
        return result;
    int why = SSL_get_error(detached->tls, result);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static long plain_result(ssize_t result)
{
    if (result >= 0)
        return (long)result;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
}

static int at_most(size_t size)
{
    return size < INT_MAX ? (int)size : INT_MAX;
}

long mg_detached_read(const struct mg_detached *detached, void *data, size_t size)
{
    if (detached->tls) {
        ERR_clear_error();
        return tls_result(detached, SSL_read(detached->tls, data, at_most(size)));
    }
    ssize_t got = recv(detached->fd, data, size, 0);
    return got == 0 ? -1 : plain_result(got);
}

long mg_detached_write(const struct mg_detached *detached, const void *data, size_t size)
{
    if (detached->tls) {
        ERR_clear_error();
        return tls_result(detached, SSL_write(detached->tls, data, at_most(size)));
    }
    return plain_result(send(detached->fd, data, size, MSG_NOSIGNAL));
}

void mg_detached_finish(const struct mg_detached *detached)
{
    if (detached->tls) {
        ERR_clear_error();
        SSL_shutdown(detached->tls);
    }
    shutdown(detached->fd, SHUT_WR);
}

void mg_detached_close(struct mg_detached *detached)
{
    if (detached->tls)
        SSL_free(detached->tls);
    close(detached->fd);
    detached->tls = NULL;
    detached->fd = -1;
}
