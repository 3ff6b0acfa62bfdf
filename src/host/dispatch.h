// Which algorithm runs an operation: the first row of a small table that fits. The library's own table is written as rules,
// and rules of the user come before it; psctl info --dispatch prints both. All ranks of a world have the same table, and
// a choice depends on the agreed part of a call alone, so it never differs between members.
//
//   rules      = rule { ";" rule }
//   rule       = operation [ ":" plane ] [ ":" limit { "," limit } ] "=" algorithm
//   operation  = "all_reduce" ... | "*"          plane = "shm" | "net" | "hosts" | "*"
//   limit      = "<=" number [ "K" | "M" | "G" ]   bytes that a rank contributes, the most on any member
//              | "<=" number "ranks"               of the group
//              | "uncrowded"                       on shm, where a host's ranks are no more than its CPUs
//
// "net" is what goes between members over a transport: "one-shot" with the frame that begins a call, "pipeline" in pieces
// straight to each reader, "two-shot" an all_reduce where each member reduces a part.
//
// "hosts" is what a group does that spans hosts with several ranks on one: "staged" on each host and between members at the
// same place of theirs, "striped" an all_reduce with a share of it for each member, or "flat", member to member.
//
// "all_reduce:shm:<=1M=two-shot;*:<=8ranks,<=16K=one-shot"
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/signature.h"

namespace ps {

enum class Algorithm { kOneShot, kTree, kTwoShot, kPipeline, kSingleCopy, kStaged, kStriped, kFlat };

const char* algorithm_name(Algorithm algorithm);

struct DispatchRow {
  std::optional<Kind> kind;  // none: any
  std::string_view plane;    // one of the library's own names; "*": any
  int most_ranks;            // INT_MAX: any
  size_t most_bytes;         // SIZE_MAX: any
  Algorithm algorithm;
  bool from_rule;            // of the user
  bool uncrowded = false;    // only where ranks are no more than CPUs

  bool concerns(Kind other, std::string_view other_plane, int ranks, bool crowded) const {
    return (!kind || *kind == other) && (plane == "*" || plane == other_plane) && ranks <= most_ranks && !(uncrowded && crowded);
  }
  // As a rule.
  std::string describe() const;
};

class Dispatch {
 public:
  // `where` names the rules' source in errors: "PS_DISPATCH". Errors: ARGUMENT with the place and what is known.
  explicit Dispatch(std::string_view rules = "", std::string_view where = "");

  // The user's rules first, then the library's.
  const std::vector<DispatchRow>& rows() const { return rows_; }
  // The user's, written in one way, "" none.
  std::string rules() const;

 private:
  std::vector<DispatchRow> rows_;
};

// As in rules: "64K".
std::string bytes_text(size_t bytes);

// "all_reduce, reduce, ...": what a rule may name.
std::string known_operations();
std::string known_algorithms();

}  // namespace ps
