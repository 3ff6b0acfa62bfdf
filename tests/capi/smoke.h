/* The parts of the smoke program: every function of the header, called rightly and wrongly, in a world of one rank. */
#ifndef PS_TESTS_CAPI_SMOKE_H
#define PS_TESTS_CAPI_SMOKE_H

#include "expect.h"

void smoke_library(void);
void smoke_layouts(void);
void smoke_context(void);
void smoke_store(psContext context);
void smoke_store_served(void);
void smoke_groups(psContext context);
void smoke_collectives(psContext context);
void smoke_memory(psContext context);
void smoke_memory_after_finalize(void);
void smoke_point_to_point(psContext context);
void smoke_works(psContext context);
void smoke_abort(psContext context);
void smoke_after_finalize(void);

/* A world of this rank alone, which no environment variable changes. */
psContext smoke_world(void);

#endif
