#define _GNU_SOURCE

#include "CFloor.h"
#include "allocate.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_PER_WAIT = 256, SILENCE_MS = 2000, GREATEST_MESSAGE_BYTES = 65536 };

struct connection {
    int fd;
    uint32_t received_bytes;
    uint64_t sent_ns;
    uint64_t sequence; // stands in front of each message, so that a lost or repeated one is noticed
    char *echo;
};

struct client {
    const struct floor_echo_load *load;
    struct floor_histogram *latency;
    struct floor_echo_result *result;
    struct connection *connections;
    int epoll_fd;
    int waiting_connections; // with a message under way
    uint64_t begin_ns;
    uint64_t end_ns;
    char message[GREATEST_MESSAGE_BYTES];
};

static int send_message(struct client *client, struct connection *connection, uint64_t now_ns) {
    connection->sent_ns = now_ns;
    connection->received_bytes = 0;
    connection->sequence++;
    memcpy(client->message, &connection->sequence, sizeof connection->sequence);
    size_t count = client->load->message_bytes;
    // The socket is empty, so the message fits whole.
    ssize_t written = send(connection->fd, client->message, count, MSG_NOSIGNAL);
    if (written < 0) return -errno;
    return (size_t)written == count ? 0 : -ENOBUFS;
}

static int open_connection(struct client *client, struct connection *connection) {
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0) return -errno;
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons(client->load->port),
    };
    if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) < 0) return -errno;
    int on = 1;
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (fcntl(connection->fd, F_SETFL, O_NONBLOCK) < 0) return -errno;
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = connection};
    return epoll_ctl(client->epoll_fd, EPOLL_CTL_ADD, connection->fd, &event) < 0 ? -errno : 0;
}

// One reading of the clock serves two purposes: it ends one message's latency and begins the next one's.
static int message_came_back(struct client *client, struct connection *connection) {
    memcpy(client->message, &connection->sequence, sizeof connection->sequence);
    if (memcmp(client->message, connection->echo, client->load->message_bytes) != 0) return -EBADMSG;
    uint64_t now_ns = floor_now_ns();
    client->result->all_messages++;
    if (now_ns >= client->begin_ns && now_ns < client->end_ns) {
        client->result->measured_messages++;
        floor_histogram_record(client->latency, now_ns - connection->sent_ns);
    }
    if (now_ns < client->end_ns) return send_message(client, connection, now_ns);
    client->waiting_connections--;
    return 0;
}

static int receive(struct client *client, struct connection *connection) {
    uint32_t whole = client->load->message_bytes;
    for (;;) {
        uint32_t begin = connection->received_bytes;
        ssize_t count = recv(connection->fd, connection->echo + begin, whole - begin, 0);
        if (count == 0) return -ECONNRESET;
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno == EAGAIN ? 0 : -errno;
        connection->received_bytes += (uint32_t)count;
        if (connection->received_bytes == whole) return message_came_back(client, connection);
    }
}

static int run(struct client *client) {
    struct epoll_event events[EVENTS_PER_WAIT];
    while (client->waiting_connections > 0) {
        int count = epoll_wait(client->epoll_fd, events, EVENTS_PER_WAIT, SILENCE_MS);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return -errno;
        if (count == 0) return -ETIMEDOUT;
        for (int index = 0; index < count; index++) {
            int result = receive(client, events[index].data.ptr);
            if (result < 0) return result;
        }
    }
    return 0;
}

static int connect_and_run(struct client *client) {
    int connections = client->load->connections;
    for (int index = 0; index < connections; index++) {
        int result = open_connection(client, &client->connections[index]);
        if (result < 0) return result;
    }
    uint64_t now_ns = floor_now_ns();
    client->begin_ns = now_ns + client->load->warm_up_ns;
    client->end_ns = client->begin_ns + client->load->duration_ns;
    client->result->measured_ns = client->load->duration_ns;
    client->waiting_connections = connections;
    for (int index = 0; index < connections; index++) {
        int result = send_message(client, &client->connections[index], floor_now_ns());
        if (result < 0) return result;
    }
    return run(client);
}

int floor_load_echo(const struct floor_echo_load *load, struct floor_histogram *latency,
                    struct floor_echo_result *result) {
    if (load->message_bytes < sizeof(uint64_t) || load->message_bytes > GREATEST_MESSAGE_BYTES) {
        return -EINVAL;
    }
    *result = (struct floor_echo_result){0};
    struct client *client = allocate_zeroed(1, sizeof *client);
    client->load = load;
    client->latency = latency;
    client->result = result;
    memset(client->message, 'e', sizeof client->message);
    client->connections = allocate_zeroed((size_t)load->connections, sizeof *client->connections);
    char *echoes = allocate_zeroed((size_t)load->connections, load->message_bytes);
    for (int index = 0; index < load->connections; index++) {
        client->connections[index].fd = -1;
        client->connections[index].echo = echoes + (size_t)index * load->message_bytes;
    }
    client->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int outcome = client->epoll_fd < 0 ? -errno : connect_and_run(client);
    for (int index = 0; index < load->connections; index++) {
        if (client->connections[index].fd >= 0) close(client->connections[index].fd);
    }
    if (client->epoll_fd >= 0) close(client->epoll_fd);
    free(echoes);
    free(client->connections);
    free(client);
    return outcome;
}
