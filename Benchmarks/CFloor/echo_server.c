#define _GNU_SOURCE

#include "CFloor.h"
#include "loop.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int floor_listen(uint16_t *port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // accepted sockets inherit it
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, SOMAXCONN) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    *port = ntohs(address.sin_port);
    return fd;
}

struct connection {
    struct watch watch;
    struct server *server;
    int fd;
};

struct server {
    struct watch watch;
    struct loop loop;
    int listening_fd;
    int expected_connections;
    int accepted_connections;
    int open_connections;
    int error;
    char buffer[65536]; // one for all: no byte stays in it between two events
};

static void end_connection(struct connection *connection) {
    struct server *server = connection->server;
    close(connection->fd);
    free(connection);
    server->open_connections--;
    if (server->open_connections == 0 && server->accepted_connections == server->expected_connections) {
        loop_stop(&server->loop);
    }
}

// A client that does not read fills the socket. With one message under way on a connection that cannot
// happen here, so waiting for this one client is all the care it needs.
static bool write_all(int fd, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(fd, bytes, count);
        if (written >= 0) {
            bytes += written;
            count -= (size_t)written;
        } else if (errno == EAGAIN) {
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

// A short read has drained the socket, so the read that would only say EAGAIN is saved. The end of the
// stream makes an event of its own, after which one reads to the end.
static void echo(struct watch *watch, uint32_t events) {
    struct connection *connection = (struct connection *)watch;
    struct server *server = connection->server;
    bool is_ending = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    for (;;) {
        ssize_t count = read(connection->fd, server->buffer, sizeof server->buffer);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0 || !write_all(connection->fd, server->buffer, (size_t)count)) {
            end_connection(connection);
            return;
        }
        if ((size_t)count < sizeof server->buffer && !is_ending) return;
    }
}

static void accept_connections(struct watch *watch, uint32_t events) {
    (void)events;
    struct server *server = (struct server *)watch;
    while (server->accepted_connections < server->expected_connections) {
        int fd = accept4(server->listening_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
        if (fd < 0 && errno == EAGAIN) return;
        if (fd < 0) {
            server->error = -errno;
            loop_stop(&server->loop);
            return;
        }
        struct connection *connection = allocate_zeroed(1, sizeof *connection);
        *connection = (struct connection){.watch.run = echo, .server = server, .fd = fd};
        server->accepted_connections++;
        server->open_connections++;
        if (loop_watch(&server->loop, fd, &connection->watch) < 0) end_connection(connection);
    }
}

int floor_serve_echo(int listening_fd, int connections) {
    struct server *server = allocate_zeroed(1, sizeof *server);
    server->watch.run = accept_connections;
    server->listening_fd = listening_fd;
    server->expected_connections = connections;
    int result = loop_open(&server->loop);
    if (result == 0) result = loop_watch(&server->loop, listening_fd, &server->watch);
    if (result == 0) {
        loop_run(&server->loop);
        result = server->error;
    }
    loop_close(&server->loop);
    free(server);
    return result;
}
