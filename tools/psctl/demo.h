// `psctl demo`: a world of four ranks in two languages, one of which dies.
#pragma once

#include <string>

namespace psctl {

struct DemoOptions {
  std::string python = "python3";  // the interpreter
  std::string python_path;         // the folder of the binding; "": beside the sources, else where Python finds it
  bool kill = true;
};

int demo_command(const DemoOptions& options);

}  // namespace psctl
