// What tells one mpirun of the PMI family (MPICH, Intel MPI, MVAPICH) from another. Hydra, their common process
// manager, names the job to its ranks through a socket only, so the socket's other end serves as the name.
#pragma once

#include <string>

namespace ps {

// The process that serves PMI_FD to all ranks of this host, and when it was started: "" where PMI_FD is no such socket.
std::string pmi_server();

}  // namespace ps
