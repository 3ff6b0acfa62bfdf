/* A plugin whose transport lacks its functions. */
#include <parallelstate_plugin.h>

psResult psPluginQuery(const psPluginHost* host, psPlugin* plugin) {
  static psPluginTransport transport;
  static const psPluginTransport* const transports[] = {&transport};
  (void)host;
  transport.struct_size = sizeof transport;
  transport.name = "incomplete";
  plugin->abi = PS_PLUGIN_ABI;
  plugin->transports = transports;
  plugin->transport_count = 1;
  return PS_OK;
}
