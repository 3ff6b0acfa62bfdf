// Chooses the instruction set of the reduction kernels, once, at first use.
#include "host/reduce/reduce.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/environment.h"
#include "base/error.h"
#include "host/reduce/kernels.h"
#include "host/reduce/targets.h"

namespace ps {
namespace {

constexpr const char* kVariable = "PS_REDUCE_TARGET";

#if defined(__x86_64__)

bool has_v3() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("f16c") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("lzcnt") &&
         __builtin_cpu_supports("movbe");
}

bool has_v4() {
  return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}

// Each includes the one before it.
constexpr std::array kTargets = {
    ReduceTarget{"baseline", baseline::find_kernel, baseline::find_streaming_kernel, baseline::find_widening,
                 baseline::find_finishing, [] { return true; }},
    ReduceTarget{"x86-64-v3", v3::find_kernel, v3::find_streaming_kernel, v3::find_widening, v3::find_finishing,
                 has_v3},
    ReduceTarget{"x86-64-v4", v4::find_kernel, v4::find_streaming_kernel, v4::find_widening, v4::find_finishing,
                 has_v4},
};

#else

constexpr std::array kTargets = {
    ReduceTarget{"baseline", baseline::find_kernel, baseline::find_streaming_kernel, baseline::find_widening,
                 baseline::find_finishing, [] { return true; }},
};

#endif

const ReduceTarget& target_in_use() {
  static const ReduceTarget& target = [&]() -> const ReduceTarget& {
    const auto highest = environment(kVariable);
    return choose_reduce_target(highest ? highest->c_str() : nullptr);
  }();
  return target;
}

}  // namespace

std::span<const ReduceTarget> supported_reduce_targets() {
  size_t count = 1;
  while (count < kTargets.size() && kTargets[count].is_supported()) ++count;
  return std::span(kTargets).first(count);
}

const ReduceTarget& choose_reduce_target(const char* highest) {
  const auto supported = supported_reduce_targets();
  if (highest == nullptr) return supported.back();
  std::string names;
  for (size_t level = 0; level < kTargets.size(); ++level) {
    if (kTargets[level].name == std::string_view(highest)) return supported[std::min(level, supported.size() - 1)];
    names += fmt::format("{}\"{}\"", level == 0 ? "" : ", ", kTargets[level].name);
  }
  fail(PS_ERR_ARGUMENT, "the environment variable {}=\"{}\" must be one of {}", kVariable, highest, names);
}

ReduceKernel find_reduce_kernel(psDataType dtype, psReduceOp op) {
  // Every small call asks.
  using Row = std::array<ReduceKernel, PS_PREMUL_SUM + 1>;
  static const std::array<Row, PS_BOOL + 1> kernels = [] {
    std::array<Row, PS_BOOL + 1> found{};
    for (psDataType type = PS_INT8; type <= PS_BOOL; ++type) {
      for (psReduceOp kind = PS_SUM; kind <= PS_PREMUL_SUM; ++kind) {
        found[static_cast<size_t>(type)][static_cast<size_t>(kind)] = target_in_use().find_kernel(type, kind);
      }
    }
    return found;
  }();
  if (dtype < PS_INT8 || dtype > PS_BOOL || op < PS_SUM || op > PS_PREMUL_SUM) return nullptr;
  return kernels[static_cast<size_t>(dtype)][static_cast<size_t>(op)];
}

ReduceKernel find_streaming_kernel(psDataType dtype, psReduceOp op) {
  return target_in_use().find_streaming_kernel(dtype, op);
}

PartialReduction find_partial_reduction(psDataType dtype, psReduceOp op) {
  const ReduceTarget& target = target_in_use();
  const bool rounds = op != PS_MIN && op != PS_MAX;
  const ReduceKernel widen = rounds ? target.find_widening(dtype) : nullptr;
  // What the factors and the divisor leave to be combined.
  const bool sums = op == PS_AVG || (op == PS_PREMUL_SUM && widen != nullptr);
  PartialReduction parts;
  parts.widen = widen;
  parts.combine = target.find_kernel(widen != nullptr ? PS_FLOAT32 : dtype, sums ? PS_SUM : op);
  if (widen != nullptr || op == PS_AVG) parts.finish = target.find_finishing(dtype);
  return parts;
}

bool depends_on_order(psDataType dtype, psReduceOp op) {
  return dtype >= PS_FLOAT16 && dtype <= PS_FLOAT8_E5M2 && op != PS_MIN && op != PS_MAX;
}

const char* reduce_target() { return target_in_use().name; }

}  // namespace ps
