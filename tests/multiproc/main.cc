// A test program that is its own ranks.
#include <gtest/gtest.h>

#include "world.h"

int main(int argc, char** argv) {
  int status = 0;
  if (ps_test::run_rank(argc, argv, &status)) return status;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
