// `psctl demo`: a world of four ranks in four languages, one of which dies.
#pragma once

#include <string>

namespace psctl {

struct DemoOptions {
  std::string python = "python3";  // the interpreter
  std::string python_path;         // the folder of the binding; "": beside the sources, else where Python finds it
  std::string rust;                // the Rust rank's program; "": the one beside psctl
  std::string go;                  // the Go rank's program; "": the one beside psctl
  bool kill = true;
};

int demo_command(const DemoOptions& options);

}  // namespace psctl
