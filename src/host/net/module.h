// Plugins that move data between hosts, loaded when they are first asked for, once for a process, and never closed.
#pragma once

#include <string>

#include "parallelstate_plugin.h"

namespace ps {

struct TransportModule {
  const psPluginTransport* table = nullptr;
  std::string path;
  std::string version;
};

// Looks for parallelstate/ps_NAME.so in the folder of this library, then for ps_NAME.so in the folders of PS_PLUGIN_PATH.
// Errors: UNSUPPORTED listing the places where it is not, or what is wrong with the one that was found.
const TransportModule& find_transport(const std::string& name);

}  // namespace ps
