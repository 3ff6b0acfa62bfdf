// Library-wide functions and byte lists.
#include "api/guard.h"
#include "api/handle.h"
#include "group/library_info.h"

using namespace ps::api;

int32_t psVersion(void) { return PS_VERSION; }

const char* psResultName(psResult result) { return ps::result_name(result); }

const char* psLastError(void) { return last_error(); }

psResult psGetLibraryInfo(psBytes* json) {
  return guard("psGetLibraryInfo", [&] {
    require(json, "json");
    *json = json_bytes(ps::library_info());
  });
}

psResult psBytesCount(psBytes bytes, size_t* count) {
  return guard("psBytesCount", [&] {
    const ps::ByteList& list = open(bytes);
    require(count, "count");
    *count = list.parts.size();
  });
}

psResult psBytesAt(psBytes bytes, size_t index, const void** data, size_t* size, psContentType* type) {
  return guard("psBytesAt", [&] {
    const ps::ByteList& list = open(bytes);
    if (index >= list.parts.size()) ps::fail(PS_ERR_ARGUMENT, "index {} of {} parts", index, list.parts.size());
    const std::string& part = list.parts[index];
    if (data != nullptr) *data = part.c_str();
    if (size != nullptr) *size = part.size();
    if (type != nullptr) *type = list.type;
  });
}

psResult psBytesFree(psBytes bytes) {
  return guard("psBytesFree", [&] {
    if (bytes != nullptr) Pool<psBytesImpl>::release(bytes);
  });
}
