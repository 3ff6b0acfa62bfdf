#include "control/watch/loss.h"

namespace ps {

const char* describe_loss(Loss loss) {
  switch (loss) {
    case Loss::kClosed: return "is lost: its connection ended without psFinalize, with its process, its host or the link to it";
    case Loss::kSilent: return "is lost: no heartbeat for 3.0 s; its host or the link to it is gone";
    case Loss::kCutOff: return "was cut off: the other hosts heard nothing of it for 3.0 s and have taken it for lost";
    default: return "ended without psFinalize (killed, crashed or exited)";
  }
}

}  // namespace ps
