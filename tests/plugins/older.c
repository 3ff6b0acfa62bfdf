/* A plugin for another version of the interface. */
#include <parallelstate_plugin.h>

psResult psPluginQuery(const psPluginHost* host, psPlugin* plugin) {
  (void)host;
  plugin->abi = PS_PLUGIN_ABI + 1;
  return PS_OK;
}
