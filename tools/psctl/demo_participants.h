// Who takes part in the demonstration: a program for each language, and why one cannot.
#pragma once

#include <string>
#include <vector>

#include "demo.h"
#include "run.h"

namespace psctl {

struct Participant {
  std::string language;
  Program program;
  std::string obstacle;  // "" when the program can run a rank
};

// C++, Python, Rust and Go, in the order of their ranks. C++ is this program itself and never has an obstacle.
std::vector<Participant> find_participants(const DemoOptions& options);

}  // namespace psctl
