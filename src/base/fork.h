// What a forked child must not keep. A connection ends for its peer when the last process that holds it closes it, so a
// child which holds what it may not use hides its parent's death.
#pragma once

namespace ps {

// A socket of this process alone. It need not be taken back when it is closed: what a number stands for is looked at
// again in the child.
void keep_from_children(int socket);

// For the child of a fork, where no lock can be taken: lets go of those sockets. Their numbers stay taken, by
// /dev/null, since whatever is left of their owners will close them.
void drop_kept_sockets();

}  // namespace ps
