#include "CFloor.h"
#include "loop.h"

struct stepping {
    struct loop loop;
    int running_tasks;
};

struct task {
    struct stepping *stepping;
    int remaining_steps;
};

static void step(void *argument) {
    struct task *task = argument;
    if (task->remaining_steps-- > 0) {
        ring_push(&task->stepping->loop.ready, (struct callback){step, task});
    } else if (--task->stepping->running_tasks == 0) {
        loop_stop(&task->stepping->loop);
    }
}

int floor_step(int task_count, int steps, uint64_t *elapsed_ns) {
    struct stepping stepping = {.running_tasks = task_count};
    struct task *tasks = allocate_zeroed((size_t)task_count, sizeof *tasks);
    int result = loop_open(&stepping.loop);
    uint64_t begin_ns = floor_now_ns();
    if (result == 0 && task_count > 0) {
        for (int index = 0; index < task_count; index++) {
            tasks[index] = (struct task){&stepping, steps};
            ring_push(&stepping.loop.ready, (struct callback){step, &tasks[index]});
        }
        loop_run(&stepping.loop);
    }
    *elapsed_ns = floor_now_ns() - begin_ns;
    loop_close(&stepping.loop);
    free(tasks);
    return result;
}

struct gathering {
    struct loop loop;
    int running_operations;
};

struct operation {
    struct gathering *gathering;
    int64_t input;
    int64_t *output;
};

static void operate(void *argument) {
    struct operation *operation = argument;
    *operation->output = operation->input;
    if (--operation->gathering->running_operations == 0) loop_stop(&operation->gathering->loop);
}

int floor_gather(int count, uint64_t *elapsed_ns) {
    struct gathering gathering = {.running_operations = count};
    int result = loop_open(&gathering.loop);
    uint64_t begin_ns = floor_now_ns();
    struct operation *operations = allocate_zeroed((size_t)count, sizeof *operations);
    int64_t *outputs = allocate_zeroed((size_t)count, sizeof *outputs);
    if (result == 0 && count > 0) {
        for (int index = 0; index < count; index++) {
            operations[index] = (struct operation){&gathering, index, &outputs[index]};
            ring_push(&gathering.loop.ready, (struct callback){operate, &operations[index]});
        }
        loop_run(&gathering.loop);
    }
    *elapsed_ns = floor_now_ns() - begin_ns;
    for (int index = 0; index < count; index++) {
        if (outputs[index] != index) abort(); // the results are the point
    }
    loop_close(&gathering.loop);
    free(outputs);
    free(operations);
    return result;
}
