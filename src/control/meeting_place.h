// Where the ranks of a launched job meet when nobody named a place: each rank works it out alone, and all come to the
// same. On one node a UNIX socket in a directory that only this user can enter, named by a hash of what tells the job from
// others; on several nodes a port beside the launcher's. MASTER_PORT itself belongs to torch and is never bound.
#pragma once

#include <string>
#include <string_view>

namespace ps {

// unix:///<directory of this user>/<hash of identity>.sock; makes the directory. Errors: ARGUMENT when what stands there
// is not a directory of this user alone.
std::string local_meeting_place(std::string_view identity);

// tcp://MASTER_ADDR:PS_MASTER_PORT, where the latter is MASTER_PORT + 1 unless set. `spread` tells how it is known that
// there are several nodes. Errors: ARGUMENT says which variable is missing or why its value cannot serve.
std::string network_meeting_place(std::string_view spread);

}  // namespace ps
