#include "host/net/module.h"

#include <dlfcn.h>
#include <unistd.h>

#include <map>
#include <mutex>
#include <vector>

#include "base/environment.h"
#include "base/error.h"
#include "host/net/peers.h"

namespace ps {
namespace {

std::vector<std::string> folders() {
  std::vector<std::string> list;
  Dl_info self{};
  if (::dladdr(reinterpret_cast<const void*>(&find_transport), &self) != 0 && self.dli_fname != nullptr) {
    const std::string library = self.dli_fname;
    const size_t slash = library.rfind('/');
    list.push_back((slash == std::string::npos ? "." : library.substr(0, slash)) + "/parallelstate");
  }
  const std::string more = environment("PS_PLUGIN_PATH").value_or("");
  for (size_t begin = 0; begin <= more.size();) {
    const size_t end = std::min(more.find(':', begin), more.size());
    if (end > begin) list.push_back(more.substr(begin, end - begin));
    begin = end + 1;
  }
  return list;
}

// Up to the last function that every transport has.
constexpr size_t kLeastTable = offsetof(psPluginTransport, release) + sizeof(psPluginTransport::release);

// A table that is shorter, or lacks a function, is refused before anything of it is called.
const psPluginTransport* check_table(const psPlugin& plugin, const std::string& name, const std::string& path) {
  for (size_t i = 0; i < plugin.transport_count; ++i) {
    const psPluginTransport* table = plugin.transports == nullptr ? nullptr : plugin.transports[i];
    if (table == nullptr || table->struct_size < kLeastTable) {
      fail(PS_ERR_UNSUPPORTED, "{}: its transport #{} is described in {} bytes, {} are needed", path, i,
           table == nullptr ? 0 : table->struct_size, kLeastTable);
    }
    if (table->name == nullptr || table->name != name) continue;
    const bool complete = table->create && table->post_send && table->post_recv && table->test && table->wait_any &&
                          table->abort && table->destroy && table->release;
    if (!complete) fail(PS_ERR_UNSUPPORTED, "{}: its transport \"{}\" lacks a function", path, name);
    return table;
  }
  fail(PS_ERR_UNSUPPORTED, "{} has no transport named \"{}\"", path, name);
}

TransportModule load(const std::string& name, const std::string& path) {
  void* const handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) fail(PS_ERR_UNSUPPORTED, "the plugin cannot be loaded: {}", ::dlerror());
  const auto query = reinterpret_cast<psPluginQueryFunction>(::dlsym(handle, "psPluginQuery"));
  if (query == nullptr) fail(PS_ERR_UNSUPPORTED, "{} is no plugin: it does not export psPluginQuery", path);
  psPlugin plugin{};
  plugin.struct_size = sizeof plugin;
  if (const psResult result = query(&plugin_host(), &plugin); result != PS_OK) {
    fail(PS_ERR_UNSUPPORTED, "{}: psPluginQuery failed with {}", path, result_name(result));
  }
  if (plugin.abi != PS_PLUGIN_ABI) {
    fail(PS_ERR_UNSUPPORTED, "{} was built for plugin interface {}, this library has {}", path, plugin.abi, PS_PLUGIN_ABI);
  }
  return {check_table(plugin, name, path), path, plugin.version == nullptr ? "" : plugin.version};
}

}  // namespace

const TransportModule& find_transport(const std::string& name) {
  static std::mutex mutex;
  static auto& loaded = *new std::map<std::string, TransportModule>;  // worlds may outlive static objects
  const std::lock_guard lock(mutex);
  if (const auto found = loaded.find(name); found != loaded.end()) return found->second;
  std::string places;
  for (const std::string& folder : folders()) {
    const std::string path = folder + "/ps_" + name + ".so";
    if (::access(path.c_str(), F_OK) == 0) return loaded.emplace(name, load(name, path)).first->second;
    places += (places.empty() ? "" : ", ") + path;
  }
  fail(PS_ERR_UNSUPPORTED,
       "the backend \"{}\" is a plugin that is not here; looked for {}. The library's build makes it where it finds Gloo "
       "(Debian: libgloo-dev; CMake: -DPS_GLOO_SOURCE=ON); a folder that has it can be named in PS_PLUGIN_PATH. Within one "
       "host \"shm\" needs no plugin, and \"auto\" chooses it",
       name, places);
}

}  // namespace ps
