/* A plugin whose transport's table is shorter than the first version's. */
#include <parallelstate_plugin.h>

psResult psPluginQuery(const psPluginHost* host, psPlugin* plugin) {
  static psPluginTransport transport;
  static const psPluginTransport* const transports[] = {&transport};
  (void)host;
  transport.struct_size = 16;
  transport.name = "short";
  plugin->abi = PS_PLUGIN_ABI;
  plugin->transports = transports;
  plugin->transport_count = 1;
  return PS_OK;
}
