#define _GNU_SOURCE

#include "CFloor.h"
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { GREATEST_REQUEST_BYTES = 1024 };

struct server {
    struct watch watch;
    struct loop loop;
    int listening_fd;
    int accepted_requests;
    int open_requests;
    int expected_requests;
};

struct request {
    struct watch watch;
    struct server *server;
    int fd;
    bool is_waiting; // for its delay
    size_t length;
    char text[GREATEST_REQUEST_BYTES + 1];
};

static void end_request(struct request *request) {
    struct server *server = request->server;
    close(request->fd);
    free(request);
    server->open_requests--;
    if (server->open_requests == 0 && server->accepted_requests == server->expected_requests) {
        loop_stop(&server->loop);
    }
}

static void answer(void *argument) {
    static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    struct request *request = argument;
    // The socket is empty, so the answer fits; a client that has left does not get one.
    (void)!send(request->fd, ANSWER, sizeof ANSWER - 1, MSG_NOSIGNAL);
    end_request(request);
}

static void parse(struct request *request) {
    static const char START[] = "GET /";
    if (request->is_waiting || strstr(request->text, "\r\n\r\n") == NULL) return;
    uint64_t delay_ms = 0;
    if (strncmp(request->text, START, sizeof START - 1) == 0) {
        delay_ms = strtoull(request->text + sizeof START - 1, NULL, 10);
    }
    request->is_waiting = true;
    uint64_t deadline_ns = floor_now_ns() + delay_ms * 1000000;
    heap_push(&request->server->loop.timers, deadline_ns, (struct callback){answer, request});
}

static void receive(struct watch *watch, uint32_t events) {
    (void)events;
    struct request *request = (struct request *)watch;
    for (;;) {
        size_t room = GREATEST_REQUEST_BYTES - request->length;
        ssize_t count = read(request->fd, request->text + request->length, room);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) {
            // A client may close its side and still wait for the answer.
            if (!request->is_waiting) end_request(request);
            return;
        }
        request->length += (size_t)count;
        request->text[request->length] = '\0';
        parse(request);
    }
}

static void accept_requests(struct watch *watch, uint32_t events) {
    (void)events;
    struct server *server = (struct server *)watch;
    while (server->accepted_requests < server->expected_requests) {
        int fd = accept4(server->listening_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
        if (fd < 0) return;
        struct request *request = allocate_zeroed(1, sizeof *request);
        request->watch.run = receive;
        request->server = server;
        request->fd = fd;
        server->accepted_requests++;
        server->open_requests++;
        if (loop_watch(&server->loop, fd, &request->watch) < 0) end_request(request);
    }
}

int floor_serve_delays(int listening_fd, int requests) {
    struct server server = {
        .watch.run = accept_requests,
        .listening_fd = listening_fd,
        .expected_requests = requests,
    };
    int result = loop_open(&server.loop);
    if (result == 0) result = loop_watch(&server.loop, listening_fd, &server.watch);
    if (result == 0) loop_run(&server.loop);
    loop_close(&server.loop);
    return result;
}
