// Copying between cores and to private memory. Which way is fastest depends on the processor, on where the lines are and
// on what becomes of them: `rep movsb` moves lines between cores at several times the rate of a load-store loop on some
// processors; stores past the caches spare memory the reading of what is overwritten, and evict nothing.
//
// So it is measured on the job: the first copies of each class take the supported methods in turn and are timed, and the
// fastest is kept for some time, the expected one unless another is clearly faster. All methods give the same bytes, so
// ranks may choose differently.
#pragma once

#include <cstddef>
#include <string>

#include "host/copy/methods.h"

namespace ps {

// Where a copy goes: into shared memory for peers to read, or to an output, which a large one leaves the caches for.
enum class CopyTarget { kShared, kOutput, kLargeOutput };

constexpr CopyTarget output_of(size_t total_bytes) {
  return total_bytes >= size_t{4} << 20 ? CopyTarget::kLargeOutput : CopyTarget::kOutput;
}

// The ranges do not overlap, or are the same. Later stores come after the copy, a flag among them.
void copy(CopyTarget target, std::byte* to, const std::byte* from, size_t bytes);

// Whether copies to a large output go past the caches, as far as is known.
bool streams_large_output();

// The same of outputs that would stay in the caches if there were room: whether there is not, for all that the ranks of
// the host touch in an operation, or PS_COPY says so.
bool streams_outputs(size_t bytes_of_all);

// What PS_COPY forces or was found to be best so far: "movsb", "auto" while it is not decided.
std::string chosen_copy(CopyTarget target);

// Reads PS_COPY: auto, memcpy, movsb or stream. Errors: ARGUMENT.
void check_copy_setting();

}  // namespace ps
