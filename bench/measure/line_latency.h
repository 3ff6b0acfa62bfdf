// How long one cache line takes from one process to another. The processors of a virtual machine move: the same line
// may take 0.05 us now and 0.3 us a minute later, and every small operation with it. So the latency is probed beside
// every point, and only points at equal latency are compared.
#pragma once

#include "measure/meeting.h"

namespace measure {

// One way, in ns: the median over some thousand flips of one line between ranks 0 and 1, while the others sleep. All
// ranks call it; 0 when there is one rank.
double line_latency_ns(Meeting& meeting);

}  // namespace measure
