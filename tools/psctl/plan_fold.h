// Lists of ranks for eyes: ranges and strides instead of every member.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace psctl {

// "[0..7]", "[0,8,..,56]", "[0..3,16..19,..,48..51]"; in the order of the list, which need not ascend.
std::string fold(std::span<const int32_t> ranks);

}  // namespace psctl
