/// What went wrong in a run: the first sentence is the one to read.
#ifndef EL_FAULTS_REPORT_H
#define EL_FAULTS_REPORT_H

__attribute__((format(printf, 1, 2))) void report(const char *format, ...);

#endif
