// Why a rank counts as dead. Only its own host's kernel proves a death; between hosts a connection tells, and a rank that
// cannot be reached is as good as dead to those who cannot reach it.
#pragma once

#include <cstdint>

namespace ps {

enum class Loss : uint32_t {
  kNone = 0,
  kEnded = 1,    // its host's kernel says so
  kClosed = 2,   // its connection ended without goodbye
  kSilent = 3,   // nothing came through to its host, or back, for kLostMs
  kCutOff = 4,   // it lives, but ranks on other hosts were told that it is lost
};

inline constexpr uint32_t kMostLoss = 4;

// What a rank thinks of its own way to another, while the store hears both.
enum class Doubt : uint32_t {
  kNone = 0,
  kSilent = 1,  // no answer yet: is it the same the other way round?
  kCut = 2,     // none for kLostMs
};

inline constexpr uint32_t kMostDoubt = 2;

// The rhythm of heartbeats between hosts. Unanswered ones end a connection after kLostMs: see tune_stream.
inline constexpr int64_t kBeatMs = 500;
inline constexpr int64_t kLostMs = 3000;

// What follows a rank's name: "ended without psFinalize (killed, crashed or exited)".
const char* describe_loss(Loss loss);

}  // namespace ps
