// A test program that is its own ranks.
#include <gtest/gtest.h>
#include <stdlib.h>

#include "world.h"

int main(int argc, char** argv) {
  // What is tested must not depend on how fast this machine's kernel copies.
  ::setenv("PS_CROSS_MEMORY", "1", 0);
  int status = 0;
  if (ps_test::run_rank(argc, argv, &status)) return status;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
