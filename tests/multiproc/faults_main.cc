// The test program, which is also the program of every rank.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include "faults_rank.h"

int main(int argc, char** argv) {
  // What is tested must not depend on how fast this machine's kernel copies.
  ::setenv("PS_CROSS_MEMORY", "1", 0);
  int status = 0;
  if (faults::run_as_rank(argc, argv, status)) return status;
  // A rank that is gone is found by its line that does not come.
  ::signal(SIGPIPE, SIG_IGN);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
