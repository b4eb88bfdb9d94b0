/// What a caller may do with a loop, as programs that end the same way whatever fails in between.
#ifndef EL_FAULTS_SCENARIOS_H
#define EL_FAULTS_SCENARIOS_H

struct scenario {
    const char *name;
    void (*run)(void);
};

extern const struct scenario scenarios[];
extern const int scenario_count;

#endif
