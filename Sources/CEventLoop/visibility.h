/// The rooms are the library's own business: only what the public header declares is exported.
#ifndef EL_VISIBILITY_H
#define EL_VISIBILITY_H

#define EL_ROOM __attribute__((visibility("hidden")))

#endif
