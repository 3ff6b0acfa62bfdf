#include "host/dispatch.h"

#include <algorithm>
#include <climits>
#include <cstdint>

#include "base/environment.h"
#include "base/error.h"

namespace ps {
namespace {

// The library's own table. Its last row for a plane fits every call. With one-shot a rank reads what all others have
// staged, so the sizes it is best for fall with the ranks; but two of them, with a CPU each, share an all_reduce
// sooner. A tree reads less and waits for more others in turn: where ranks share CPUs, each of these turns is one of
// the scheduler's, and what must come back from the root is faster without. Copied once by the kernel, data passes
// through the caches: beyond what they hold, two copies that spare them are faster. All readers of a broadcast read
// the same lines, which one ring for all of them serves as well. Between hosts, sharing the reduction of more than
// two ranks pays above 8K; what fits into the frame that begins a call bounds one-shot there, not the table.
constexpr std::string_view kTable =
    "broadcast:shm:<=16ranks,<=16K=one-shot;broadcast:shm:<=256=tree;broadcast:shm:<=16K=one-shot;"
    "broadcast:shm:<=2ranks,<=32M=single-copy;broadcast:shm=pipeline;"
    "all_reduce:shm:<=2ranks,<=16K=one-shot;all_reduce:shm:uncrowded,<=2ranks=two-shot;"
    "all_reduce:shm:<=4ranks,<=64K=one-shot;all_reduce:shm:<=8ranks,<=32K=one-shot;"
    "all_reduce:shm:<=16ranks,<=16K=one-shot;all_reduce:shm:uncrowded,<=256=tree;all_reduce:shm:<=8K=one-shot;"
    "all_reduce:shm=two-shot;"
    "all_gather:shm:<=2ranks,<=16K=one-shot;all_gather:shm:<=2ranks,<=8M=single-copy;all_gather:shm:<=2ranks=pipeline;"
    "gather:shm:<=2ranks,<=16K=one-shot;gather:shm:<=2ranks,<=16M=single-copy;"
    "scatter:shm:<=2ranks,<=32K=one-shot;scatter:shm:<=2ranks,<=16M=single-copy;scatter:shm:<=2ranks=pipeline;"
    "all_to_all:shm:<=2ranks,<=32K=one-shot;all_to_all:shm:<=2ranks,<=16M=single-copy;all_to_all:shm:<=2ranks=pipeline;"
    "*:shm:<=16ranks,<=64K=one-shot;"
    "reduce:shm:<=256=tree;all_gather:shm:uncrowded,<=32=tree;barrier:shm:uncrowded=tree;"
    "*:shm:<=64K=one-shot;"
    "all_gather:shm:<=16M=single-copy;gather:shm:<=16M=single-copy;"
    "scatter:shm:<=32M=single-copy;all_to_all:shm:<=32M=single-copy;"
    "*:shm=pipeline;"
    "all_reduce:net:<=2ranks=one-shot;all_reduce:net:<=8K=one-shot;all_reduce:net=two-shot;"
    "*:net=one-shot;*:net=pipeline;"
    "all_reduce:hosts:<=2M=staged;all_reduce:hosts=striped;"
    "*:hosts=staged;"
    "*:hosts=flat";

struct Known {
  Algorithm algorithm;
  const char* name;
  const char* plane;
};
constexpr Known kKnown[] = {
    {Algorithm::kOneShot, "one-shot", "shm"},
    {Algorithm::kTree, "tree", "shm"},
    {Algorithm::kTwoShot, "two-shot", "shm"},
    {Algorithm::kPipeline, "pipeline", "shm"},
    {Algorithm::kSingleCopy, "single-copy", "shm"},
    {Algorithm::kOneShot, "one-shot", "net"},
    {Algorithm::kTwoShot, "two-shot", "net"},
    {Algorithm::kPipeline, "pipeline", "net"},
    {Algorithm::kStaged, "staged", "hosts"},
    {Algorithm::kStriped, "striped", "hosts"},
    {Algorithm::kFlat, "flat", "hosts"},
};

constexpr const char* kUncrowded = "uncrowded";

constexpr Kind kFirstKind = Kind::kAllReduce;
constexpr Kind kLastKind = Kind::kBarrier;

template <class Visit>
void visit_kinds(Visit&& visit) {
  for (int kind = static_cast<int>(kFirstKind); kind <= static_cast<int>(kLastKind); ++kind) visit(static_cast<Kind>(kind));
}

void append(std::string& list, std::string_view name) {
  if ((", " + list + ",").find(", " + std::string(name) + ",") != std::string::npos) return;
  list += list.empty() ? "" : ", ";
  list += name;
}

std::string known_planes(std::optional<Algorithm> algorithm) {
  std::string list;
  for (const Known& known : kKnown) {
    if (!algorithm || known.algorithm == *algorithm) append(list, known.plane);
  }
  return list;
}

// Reads one list of rules; what it refuses, it shows with its place.
class Reader {
 public:
  Reader(std::string_view text, std::string_view where, bool of_user) : text_(text), where_(where), of_user_(of_user) {}

  size_t most_rows() const { return static_cast<size_t>(std::count(text_.begin(), text_.end(), ';')) + 1; }

  void read_to(std::vector<DispatchRow>& rows) const {
    for (size_t begin = 0; begin <= text_.size();) {
      const size_t end = std::min(text_.find(';', begin), text_.size());
      const std::string_view rule = trimmed(text_.substr(begin, end - begin));
      if (!rule.empty()) rows.push_back(read_rule(rule));
      begin = end + 1;
    }
  }

 private:
  DispatchRow read_rule(std::string_view rule) const {
    DispatchRow row{std::nullopt, "*", INT_MAX, SIZE_MAX, Algorithm::kPipeline, of_user_};
    // The algorithm is behind the last "=", since limits have one too.
    const size_t equals = rule.rfind('=');
    if (equals == std::string_view::npos || (equals > 0 && rule[equals - 1] == '<')) {
      refuse(rule, "names no algorithm; a rule is like all_reduce:shm:<=1M=two-shot, with one of " + known_algorithms());
    }
    const std::string_view algorithm = trimmed(rule.substr(equals + 1));
    row.algorithm = read_algorithm(algorithm);
    std::string_view rest = rule.substr(0, equals);
    for (int field = 0; field == 0 || !rest.empty(); ++field) {
      const size_t colon = std::min(rest.find(':'), rest.size());
      const std::string_view part = trimmed(rest.substr(0, colon));
      rest.remove_prefix(std::min(colon + 1, rest.size()));
      if (field == 0) {
        row.kind = read_operation(part);
      } else if (part.starts_with('<') || part.starts_with(kUncrowded)) {
        if (!rest.empty()) refuse(rest, "comes after the limits, which come last before \"=\"");
        read_limits(part, row);
      } else if (field == 1) {
        row.plane = read_plane(part, row.algorithm, algorithm);
      } else {
        refuse(part, "is no limit; a limit is like <=64K for bytes, <=8ranks for the group's size, or uncrowded");
      }
    }
    return row;
  }

  std::optional<Kind> read_operation(std::string_view name) const {
    if (name == "*") return std::nullopt;
    std::optional<Kind> found;
    visit_kinds([&](Kind kind) {
      if (name == kind_name(kind)) found = kind;
    });
    if (!found) refuse(name, "is no operation; known are " + known_operations() + ", and * for all of them");
    return found;
  }

  Algorithm read_algorithm(std::string_view name) const {
    for (const Known& known : kKnown) {
      if (name == known.name) return known.algorithm;
    }
    refuse(name, "is no algorithm; known are " + known_algorithms());
  }

  std::string_view read_plane(std::string_view name, Algorithm algorithm, std::string_view algorithm_text) const {
    if (name == "*") return "*";
    if ((", " + known_planes(std::nullopt) + ",").find(fmt::format(", {},", name)) == std::string::npos) {
      refuse(name, "is no plane; known are " + known_planes(std::nullopt) + ", and * for all of them");
    }
    const auto known = std::find_if(std::begin(kKnown), std::end(kKnown), [&](const Known& known) {
      return known.algorithm == algorithm && name == known.plane;
    });
    if (known == std::end(kKnown)) {
      refuse(name, fmt::format("has no algorithm {}; that is one of {}", algorithm_text, known_planes(algorithm)));
    }
    return known->plane;
  }

  void read_limits(std::string_view list, DispatchRow& row) const {
    while (!list.empty()) {
      const size_t comma = std::min(list.find(','), list.size());
      const std::string_view limit = trimmed(list.substr(0, comma));
      list.remove_prefix(std::min(comma + 1, list.size()));
      if (limit == kUncrowded) {
        row.uncrowded = true;
        continue;
      }
      if (!limit.starts_with("<=")) refuse(limit, "is no limit; a limit is like <=64K or <=8ranks, or uncrowded");
      std::string_view number = trimmed(limit.substr(2));
      const bool ranks = number.ends_with("ranks");
      if (ranks) number.remove_suffix(5);
      size_t unit = 1;
      if (!ranks && !number.empty()) {
        const size_t shift = number.back() == 'K' ? 10 : number.back() == 'M' ? 20 : number.back() == 'G' ? 30 : 0;
        if (shift > 0) number.remove_suffix(1);
        unit = size_t{1} << shift;
      }
      const auto value = parse_integer(trimmed(number));
      const int64_t most = ranks ? INT_MAX : INT64_MAX / static_cast<int64_t>(unit);
      if (!value || *value < 0 || *value > most) {
        refuse(limit, "is no limit; a limit is <= and a whole number, with K, M or G for bytes, or with ranks");
      }
      if (ranks) {
        row.most_ranks = static_cast<int>(*value);
      } else {
        row.most_bytes = static_cast<size_t>(*value) * unit;
      }
    }
  }

  static std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
  }

  // `part` lies in the text.
  [[noreturn]] void refuse(std::string_view part, const std::string& why) const {
    const auto place = part.data() - text_.data() + 1;
    fail(PS_ERR_ARGUMENT, "{}=\"{}\": at character {}, \"{}\" {}", where_, text_, place, part, why);
  }

  std::string_view text_;
  std::string_view where_;
  bool of_user_;
};

}  // namespace

const char* algorithm_name(Algorithm algorithm) {
  for (const Known& known : kKnown) {
    if (known.algorithm == algorithm) return known.name;
  }
  return "unknown";
}

std::string bytes_text(size_t bytes) {
  for (const auto& [unit, shift] : {std::pair{"G", 30}, {"M", 20}, {"K", 10}}) {
    if (bytes > 0 && bytes % (size_t{1} << shift) == 0) return fmt::format("{}{}", bytes >> shift, unit);
  }
  return std::to_string(bytes);
}

std::string known_operations() {
  std::string list;
  visit_kinds([&](Kind kind) { append(list, kind_name(kind)); });
  return list;
}

std::string known_algorithms() {
  std::string list;
  for (const Known& known : kKnown) append(list, known.name);
  return list;
}

std::string DispatchRow::describe() const {
  std::string limits;
  const auto add = [&](const std::string& limit) { limits += (limits.empty() ? "" : ",") + limit; };
  if (uncrowded) add(kUncrowded);
  if (most_ranks != INT_MAX) add(fmt::format("<={}ranks", most_ranks));
  if (most_bytes != SIZE_MAX) add("<=" + bytes_text(most_bytes));
  return fmt::format("{}:{}{}{}={}", kind ? kind_name(*kind) : "*", plane, limits.empty() ? "" : ":", limits,
                     algorithm_name(algorithm));
}

Dispatch::Dispatch(std::string_view rules, std::string_view where) {
  const Reader of_user(rules, where, true);
  const Reader own(kTable, "the library's own table", false);
  rows_.reserve(of_user.most_rows() + own.most_rows());
  of_user.read_to(rows_);
  own.read_to(rows_);
}

std::string Dispatch::rules() const {
  std::string text;
  for (const DispatchRow& row : rows_) {
    if (row.from_rule) text += (text.empty() ? "" : ";") + row.describe();
  }
  return text;
}

}  // namespace ps
