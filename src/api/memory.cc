// Memory that all members of a group reach.
#include "api/guard.h"
#include "api/handle.h"

using namespace ps::api;

psResult psMemAlloc(psGroup group, size_t size, psDeviceType device, void** memory) {
  return guard("psMemAlloc", [&] {
    ps::Group& object = open(group);
    require(memory, "memory");
    if (device != PS_DEVICE_HOST) {
      const bool known = device == PS_DEVICE_CUDA || device == PS_DEVICE_ROCM || device == PS_DEVICE_XPU || device > 1000;
      ps::fail(known ? PS_ERR_UNSUPPORTED : PS_ERR_ARGUMENT, "device {}: this build has memory of PS_DEVICE_HOST ({}) only",
               device, PS_DEVICE_HOST);
    }
    *memory = object.memory().allocate(size);
  });
}

psResult psMemFree(psGroup group, void* memory) {
  return guard("psMemFree", [&] {
    ps::Group& object = open(group);
    if (memory != nullptr) object.memory().free(memory);
  });
}

psResult psGroupRegister(psGroup group, void* memory, size_t size) {
  return guard("psGroupRegister", [&] {
    ps::Group& object = open(group);
    if (size > 0) require(memory, "memory");
    object.memory().add(memory, size);
  });
}

psResult psGroupDeregister(psGroup group, void* memory) {
  return guard("psGroupDeregister", [&] {
    open(group).memory().remove(memory);
  });
}
