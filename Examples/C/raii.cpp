/// The loop in C++17: a unique_ptr that destroys it, and lambdas behind the tokens.
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <system_error>
#include <unordered_map>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include <CEventLoop.h>

class Loop {
  public:
    using Handler = std::function<void(const el_event &)>;

    Loop() : loop(create()) {}

    void after(std::chrono::nanoseconds duration, Handler handler) {
        auto deadline_ns = el_loop_now(loop.get()) + static_cast<uint64_t>(duration.count());
        if (el_timer_start(loop.get(), deadline_ns, keep(std::move(handler))) == 0) throw std::bad_alloc();
    }

    /// Until `ignore`, each event of the descriptor goes to the handler.
    void watch(int fd, el_interest interest, Handler handler) {
        auto token = keep(std::move(handler));
        check(el_fd_add(loop.get(), fd, interest, EL_LEVEL, token), "el_fd_add");
        watched[fd] = token;
    }

    void ignore(int fd) {
        handlers.erase(watched.at(fd));
        watched.erase(fd);
        check(el_fd_remove(loop.get(), fd), "el_fd_remove");
    }

    /// Runs until nobody waits for anything.
    void run() {
        while (!handlers.empty()) {
            el_event events[64];
            int count = check(el_loop_wait(loop.get(), EL_NEVER, events, 64), "el_loop_wait");
            for (int i = 0; i < count; i++) {
                // Ignored by a handler that ran just before, so its token means nothing any more.
                auto found = handlers.find(events[i].token);
                if (found == handlers.end()) continue;
                // A copy: the handler may erase itself.
                auto handler = found->second;
                if (events[i].kind == EL_EVENT_TIMER) handlers.erase(found);
                handler(events[i]);
            }
        }
    }

  private:
    struct Destroy {
        void operator()(el_loop *loop) const { el_loop_destroy(loop); }
    };

    static int check(int result, const char *call) {
        if (result < 0) throw std::system_error(-result, std::generic_category(), call);
        return result;
    }

    static el_loop *create() {
        el_loop *loop;
        check(el_loop_create(EL_CLOCK_MONOTONIC, &loop), "el_loop_create");
        return loop;
    }

    uint64_t keep(Handler handler) {
        handlers.emplace(++last_token, std::move(handler));
        return last_token;
    }

    std::unique_ptr<el_loop, Destroy> loop;
    std::unordered_map<uint64_t, Handler> handlers;
    std::unordered_map<int, uint64_t> watched;
    uint64_t last_token = 0;
};

int main() {
    using namespace std::chrono_literals;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) return 1;
    int messages = 0;

    try {
        Loop loop;
        loop.watch(pair[0], EL_READ, [&](const el_event &) {
            char text[64];
            auto count = read(pair[0], text, sizeof text);
            if (count > 0) {
                messages++;
                std::printf("received: %.*s\n", static_cast<int>(count), text);
            } else {
                std::puts("the other side has closed");
                loop.ignore(pair[0]);
            }
        });
        loop.after(20ms, [&](const el_event &) {
            if (write(pair[1], "from a lambda", 13) < 0) std::perror("write");
            loop.after(20ms, [&](const el_event &) { close(pair[1]); });
        });
        loop.run();
        loop.watch(-1, EL_READ, [](const el_event &) {});
    } catch (const std::system_error &error) {
        std::printf("as an exception: %s\n", error.what());
        close(pair[0]);
        return messages == 1 && error.code() == std::errc::bad_file_descriptor ? 0 : 1;
    }
    return 1;
}
