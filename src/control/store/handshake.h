// How a client and a store come to know each other, in one and a half round trips:
//
//   client: hello      who it is, its nonce
//   store:  challenge  its nonce, this life's epoch
//   client: proof      HMAC-SHA256(secret, "client" + hello + challenge)
//   store:  welcome    HMAC-SHA256(secret, "store" + hello + challenge + who hosts it)      ... or a refusal
//
// Both nonces, the role, the job and the protocol's version go into both proofs, so that nothing recorded is of use and
// neither side's proof can be reflected to it. Where neither side has a secret the proofs are empty.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "control/store/authentication.h"
#include "parallelstate.h"

namespace ps {

inline constexpr size_t kClientIdBytes = 16;
inline constexpr size_t kLongestJob = 256;

enum class Role : uint8_t {
  kClient = 1,  // uses the store
  kRank = 2,    // a member of the world `job`
  kMeeting = 3,  // a world's rank 0, which wants a store that was served for any world
  kWatch = 4,    // the control connection of a rank whose world has formed
};

struct Hello {
  Role role = Role::kClient;
  bool has_secret = false;
  std::string nonce;
  std::string client_id;  // the same on all connections of one client, never used again
  std::string job;
};

struct Challenge {
  bool has_secret = false;
  uint32_t epoch = 0;
  std::string nonce;
};

struct Welcome {
  std::string proof;
  bool world = false;  // hosted by a world's rank 0, else served for anybody
  int32_t pid = 0;
  uint64_t max_value_bytes = 0;
  std::string host;
};

enum class RefusalReason : uint8_t {
  kDenied = 1,   // secrets or users
  kOtherJob = 2,
  kFormed = 3,   // the world is complete: try again when it has ended
  kOccupied = 4,  // another world's, not a served store
  kVersion = 5,
};

struct Refusal {
  RefusalReason reason = RefusalReason::kDenied;
  std::string text;
};

std::string encode_hello(const Hello& hello);
std::string encode_challenge(const Challenge& challenge);
std::string encode_welcome(const Welcome& welcome);
std::string encode_refusal(const Refusal& refusal);

std::optional<Hello> parse_hello(std::string_view body);
std::optional<Challenge> parse_challenge(std::string_view body);
std::optional<Welcome> parse_welcome(std::string_view body);
std::optional<Refusal> parse_refusal(std::string_view body);

// What both sides derive from the secret and the two first messages as they were on the wire.
class SharedKnowledge {
 public:
  SharedKnowledge(std::string_view secret, std::string_view hello, std::string_view challenge);

  std::string client_proof() const { return derived("client"); }
  // Of everything in the welcome but the proof itself.
  std::string store_proof(const Welcome& welcome) const;
  FrameAuthenticator to_store() const { return FrameAuthenticator(derived("frames to the store")); }
  FrameAuthenticator to_client() const { return FrameAuthenticator(derived("frames to the client")); }

 private:
  std::string derived(std::string_view purpose, std::string_view more = "") const;

  std::string secret_;
  std::string transcript_;
};

}  // namespace ps
