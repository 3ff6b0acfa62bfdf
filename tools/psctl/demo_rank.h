// One rank of `psctl demo`, in C++.
#pragma once

namespace psctl {

// Rank, size and meeting place come from the environment. The exit code: 0 when everything was as expected.
int demo_rank();

}  // namespace psctl
