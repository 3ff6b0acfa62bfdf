/* The plugin header as every supported language standard sees it, C and C++ alike: a plugin of one transport that does
 * nothing. */
#include "parallelstate_plugin.h"

static psResult wait_any(psPluginComm comm, int64_t timeout_ms) {
  (void)comm;
  return timeout_ms > 0 ? PS_IN_PROGRESS : PS_OK;
}

psResult psPluginQuery(const psPluginHost* host, psPlugin* plugin) {
  static psPluginTransport transport;
  static const psPluginTransport* const transports[] = {&transport};
  transport.struct_size = sizeof transport;
  transport.name = "nothing";
  transport.wait_any = wait_any;
  plugin->abi = host->abi;
  plugin->name = "nothing";
  plugin->version = "0";
  plugin->transports = transports;
  plugin->transport_count = 1;
  return PS_OK;
}
