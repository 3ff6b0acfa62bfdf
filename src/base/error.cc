#include "base/error.h"

namespace ps {

const char* result_name(psResult result) {
  switch (result) {
    case PS_OK: return "PS_OK";
    case PS_IN_PROGRESS: return "PS_IN_PROGRESS";
    case PS_ERR_ARGUMENT: return "PS_ERR_ARGUMENT";
    case PS_ERR_STATE: return "PS_ERR_STATE";
    case PS_ERR_UNSUPPORTED: return "PS_ERR_UNSUPPORTED";
    case PS_ERR_NO_MEMORY: return "PS_ERR_NO_MEMORY";
    case PS_ERR_SYSTEM: return "PS_ERR_SYSTEM";
    case PS_ERR_PEER_FAILED: return "PS_ERR_PEER_FAILED";
    case PS_ERR_TIMEOUT: return "PS_ERR_TIMEOUT";
    case PS_ERR_ABORTED: return "PS_ERR_ABORTED";
    case PS_ERR_BACKEND: return "PS_ERR_BACKEND";
    case PS_ERR_INTERNAL: return "PS_ERR_INTERNAL";
    case PS_ERR_MISMATCH: return "PS_ERR_MISMATCH";
    case PS_ERR_NOT_FOUND: return "PS_ERR_NOT_FOUND";
    case PS_ERR_CLOSED: return "PS_ERR_CLOSED";
    case PS_ERR_DENIED: return "PS_ERR_DENIED";
    default: return "unknown result";
  }
}

}  // namespace ps
